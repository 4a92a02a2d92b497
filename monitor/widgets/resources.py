"""Files of ``resources/``: where they are, and icons drawn from them in the theme's colours."""

from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
"""Beside the package, in a source checkout and in a bundle alike."""

_PIXEL_SIZES = (16, 20, 24, 32, 48, 64)


@cache
def load_text(name: str) -> str:
    """Read ``resources/<name>`` as text. Blocks on the disk once; raises ``FileNotFoundError`` when it is missing."""
    return (RESOURCES / name).read_text(encoding="utf-8")


def load_template(name: str) -> Template:
    """Read ``resources/<name>`` as a ``$placeholder`` template."""
    return Template(load_text(name))


def svg_pixmap(text: str, width_px: int, height_px: int) -> QPixmap:
    """Draw SVG ``text`` into a transparent pixmap of device pixels."""
    pixmap = QPixmap(width_px, height_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(text.encode())).render(painter, QRectF(0, 0, width_px, height_px))
    painter.end()
    return pixmap


def themed_icon(name: str, color: str, disabled_color: str | None = None) -> QIcon:
    """Draw ``resources/icons/<name>.svg`` with ``currentColor`` replaced, in the sizes a toolbar may ask for."""
    text = load_text(f"icons/{name}.svg")
    icon = QIcon()
    modes = [(QIcon.Mode.Normal, color)]
    if disabled_color is not None:
        modes.append((QIcon.Mode.Disabled, disabled_color))
    for mode, mode_color in modes:
        colored = text.replace("currentColor", mode_color)
        for size in _PIXEL_SIZES:
            icon.addPixmap(svg_pixmap(colored, size, size), mode)
    return icon


def app_icon() -> QIcon:
    """Draw the application's icon in the sizes desktops ask for."""
    text = load_text("icons/app.svg")
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(svg_pixmap(text, size, size))
    return icon
