"""Settings for whoever measures but does not look at the figures per day: their four days are simulated in a moment."""

from pathlib import Path
from types import MappingProxyType

from monitor.desktop.settings import Settings, save_settings

SLOW_CADENCES_S = MappingProxyType(
    dict.fromkeys(("bitunix.tickers", "bitunix.depth", "hyperliquid.allMids", "hyperliquid.l2Book"), 60.0)
)
"""What is polled most often, once a minute."""

WIDE = Settings(cap_fraction=0.8)
"""Most of a venue's limit: at Bitunix the usual share is three requests a second."""


def wide_settings(folder: Path) -> str:
    """The option of the command line that gives most of a venue's limit."""
    return _option(folder / "wide.json", WIDE)


def slow_settings(folder: Path) -> str:
    """The same, with the plan of ``SLOW_CADENCES_S``."""
    return _option(folder / "slow.json", Settings(cap_fraction=WIDE.cap_fraction, cadences_s=SLOW_CADENCES_S))


def _option(file: Path, settings: Settings) -> str:
    save_settings(file, settings)
    return f"--settings={file}"
