"""A panel of the window that can be moved, tabbed, floated and closed, with a title line of our own."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QToolButton, QWidget

from monitor.widgets.elided import ElidedLabel
from monitor.widgets.resources import themed_icon
from monitor.widgets.theme import Theme

OF_NOW_WHAT = "always of now; the chosen period changes nothing here."


class DockIcons(msgspec.Struct, frozen=True):
    """The icons of every title line, drawn once for all of them."""

    float_or_dock: QIcon
    close: QIcon


def dock_icons(theme: Theme) -> DockIcons:
    """Draw them in the colours of ``theme``."""
    return DockIcons(themed_icon("float", theme.text_muted), themed_icon("close", theme.text_muted))


class DockTitle(QWidget):
    """Title, and buttons to float and to close. Dragging it moves the dock: events it does not use go to Qt."""

    def __init__(self, dock: QDockWidget, extra: Sequence[QWidget] = ()) -> None:
        super().__init__(dock)
        self._dock = dock
        self._color: str | None = None
        self._label = ElidedLabel(dock.windowTitle().upper(), is_bold=True, scale=0.85)
        self._float = self._button("Float or dock this panel")
        self._float.clicked.connect(self._on_float)
        self._close = self._button("Close this panel (View brings it back)")
        self._close.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 4, 2)
        layout.setSpacing(2)
        layout.addWidget(self._label, 0 if extra else 1)
        for widget in extra:
            layout.addWidget(widget, 1)
        layout.addWidget(self._float)
        layout.addWidget(self._close)

    def _button(self, what: str) -> QToolButton:
        button = QToolButton(self)
        button.setIconSize(QSize(13, 13))
        button.setFixedSize(22, 20)
        button.setStyleSheet("padding: 0;")
        button.setToolTip(what)
        button.setAccessibleName(f"{self._dock.windowTitle()}: {what}")
        return button

    def set_now(self, is_told: bool) -> None:
        """Say that what is below is of now, while the user looks at another time."""
        title = self._dock.windowTitle().upper()
        self._label.set_text(f"{title} · NOW" if is_told else title, self._color)
        self._label.set_definition(f"{self._dock.windowTitle()}: {OF_NOW_WHAT}" if is_told else "")

    def set_theme(self, theme: Theme, icons: DockIcons) -> None:
        """Draw in the colours of ``theme``, with ``icons`` in the same."""
        self._color = theme.text_muted
        self._label.set_text(self._label.text, self._color)
        self._float.setIcon(icons.float_or_dock)
        self._close.setIcon(icons.close)

    def _on_float(self) -> None:
        self._dock.setFloating(not self._dock.isFloating())


class Dock(QDockWidget):
    """A dock with a stable name (for the saved layout), a title line and a content that follows the theme."""

    def __init__(
        self, name: str, title: str, content: QWidget, *, extra: Sequence[QWidget] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self.setAccessibleName(title)
        self.setWidget(content)
        self.title = DockTitle(self, extra)
        self.setTitleBarWidget(self.title)
