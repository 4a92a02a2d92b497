"""Several account tables in one panel, one at a time: what is open and what is past, trades and funding."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from monitor.widgets.account_table import AccountTable


@dataclass(frozen=True, slots=True)
class View:
    """One table, the word on its switch and what that shows."""

    word: str
    what: str
    table: AccountTable


class AccountViews(QWidget):
    """Shows one of ``views`` (the first), chosen in ``head``, which is placed by whoever owns this.

    Signals:
        changed(): another table is shown.

    Thread: GUI.
    """

    changed = Signal()

    def __init__(self, title: str, views: Sequence[View], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views = tuple(views)
        self.buttons = QButtonGroup(self)
        self._tables = QStackedWidget()
        self._heads = QStackedWidget()
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._tables)
        self.head = QWidget()
        row = QHBoxLayout(self.head)
        row.setContentsMargins(6, 0, 0, 0)
        row.setSpacing(2)
        for number, view in enumerate(self.views):
            self._tables.addWidget(view.table)
            self._heads.addWidget(view.table.head)
            if len(self.views) > 1:
                row.addWidget(self._button(title, view, number))
        row.addWidget(self._heads, 1)
        self.buttons.idClicked.connect(self.show_view)

    @property
    def shown(self) -> AccountTable:
        """The table that is shown."""
        return self.views[self._tables.currentIndex()].table

    def show_view(self, number: int) -> None:
        """Show one of the tables."""
        button = self.buttons.button(number)
        if button is not None:
            button.setChecked(True)
        if number != self._tables.currentIndex():
            self._tables.setCurrentIndex(number)
            self._heads.setCurrentIndex(number)
            self.changed.emit()

    def _button(self, title: str, view: View, number: int) -> QToolButton:
        button = QToolButton()
        button.setText(view.word)
        button.setCheckable(True)
        button.setChecked(number == 0)
        button.setToolTip(view.what)
        button.setAccessibleName(f"{title}: {view.what}")
        self.buttons.addButton(button, number)
        return button
