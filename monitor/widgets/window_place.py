"""Where the window is on the screen: known before anything of its content is."""

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from monitor.desktop.settings import Settings

FIRST_SIZE = (1280, 800)


def restore_place(window: QMainWindow, settings: Settings) -> None:
    """Put ``window`` where ``settings`` say, or leave the first start's size (in device-independent pixels)."""
    window.resize(*FIRST_SIZE)
    if settings.window_geometry:
        window.restoreGeometry(QByteArray.fromBase64(settings.window_geometry.encode()))
