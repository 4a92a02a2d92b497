"""Pictures of the window that a run was asked for on the command line."""

import logging
from contextlib import suppress
from pathlib import Path

from PySide6.QtWidgets import QWidget

log = logging.getLogger(__name__)


def save_picture(window: QWidget, file: Path) -> bool:
    """Write a picture of ``window`` as PNG and print where, or that it could not be; whether it was. Thread: GUI."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        log.warning("no folder for the picture: %s", exc.strerror)
    is_saved = window.grab().save(str(file), "PNG")
    text = f"Screenshot: {file}" if is_saved else f"The picture could not be written to {file}."
    # Whoever asked may have stopped reading; the run goes on to its end all the same.
    with suppress(BrokenPipeError):
        print(text, flush=True)  # noqa: T201 - asked for on the command line
    return is_saved
