"""Draw the application's icon in every size and format from its one SVG source. Needs PySide6."""

import os
import struct
from collections.abc import Mapping
from pathlib import Path

ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_KINDS = {16: b"icp4", 32: b"icp5", 64: b"icp6", 128: b"ic07", 256: b"ic08", 512: b"ic09"}
"""macOS' names for PNG pictures of these sizes."""


def draw_icons(source: Path, folder: Path, sizes: tuple[int, ...]) -> None:
    """Write ``app-<size>.png`` for each size, ``app.ico`` and ``app.icns`` into ``folder``.

    Raises:
        SystemExit: the source is missing or is no SVG.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Only a build needs Qt's libraries for this module.
    from PySide6.QtCore import QBuffer, QIODevice, Qt  # noqa: PLC0415 - as said above
    from PySide6.QtGui import QImage, QPainter  # noqa: PLC0415 - as said above
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415 - as said above

    renderer = QSvgRenderer(str(source))
    if not renderer.isValid():
        raise SystemExit(f"{source} cannot be drawn.")
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[int, bytes] = {}
    for size in sizes:
        image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        renderer.render(painter)
        painter.end()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]  # PySide's stubs want bytes, Qt itself a str
        pictures[size] = bytes(buffer.data().data())
        (folder / f"app-{size}.png").write_bytes(pictures[size])
    (folder / "app.ico").write_bytes(ico_file(pictures))
    (folder / "app.icns").write_bytes(icns_file(pictures))


def ico_file(pictures: Mapping[int, bytes]) -> bytes:
    """Windows' icon file of PNG pictures by size in pixels (Vista and later read PNG in every size)."""
    chosen = [(size, pictures[size]) for size in ICO_SIZES]
    offset = 6 + 16 * len(chosen)
    head = struct.pack("<HHH", 0, 1, len(chosen))
    body = b""
    for size, png in chosen:
        # A side of 256 is written as 0.
        head += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(png), offset + len(body))
        body += png
    return head + body


def icns_file(pictures: Mapping[int, bytes]) -> bytes:
    """macOS' icon file of PNG pictures by size in pixels."""
    body = b"".join(
        kind + struct.pack(">I", 8 + len(pictures[size])) + pictures[size] for size, kind in ICNS_KINDS.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


if __name__ == "__main__":
    import bundle_facts as facts

    draw_icons(facts.ICON_SOURCE, facts.ICONS, facts.ICON_SIZES)
