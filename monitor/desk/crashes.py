"""Crash reports on their way to the user: a notice, and a dialog that nobody has to answer."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from monitor import APP_NAME
from monitor.crash import CrashReport, crash_details
from monitor.desk.frame import make_application
from monitor.desktop.single_instance import OtherInstanceError
from monitor.widgets.crash_dialog import CrashDialog
from monitor.widgets.resources import app_icon


class DeskCrashes:
    """Shows crash reports over ``window``: one dialog for all; none in a run that nobody watches. Thread: GUI."""

    def __init__(self, window: QWidget, *, open_logs: Callable[[], object], is_scripted: bool) -> None:
        self._window = window
        self._open_logs = open_logs
        self._is_scripted = is_scripted
        self.dialog: CrashDialog | None = None

    def show(self, report: CrashReport) -> None:
        """Show one more."""
        if self._is_scripted:
            return
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.add(report.text, report.details)
            return
        if self.dialog is not None:
            self.dialog.deleteLater()
        self.dialog = CrashDialog(report.text, report.details, open_logs=self._open_logs, parent=self._window)
        # Not modal: monitoring goes on behind it.
        self.dialog.show()


def show_failed_start(error: Exception, log_dir: Path) -> None:
    """Tell that the program cannot start, and wait until the user has read it. Thread: the main one."""
    app = make_application()
    if isinstance(error, OtherInstanceError):
        QMessageBox.warning(None, APP_NAME, str(error))
        return
    text = f"{APP_NAME} could not start ({type(error).__name__}). The details are in the log."
    dialog = CrashDialog(text, crash_details(error, thread="start"), open_logs=lambda: open_folder(log_dir))
    dialog.setWindowIcon(app_icon())
    app.setQuitOnLastWindowClosed(False)
    dialog.exec()


def open_folder(folder: Path) -> bool:
    """Show ``folder`` in the desktop's file manager; whether the desktop took it over. Thread: GUI."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
