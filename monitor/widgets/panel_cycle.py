"""Going from panel to panel with one key."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def focus_next(panels: Sequence[QWidget], focused: QWidget | None) -> None:
    """Move the keyboard to the panel after ``focused``, leaving out those that cannot be seen."""
    shown = [panel for panel in panels if panel.isVisible() and not panel.visibleRegion().isEmpty()]
    current = next((place for place, panel in enumerate(shown) if panel is focused), -1)
    if shown:
        shown[(current + 1) % len(shown)].setFocus(Qt.FocusReason.ShortcutFocusReason)
