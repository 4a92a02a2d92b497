"""Which theme is in force: what the user chose, or what the system says."""

from PySide6 import QtCore
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from monitor.widgets.theme import DARK, LIGHT, PriceColors, Theme, apply_theme


def theme_for(name: str, price_colors: str, app: QApplication) -> Theme:
    """The theme of a setting; ``system`` is that of ``app``, and dark where the system does not tell."""
    is_light = name == "light" or (name == "system" and app.styleHints().colorScheme() is QtCore.Qt.ColorScheme.Light)
    return (LIGHT if is_light else DARK).with_price_colors(PriceColors(price_colors))


class ThemeSwitch(QObject):
    """Gives the application its theme and follows the system where that was asked for.

    Signals:
        changed(object): the ``Theme`` that is in force now.
    """

    changed = Signal(object)

    def __init__(self, app: QApplication, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._theme = theme
        self._chosen = ("dark", "green_up")
        self._app.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    def choose(self, name: str, price_colors: str) -> None:
        """Take ``dark``, ``light`` or ``system`` and the way rising and falling are coloured."""
        self._chosen = (name, price_colors)
        self._apply()

    def _on_system_changed(self) -> None:
        if self._chosen[0] == "system":
            self._apply()

    def _apply(self) -> None:
        theme = theme_for(*self._chosen, self._app)
        if theme != self._theme:
            self._theme = theme
            apply_theme(self._app, theme)
            self.changed.emit(theme)
