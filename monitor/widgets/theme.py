"""Colours of the window, dark and light, and how they reach Qt.

Every colour that carries text keeps a contrast of at least 4.5:1 against ``background``, ``panel``, ``raised`` and
``selection`` (WCAG 2.1, "contrast minimum"); ``tests/qt/test_theme.py`` computes it. Colours are ``#rrggbb``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from monitor.widgets.stylesheet import stylesheet


class PriceColors(StrEnum):
    """What rising and falling look like. A sign or an arrow always stands beside the colour."""

    GREEN_UP = "green_up"
    RED_UP = "red_up"
    COLOR_SAFE = "color_safe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One set of colours.

    ``cold``, ``warm`` and ``failed`` are the marks of requests; ``band`` fills the p50/p95 band behind them, so it is
    close to ``panel``. ``phases`` colours the parts of a waterfall bar by phase name.
    """

    name: str
    is_dark: bool
    background: str
    panel: str
    raised: str
    border: str
    text: str
    text_muted: str
    accent: str
    on_accent: str
    up: str
    down: str
    warn: str
    error: str
    ok: str
    grid: str
    cold: str
    warm: str
    failed: str
    band: str
    selection: str
    phases: Mapping[str, str]
    venue_cycle: tuple[str, ...]
    safe_up: str
    safe_down: str
    venue_colors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def for_venues(self, venues: Sequence[str]) -> "Theme":
        """Return the same theme with a colour of ``venue_cycle`` given to each venue, in order."""
        cycle = self.venue_cycle
        colors = {venue: cycle[i % len(cycle)] for i, venue in enumerate(venues)}
        return replace(self, venue_colors=MappingProxyType(colors))

    def tokens(self) -> dict[str, str]:
        """The name and every plain colour by field name, for the stylesheet."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def venue_color(self, venue: str) -> str:
        """Colour of ``venue``: the one given by :meth:`for_venues`, else one picked by its name, always the same."""
        known = self.venue_colors.get(venue)
        if known is not None:
            return known
        return self.venue_cycle[sum(venue.encode()) % len(self.venue_cycle)]

    def with_price_colors(self, scheme: PriceColors) -> "Theme":
        """Return the same theme with rising and falling drawn as ``scheme`` says."""
        if scheme is PriceColors.RED_UP:
            return replace(self, up=self.down, down=self.up)
        if scheme is PriceColors.COLOR_SAFE:
            return replace(self, up=self.safe_up, down=self.safe_down)
        return self

    def change_color(self, change: float | None) -> str:
        """Colour of a signed change; muted when it is unknown, plain when it is zero."""
        if change is None:
            return self.text_muted
        if change == 0:
            return self.text
        return self.up if change > 0 else self.down


DARK = Theme(
    name="dark",
    is_dark=True,
    background="#0d1117",
    panel="#141a22",
    raised="#1c2430",
    border="#2b3644",
    text="#e6ebf2",
    text_muted="#9aa7b6",
    accent="#62b0ff",
    on_accent="#07131f",
    up="#3ccf91",
    down="#ff7d7d",
    warn="#f2b94b",
    error="#ff7d7d",
    ok="#3ccf91",
    grid="#222c38",
    cold="#f2b94b",
    warm="#62b0ff",
    failed="#ff7d7d",
    band="#1b3147",
    selection="#21364d",
    phases=MappingProxyType(
        {
            "queue": "#5d6b7c",
            "lease": "#b07be8",
            "dns": "#3fb6c6",
            "tcp": "#f2b94b",
            "tls": "#f08a4b",
            "send": "#a5b84c",
            "wait": "#4f9cf0",
            "read": "#3ccf91",
            "unaccounted": "#8d5a6b",
        }
    ),
    venue_cycle=("#62b0ff", "#cf9bff", "#f5a56b", "#52d0c8", "#f48fc0"),
    safe_up="#62b0ff",
    safe_down="#f5a33c",
)

LIGHT = Theme(
    name="light",
    is_dark=False,
    background="#eef1f5",
    panel="#ffffff",
    raised="#f4f6f9",
    border="#cfd7e1",
    text="#151d28",
    text_muted="#515e6e",
    accent="#0b5cc0",
    on_accent="#ffffff",
    up="#08693f",
    down="#b3202b",
    warn="#7d4e00",
    error="#b3202b",
    ok="#08693f",
    grid="#e3e8ee",
    cold="#9a5b00",
    warm="#1768d0",
    failed="#c2262f",
    band="#dcebfb",
    selection="#d6e6fa",
    phases=MappingProxyType(
        {
            "queue": "#9aa5b1",
            "lease": "#8b4fd0",
            "dns": "#13899a",
            "tcp": "#d99100",
            "tls": "#d2601a",
            "send": "#76862a",
            "wait": "#2f7fe0",
            "read": "#159a5f",
            "unaccounted": "#b98799",
        }
    ),
    venue_cycle=("#0b5cc0", "#7d33bd", "#9c4a06", "#08666a", "#a8266e"),
    safe_up="#0b5cc0",
    safe_down="#9c4a06",
)

THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in (DARK, LIGHT)})


def palette_of(theme: Theme) -> QPalette:
    """Build the palette for what the stylesheet does not reach: delegates, dialogs of the system, disabled text."""
    roles = QPalette.ColorRole
    palette = QPalette()
    for role, color in (
        (roles.Window, theme.background),
        (roles.WindowText, theme.text),
        (roles.Base, theme.panel),
        (roles.AlternateBase, theme.raised),
        (roles.Text, theme.text),
        (roles.PlaceholderText, theme.text_muted),
        (roles.Button, theme.raised),
        (roles.ButtonText, theme.text),
        (roles.BrightText, theme.error),
        (roles.ToolTipBase, theme.raised),
        (roles.ToolTipText, theme.text),
        (roles.Highlight, theme.selection),
        (roles.HighlightedText, theme.text),
        (roles.Link, theme.accent),
        (roles.LinkVisited, theme.accent),
        (roles.Accent, theme.accent),
        (roles.Light, theme.raised),
        (roles.Midlight, theme.raised),
        (roles.Mid, theme.border),
        (roles.Dark, theme.border),
        (roles.Shadow, theme.background),
    ):
        palette.setColor(role, QColor(color))
    for role in (roles.WindowText, roles.Text, roles.ButtonText, roles.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.text_muted))
    return palette


def with_fixed_digits(font: QFont) -> QFont:
    """Return ``font`` with digits of one width ("tnum"), so that a changing figure does not shake its neighbours."""
    fixed = QFont(font)
    fixed.setFeature(QFont.Tag("tnum"), 1)
    return fixed


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Give ``app`` the colours, the fixed-width digits and the stylesheet of ``theme``.

    Fusion is the one style that draws the same on all three systems and honours the whole palette.
    """
    if app.style().name() != "fusion":
        app.setStyle("fusion")
    app.setFont(with_fixed_digits(app.font()))
    app.setPalette(palette_of(theme))
    app.setStyleSheet(stylesheet(theme.tokens()))
