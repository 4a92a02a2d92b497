"""The dialogs the window opens, each imported when it is first wanted: none is part of the start."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QWidget

from monitor.desktop.settings import Settings
from monitor.state.board import Board
from monitor.widgets.account_window import WindowAccounts
from monitor.widgets.alert_window import WindowAlerts
from monitor.widgets.commands import WindowCommands
from monitor.widgets.theme_switch import ThemeSwitch
from monitor.widgets.toasts import ToastStack
from monitor.widgets.window_actions import WindowActions, key_table
from monitor.widgets.window_measure import WindowMeasure
from monitor.widgets.window_panels import WindowPanels


class WindowDialogs(QObject):
    """Opens help, about and settings over ``window``.

    Signals:
        settings_accepted(object): the ``Settings`` the user accepted.
    """

    settings_accepted = Signal(object)

    def __init__(
        self,
        window: QWidget,
        *,
        actions: WindowActions,
        board: Board,
        commands: WindowCommands,
        settings: Callable[[], Settings],
        venue_title: Callable[[str], str],
        panels: WindowPanels,
        themes: ThemeSwitch,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._board = board
        self._commands = commands
        self._settings = settings
        self._venue_title = venue_title
        self.accounts = WindowAccounts(
            window,
            panels=panels.accounts,
            charts=panels.charts,
            actions=actions,
            board=board,
            commands=commands,
            settings=settings,
            accept=self.settings_accepted.emit,
        )
        self.alerts = WindowAlerts(
            window,
            panel=panels.alerts,
            actions=actions,
            board=board,
            commands=commands,
            settings=settings,
            accept=self.settings_accepted.emit,
            venue_title=venue_title,
        )
        self.measure = WindowMeasure(window, actions=actions, commands=commands, themes=themes)
        actions.named["help"].triggered.connect(self.open_help)
        actions.named["about"].triggered.connect(self.open_about)
        actions.named["settings"].triggered.connect(self.open_settings)
        actions.named["open_incident"].triggered.connect(self.open_incident)
        actions.named["logs"].triggered.connect(self.open_log_folder)
        actions.named["export"].triggered.connect(self.open_export)
        actions.named["incident"].triggered.connect(self.save_incident)

    def show_settings(self, settings: Settings) -> None:
        """Show what of the settings concerns accounts and alerts."""
        self.accounts.show_settings(settings)
        self.alerts.show_settings(settings)

    def open_help(self) -> None:
        """Show the keys and the definitions."""
        from monitor.widgets.help_dialog import HelpDialog  # noqa: PLC0415 - not part of the start

        dialog = HelpDialog(key_table({action.text(): action for action in self._actions.all()}), self._window)
        dialog.exec()
        dialog.deleteLater()

    def open_about(self) -> None:
        """Show versions and licences."""
        from monitor.widgets.about_dialog import AboutDialog  # noqa: PLC0415 - not part of the start

        dialog = AboutDialog(self._commands.licence_notices(), self._window)
        dialog.exec()
        dialog.deleteLater()

    def open_settings(self) -> None:
        """Let the user change the settings."""
        from monitor.widgets.settings_dialog import SettingsDialog  # noqa: PLC0415 - not part of the start

        budgets = {
            name: budget for name in self._board.venue_names if (budget := self._board.venue(name).budget) is not None
        }
        dialog = SettingsDialog(
            self._settings(),
            jobs=self._commands.plan_jobs(),
            budgets=budgets,
            venue_title=self._venue_title,
            parent=self._window,
        )
        if dialog.exec():
            self.settings_accepted.emit(dialog.settings())
        dialog.deleteLater()

    def open_export(self) -> None:
        """Ask for a file and write the period in view to it."""
        from monitor.widgets.export_dialog import ask_export_file  # noqa: PLC0415 - not part of the start

        path = ask_export_file(self._window)
        if path is None:
            return
        if path.suffix.lower() != ".png":
            self._commands.export_history(path, float(self._settings().time_range_s))
            return
        charts = self._window.centralWidget() if isinstance(self._window, QMainWindow) else None
        if charts is None or not charts.grab().save(str(path), "PNG"):
            QMessageBox.warning(self._window, "Export", f"{path.name} could not be written. Choose another folder.")
            return
        for toasts in self._window.findChildren(ToastStack):
            toasts.notify("export", "info", f"The chart is kept as {path.name} in {path.parent}.")

    def save_incident(self) -> None:
        """Keep the last minutes as one file."""
        self._commands.save_incident()

    def open_incident(self) -> None:
        """Ask for a saved incident and show it in a window of its own."""
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            "Open incident",
            str(self._commands.incident_folder()),
            "Incidents and exports (*.zip *.json)",
        )
        if name:
            self._commands.open_incident(Path(name))

    def open_log_folder(self) -> None:
        """Show the folder of the log file."""
        self._commands.open_log_folder()
