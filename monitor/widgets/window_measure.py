"""*Measure* in the main window: its one dialog, made when it is first wanted."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from monitor.widgets.commands import WindowCommands
from monitor.widgets.theme_switch import ThemeSwitch
from monitor.widgets.window_actions import WindowActions


class WindowMeasure(QObject):
    """Opens the dialog over ``window``, beside which everything goes on. Thread: GUI."""

    def __init__(
        self, window: QWidget, *, actions: WindowActions, commands: WindowCommands, themes: ThemeSwitch
    ) -> None:
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._themes = themes
        self._opened: QWidget | None = None
        actions.named["measure"].triggered.connect(self.open)

    @property
    def dialog(self) -> QWidget | None:
        """The dialog, once it was opened."""
        return self._opened

    def open(self) -> None:
        """Show the dialog with what it last found."""
        if self._opened is None:
            measuring = self._commands.measuring()
            if measuring is None:
                return
            from monitor.widgets.measure_dialog import MeasureDialog  # noqa: PLC0415 - not part of the start

            dialog = MeasureDialog(measuring, self._themes.theme, self._window)
            self._themes.changed.connect(dialog.set_theme)
            self._opened = dialog
        self._opened.show()
        self._opened.raise_()
        self._opened.activateWindow()
