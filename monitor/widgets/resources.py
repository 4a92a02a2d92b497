"""Files of ``resources/``: where they are, and icons drawn from them in the theme's colours."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from monitor.desktop.paths import resource_path

_SIZES_PX = (16, 20, 24, 32)
"""Device-independent sizes that toolbars, menus and tabs ask for."""
_MOST_PX = 96


@cache
def load_text(name: str) -> str:
    """Read ``resources/<name>`` as text. Blocks on the disk once; raises ``FileNotFoundError`` when it is missing."""
    return resource_path(name).read_text(encoding="utf-8")


def svg_pixmap(text: str, width_px: int, height_px: int) -> QPixmap:
    """Draw SVG ``text`` into a transparent pixmap of device pixels."""
    return _draw(QSvgRenderer(QByteArray(text.encode())), width_px, height_px)


def _draw(renderer: QSvgRenderer, width_px: int, height_px: int) -> QPixmap:
    pixmap = QPixmap(width_px, height_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, width_px, height_px))
    painter.end()
    return pixmap


def _pixmaps(text: str) -> list[QPixmap]:
    """SVG ``text`` in every size that may be asked for on the screens there are; drawing is a tenth of a start."""
    scales = {1.0, *(screen.devicePixelRatio() for screen in QGuiApplication.screens())}
    sizes_px = sorted({min(round(size * scale), _MOST_PX) for size in _SIZES_PX for scale in scales})
    renderer = QSvgRenderer(QByteArray(text.encode()))
    return [_draw(renderer, size, size) for size in sizes_px]


def themed_icon(name: str, color: str, disabled_color: str | None = None) -> QIcon:
    """Draw ``resources/icons/<name>.svg`` with ``currentColor`` replaced, in the sizes a toolbar may ask for."""
    text = load_text(f"icons/{name}.svg")
    icon = QIcon()
    modes = [(QIcon.Mode.Normal, color)]
    if disabled_color is not None:
        modes.append((QIcon.Mode.Disabled, disabled_color))
    for mode, mode_color in modes:
        for pixmap in _pixmaps(text.replace("currentColor", mode_color)):
            icon.addPixmap(pixmap, mode)
    return icon


def dot_icon(color: str, off_color: str) -> QIcon:
    """A filled dot for a switch that is on, a ring for one that is off."""
    icon = QIcon()
    for state, text in (
        (QIcon.State.On, f'<circle cx="12" cy="12" r="7" fill="{color}"/>'),
        (QIcon.State.Off, f'<circle cx="12" cy="12" r="6" fill="none" stroke="{off_color}" stroke-width="2.5"/>'),
    ):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">{text}</svg>'
        for pixmap in _pixmaps(svg):
            icon.addPixmap(pixmap, QIcon.Mode.Normal, state)
    return icon


def app_icon() -> QIcon:
    """Draw the application's icon in the sizes desktops ask for."""
    text = load_text("icons/app.svg")
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(svg_pixmap(text, size, size))
    return icon
