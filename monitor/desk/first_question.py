"""The question of the first start, asked over the window that is on screen already."""

import logging
from dataclasses import replace
from pathlib import Path

from monitor.desk.frame import StartFrame
from monitor.desktop.settings import Settings, SettingsError, save_settings
from monitor.widgets.first_run import FirstRunDialog

log = logging.getLogger(__name__)


def ask_what_to_watch(frame: StartFrame, settings: Settings, file: Path) -> Settings:
    """``settings`` with what the user wants to watch, kept in ``file``.

    Who waves the question away sees live prices. Blocks until it is answered, or until the window was closed
    (``frame.is_closed``). Thread: GUI.
    """
    dialog = FirstRunDialog(frame.theme, frame.window)
    log.info("asking what to watch")
    dialog.exec()
    if dialog.choice is None:
        return replace(settings, start_with="live")
    chosen = replace(settings, start_with=dialog.choice.value)
    frame.work_while_shown(lambda: _save(file, chosen))
    return chosen


def _save(file: Path, settings: Settings) -> None:
    try:
        save_settings(file, settings)
    except (OSError, SettingsError) as exc:
        # It holds for this run; the window says what is wrong when it saves anything itself.
        log.warning("what to watch could not be saved: %s", exc)
