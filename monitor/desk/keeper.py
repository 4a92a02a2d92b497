"""The settings on disk: what is written there, and what was for this run only."""

from dataclasses import replace
from pathlib import Path

from monitor.desktop.settings import Settings
from monitor.desktop.settings_writer import SettingsWriter


class SettingsKeeper:
    """Writes settings to ``file``. ``run_theme`` is for this run only; ``own_theme``, the user's, is kept instead.

    Thread: any; only :meth:`close` blocks.
    """

    def __init__(self, file: Path, *, own_theme: str, run_theme: str | None) -> None:
        self._writer = SettingsWriter(file)
        self._own_theme = own_theme
        self._run_theme = run_theme

    def keep(self, settings: Settings) -> None:
        """Write ``settings`` soon."""
        if settings.theme == self._run_theme:
            settings = replace(settings, theme=self._own_theme)
        self._writer.write(settings)

    def close(self) -> None:
        """Write what is waiting; waits for it a moment."""
        self._writer.close()
