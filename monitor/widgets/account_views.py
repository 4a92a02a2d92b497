"""Several account tables in one panel, one at a time: what is open and what is past, trades and funding."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from monitor.widgets.account_table import AccountTable


class View(msgspec.Struct, frozen=True):
    """One table by its key, the word on its switch, what that shows, and what makes the table."""

    key: str
    word: str
    what: str
    make: Callable[[], "AccountTable"]


class AccountViews(QWidget):
    """Shows one of ``views`` (the first), chosen in ``head``, which is placed by whoever owns this.

    A table is made when it is first asked for: each takes as long as the window's first frame, and a start shows none.

    Signals:
        changed(): another table is shown.

    Thread: GUI.
    """

    changed = Signal()

    def __init__(self, title: str, views: Sequence[View], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views = tuple(views)
        self._made: dict[int, AccountTable] = {}
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
            self._tables.addWidget(QWidget())
            self._heads.addWidget(QWidget())
            if len(self.views) > 1:
                row.addWidget(self._button(title, view, number))
        row.addWidget(self._heads, 1)
        self.buttons.idClicked.connect(self.show_view)

    @property
    def shown(self) -> "AccountTable":
        """The table that is shown."""
        return self.table(self._tables.currentIndex())

    @property
    def key(self) -> str:
        """Key of the table that is shown."""
        return self.views[self._tables.currentIndex()].key

    @property
    def made(self) -> Mapping[str, "AccountTable"]:
        """The tables there are by now, by key."""
        return {self.views[number].key: table for number, table in self._made.items()}

    def table(self, number: int) -> "AccountTable":
        """One of the tables."""
        if number not in self._made:
            table = self._made[number] = self.views[number].make()
            _replace(self._tables, number, table)
            _replace(self._heads, number, table.head)
        return self._made[number]

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


def _replace(stack: QStackedWidget, number: int, page: QWidget) -> None:
    current, empty = stack.currentIndex(), stack.widget(number)
    stack.insertWidget(number, page)
    if empty is not None:
        stack.removeWidget(empty)
        empty.deleteLater()
    stack.setCurrentIndex(current)
