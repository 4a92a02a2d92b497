"""Shapes and colours of verdicts: a state is always told by shape and word as well as by colour."""

from monitor.state.verdict import Verdict
from monitor.widgets.theme import Theme

_GLYPHS: dict[Verdict, str] = {
    Verdict.LIVE: "●",
    Verdict.QUIET: "◐",
    Verdict.LATE: "▲",
    Verdict.FROZEN: "■",
    Verdict.UNKNOWN: "○",
}

VERDICT_DEFINITIONS: dict[Verdict, str] = {
    Verdict.LIVE: "Replies arrive on time and prices move.",
    Verdict.QUIET: "Replies arrive on time; this price stands still while others of the same reply move.",
    Verdict.LATE: "Several replies in a row are missing. What is shown is old.",
    Verdict.FROZEN: "Replies arrive, but nothing in them changes any more. What is shown is old.",
    Verdict.UNKNOWN: "Nothing has been received yet.",
}


def verdict_glyph(verdict: Verdict) -> str:
    """One character, a different one for each verdict."""
    return _GLYPHS[verdict]


def verdict_color(verdict: Verdict, theme: Theme) -> str:
    """Green for live only; quiet is calm, late warns, frozen alarms."""
    if verdict is Verdict.LIVE:
        return theme.ok
    if verdict is Verdict.LATE:
        return theme.warn
    return theme.error if verdict is Verdict.FROZEN else theme.text_muted
