"""What a run of the window was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskOptions:
    """What the command line asked for. ``is_scripted``: nobody is there to answer a dialog."""

    is_demo: bool = False
    rtt_ms: float = 60.0
    seed: int | None = None
    faults: Path | None = None
    base_urls: Mapping[str, str]
    ca_file: Path | None = None
    settings_file: Path
    theme: str | None = None
    size: tuple[int, int] | None = None
    duration_s: float | None = None
    screenshot: Path | None = None
    is_scripted: bool = False
