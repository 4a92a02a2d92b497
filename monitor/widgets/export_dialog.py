"""Asks where an export of the period in view goes; the ending of the name says what it is."""

from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QFileDialog, QWidget

FILTERS: Final = (
    ("All tables as JSON (*.json)", ".json"),
    ("Quotes as CSV (*.csv)", ".csv"),
    ("Chart as PNG (*.png)", ".png"),
)


def ask_export_file(parent: QWidget) -> Path | None:
    """The file to write, with one of the endings of ``FILTERS``; ``None``: the user changed their mind."""
    name, chosen = QFileDialog.getSaveFileName(
        parent, "Export what the charts show", "trading-monitor.json", ";;".join(text for text, _ in FILTERS)
    )
    return with_ending(Path(name), chosen) if name else None


def with_ending(path: Path, chosen: str) -> Path:
    """``path`` with the ending of the filter ``chosen``, unless it has a known one already."""
    endings = dict(FILTERS)
    if path.suffix.lower() in endings.values():
        return path
    return path.with_name(path.name + endings.get(chosen, ".json"))
