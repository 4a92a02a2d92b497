"""Where the window is on the screen: known before anything of its content is."""

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from monitor.desktop.settings import Settings

FIRST_SIZE = (1280, 800)
TITLE_BAR_PX = 40
"""Left for the desktop's title bar on a screen lower than the first size."""


def restore_place(window: QMainWindow, settings: Settings) -> None:
    """Put ``window`` where ``settings`` say, or leave the first start's size (in device-independent pixels).

    A run without a screen has the first start's size always.
    """
    width, height = FIRST_SIZE
    if QGuiApplication.platformName() == "offscreen":
        # Its screen is a mere 800 x 800, which a saved geometry would be cut to.
        window.resize(width, height)
        return
    free = window.screen().availableSize()
    window.resize(min(width, free.width()), min(height, free.height() - TITLE_BAR_PX))
    if settings.window_geometry:
        window.restoreGeometry(QByteArray.fromBase64(settings.window_geometry.encode()))
