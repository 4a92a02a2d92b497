"""The first thing on screen: the application and its empty window, up before anything heavy is imported.

What is imported before it, here and in the modules named here, is watched by ``tests/cli/test_start_imports.py``.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import shiboken6
from PySide6 import QtCore
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, Signal, Slot
from PySide6.QtWidgets import QApplication

from monitor import APP_ID, APP_NAME, __version__
from monitor.desktop.settings import Settings
from monitor.qtmodels.gui_garbage import GuiGarbage
from monitor.widgets.main_window import MainWindow
from monitor.widgets.theme import apply_theme, palette_of
from monitor.widgets.theme_switch import theme_for

log = logging.getLogger(__name__)

Made = TypeVar("Made")

PAINT_TIMEOUT_S = 2.0
"""A window that starts minimised or on another desktop is never painted; the start goes on all the same."""

_MOST_QUESTIONS = 10
"""A dialog over a dialog over the window; more than that is one that comes back."""


def make_application() -> QApplication:
    """The one application object, with the names that desktops know the program by. Thread: the main one.

    Task bars find a window's entry, icon and neighbours by ``APP_ID``: X11 by the first word of WM_CLASS, which is the
    program's name as Qt was given it (``StartupWMClass`` of the desktop entry), Wayland by the desktop file's name,
    Windows by the process's model id.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only there

        ctypes.windll.shell32.SetCurrentProcessExplicitAppUserModelID(APP_ID)
    # Asking for the style later would make Python's faces of all that styles know, 4 ms.
    app = QApplication.instance() or QApplication([APP_ID, "-style", "fusion"])
    assert isinstance(app, QApplication)  # noqa: S101 - nobody else makes one
    app.setApplicationName(APP_NAME)
    app.setApplicationVersion(__version__)
    app.setDesktopFileName(APP_ID)
    return app


def destroy_window(window: QObject) -> None:
    """Destroy ``window`` at once, in Qt's order from the outside in. Thread: GUI.

    Left to Python's collector its pieces would go in any order, a child after the parent that it still tells.
    """
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, int(QEvent.Type.DeferredDelete))


class StartFrame(QObject):
    """Application and window in the colours of ``settings``, empty as yet.

    ``theme`` (``None``: the settings') and ``size`` (in device-independent pixels) are for this run only.

    Signals:
        show_again(str): bring the window to the front; with the desktop's permission to do so, or "". Any thread may
        emit it.

    Thread: GUI.
    """

    show_again = Signal(str)
    _worked = Signal()

    def __init__(self, settings: Settings, *, theme: str | None = None, size: tuple[int, int] | None = None) -> None:
        self.app = make_application()
        super().__init__()
        if theme is not None:
            settings = replace(settings, theme=theme)
        self.theme = theme_for(settings.theme, settings.price_colors, self.app)
        self.app.setPalette(palette_of(self.theme))
        self.window = MainWindow(app=self.app, theme=self.theme, settings=settings)
        if size is not None:
            self.window.resize(*size)
        # No child of ours: whoever runs the window keeps it, and may let go of this frame.
        self.garbage = GuiGarbage()
        self.is_closed = False
        self._is_painted = False
        self._is_dressed = False
        self._loop: QEventLoop | None = None
        self.window.first_painted.connect(self._on_painted)
        self.window.close_wanted.connect(self._on_closed)
        # Both come from other threads, so Qt queues them.
        self.show_again.connect(self._on_show_again)
        self._worked.connect(self._leave)

    def show(self) -> None:
        """Show the window and return when its first frame is painted, at the latest after ``PAINT_TIMEOUT_S``.

        From now on threads work beside the window: garbage is the GUI thread's, until whoever runs the window stops
        that. It is left alone until then.
        """
        self.garbage.hold()
        self.window.show()
        give_up_s = time.perf_counter() + PAINT_TIMEOUT_S
        while not self._is_painted and time.perf_counter() < give_up_s:
            self.app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 50)

    def dress(self) -> None:
        """Give the window its icon and everything of its theme but the colours, which it has; together as long as the
        first frame took, which is why it is not a part of that. Call it before the window is filled.
        """
        if self._is_dressed:
            return
        from monitor.widgets.resources import app_icon  # noqa: PLC0415 - QtSvg; see above

        self._is_dressed = True
        apply_theme(self.app, self.theme)
        self.app.setWindowIcon(app_icon())

    def leave(self) -> None:
        """Close the window for good, and before it whatever question stands in front of it; nothing once it is gone."""
        if not shiboken6.isValid(self.window):
            return
        for _ in range(_MOST_QUESTIONS):
            question = self.app.activeModalWidget()
            if question is None or not question.close():
                break
        self.window.leave()

    def work_while_shown(self, work: Callable[[], Made]) -> Made | None:
        """Run ``work`` in a thread of its own while the window answers; return its result.

        ``None``: the user closed the window (``is_closed``), and ``work`` was left to itself. Raises what it raised.
        """
        made: list[Made] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                made.append(work())
            except BaseException as exc:  # noqa: BLE001 - raised again in the thread that asked
                failures.append(exc)
            self._worked.emit()

        self._loop = QEventLoop()
        threading.Thread(target=run, name="load", daemon=True).start()
        self._loop.exec()
        self._loop = None
        if failures:
            raise failures[0]
        return made[0] if made and not self.is_closed else None

    @Slot(str)
    def _on_show_again(self, token: str) -> None:
        if token:
            # Qt's Wayland plugin hands it to the compositor, which lets nobody take the focus without it.
            os.environ["XDG_ACTIVATION_TOKEN"] = token
        window = self.window
        states = QtCore.Qt.WindowState
        window.setWindowState(window.windowState() & ~states.WindowMinimized | states.WindowActive)
        window.show()
        window.raise_()
        window.activateWindow()

    def _on_painted(self) -> None:
        self._is_painted = True

    def _on_closed(self) -> None:
        self.is_closed = True
        self._leave()

    @Slot()
    def _leave(self) -> None:
        if self._loop is not None:
            self._loop.quit()
