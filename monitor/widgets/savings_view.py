"""The savings ledger: what reuse and what caching have saved, in two columns that are never added up."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from monitor.exchanges.caching import CacheStats
from monitor.qtmodels.figures import DASH, count_text, duration_text, safe_text, signed
from monitor.state.ledger import CachingSaving, PoolingSaving
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme

POOLING_DEFINITION = (
    "Saved by pooling: warm requests × the median set-up (DNS + TCP + TLS) of connections to the same host that were "
    "opened within the last hour, for a request or ahead; of a chosen period within the hour before its end, while the "
    "overview counts those opened in the period itself. Minus the time of attempts that died with a kept connection. "
    "The range is that of the quartiles of the set-ups. Unknown without a set-up in that hour. Negative: keeping "
    "connections cost more than it saved."
)
CACHING_DEFINITION = (
    "Saved by caching: the calls a plain plan would have made minus the calls made, × the median of recent warm "
    "requests, of a chosen period that of its own. A plain plan polls the same as often, but candles once a minute "
    "whatever their interval. Negative: more calls were made than a plain plan would have."
)
CACHE_DEFINITION = (
    "How reads were answered in the time named above. Hits: from memory, without a request. Partly: only the missing "
    "candles were asked for. Shared: by a request that was under way for somebody else. Stale: from memory beyond its "
    "time, because the venue failed. Misses: by a request."
)
_LINES = 3
"""Below a saving: what it was reckoned from."""
NOTE = "Two ledgers that never share a column: what one saves the other cannot."


def saved_text(seconds: float | None) -> str:
    """``+12.3 s``, ``−0.4 s``, ``+3.2 min``, ``+1.4 h``; ``unknown`` where it is."""
    if seconds is None:
        return "unknown"
    size = abs(seconds)
    if size < 99.95:
        return signed(seconds, 1, " s")
    return signed(seconds / 60, 1, " min") if size < 5_997 else signed(seconds / 3_600, 1, " h")


class SavingsRow(msgspec.Struct, frozen=True):
    """One venue's two ledgers; ``None`` before there was anything to count."""

    venue: str
    pooling: tuple[PoolingSaving, ...]
    caching: CachingSaving | None
    cache: CacheStats | None = None
    """How reads were answered; ``None`` where nobody told."""


def cache_texts(stats: CacheStats | None) -> tuple[str, str]:
    """Hits and misses, and what lies between, as two lines; a dash while unknown."""
    if stats is None:
        return f"cache {DASH}", ""
    between = ((stats.partial, "partly"), (stats.shared, "shared"), (stats.stale, "stale"))
    return (
        f"cache {count_text(stats.cached)} hits · {count_text(stats.network)} misses",
        " · ".join(f"{count_text(count)} {name}" for count, name in between),
    )


def pooled_total(rows: Sequence[PoolingSaving]) -> tuple[float | None, float | None, float | None]:
    """Sum of the hosts' savings with the range; unknown as soon as one host's is."""

    def total(values: Sequence[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) if known and len(known) == len(values) else None

    return (
        total([row.saved_s for row in rows]),
        total([row.saved_low_s for row in rows]),
        total([row.saved_high_s for row in rows]),
    )


class _Cell(QWidget):
    """A saving in large, its range and what it was reckoned from."""

    def __init__(self, definition: str) -> None:
        super().__init__()
        self._definition = definition
        self.value = ElidedLabel(DASH, is_bold=True, scale=1.15, least="unknown")
        self.lines = tuple(ElidedLabel("", scale=0.88) for _ in range(_LINES))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(0)
        for label in (self.value, *self.lines):
            label.set_definition(definition)
            layout.addWidget(label)

    def show_saving(self, saved_s: float | None, texts: tuple[str, ...], theme: Theme, *, is_known: bool) -> None:
        """Show ``saved_s`` and up to ``_LINES`` of ``texts``; a dash where nothing was counted (``is_known`` False)."""
        color = theme.text_muted if saved_s is None else theme.error if saved_s < 0 else None
        text = saved_text(saved_s) if is_known else DASH
        self.value.set_text(text, color)
        for label, line in zip(self.lines, (*texts, *[""] * _LINES), strict=False):
            label.set_text(line, theme.text_muted)
            label.set_definition(f"{line}\n{self._definition}" if line else self._definition)
        self.value.set_definition(f"{text}\n{self._definition}")


class SavingsView(QWidget):
    """A row per venue, a column per ledger."""

    def __init__(self, venues: Sequence[str], *, venue_title: Callable[[str], str], theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Savings ledger")
        self._span = ElidedLabel("since start", scale=0.92)
        self._heads = (
            ElidedLabel("by pooling", scale=0.92),
            ElidedLabel("by caching", scale=0.92),
        )
        self._heads[0].set_definition(POOLING_DEFINITION)
        self._heads[1].set_definition(CACHING_DEFINITION)
        grid = QGridLayout()
        grid.setContentsMargins(10, 8, 10, 6)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.addWidget(self._span, 0, 0, 1, 2)
        grid.addWidget(self._heads[0], 1, 0)
        grid.addWidget(self._heads[1], 1, 1)
        self._names: dict[str, ElidedLabel] = {}
        self.cache: dict[str, tuple[ElidedLabel, ElidedLabel]] = {}
        self.pooling: dict[str, _Cell] = {}
        self.caching: dict[str, _Cell] = {}
        for place, venue in enumerate(venues):
            row = 2 + 4 * place
            name = self._names[venue] = ElidedLabel(safe_text(venue_title(venue), 30), is_bold=True)
            self.pooling[venue], self.caching[venue] = _Cell(POOLING_DEFINITION), _Cell(CACHING_DEFINITION)
            grid.addWidget(name, row, 0, 1, 2)
            grid.addWidget(self.pooling[venue], row + 1, 0)
            grid.addWidget(self.caching[venue], row + 1, 1)
            self.cache[venue] = (ElidedLabel("", scale=0.88), ElidedLabel("", scale=0.88))
            self.cache[venue][1].setContentsMargins(0, 0, 0, 8)
            for line, label in enumerate(self.cache[venue]):
                grid.addWidget(label, row + 2 + line, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        note = QLabel(NOTE)
        note.setWordWrap(True)
        note.setProperty("muted", True)
        note.setMargin(10)
        note.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(grid)
        layout.addWidget(note)
        layout.addStretch(1)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        for label in (self._span, *self._heads):
            label.set_text(label.text, theme.text_muted)
        for venue, name in self._names.items():
            name.set_text(name.text, theme.venue_color(venue))

    def show_rows(self, rows: Mapping[str, SavingsRow], span: str) -> None:
        """Show ``rows`` by venue; ``span`` says of which time they are."""
        theme = self._theme
        self._span.set_text(span, theme.text_muted)
        for venue in self._names:
            row = rows.get(venue)
            texts = cache_texts(None if row is None else row.cache)
            for label, text in zip(self.cache[venue], texts, strict=True):
                label.set_text(text, theme.text_muted)
                label.set_definition(f"{text}\n{CACHE_DEFINITION}" if text else CACHE_DEFINITION)
            pooling = () if row is None else row.pooling
            saved_s, low_s, high_s = pooled_total(pooling)
            warm = sum(one.warm_requests for one in pooling)
            samples = sum(one.cold_samples for one in pooling)
            wasted_s = sum(one.wasted_s for one in pooling)
            spread = "" if low_s is None or high_s is None else f"{saved_text(low_s)} to {saved_text(high_s)}"
            if pooling and saved_s is None:
                spread = "no set-up within 1 h"
            lost = f", {duration_text(wasted_s)} lost" if wasted_s else ""
            set_ups = f"{samples:,} set-up" if samples == 1 else f"{samples:,} set-ups"
            reckoned = (f"{warm:,} warm{lost}", f"{set_ups} within 1 h") if pooling else ()
            self.pooling[venue].show_saving(saved_s, (spread, *reckoned), theme, is_known=bool(pooling))
            caching = None if row is None else row.caching
            if caching is None:
                self.caching[venue].show_saving(None, (), theme, is_known=False)
                continue
            more = -caching.saved_calls
            avoided = f"{more:,} calls more" if more > 0 else f"{caching.saved_calls:,} calls avoided"
            self.caching[venue].show_saving(
                caching.saved_s,
                (avoided, f"{count_text(caching.made_calls)} of {count_text(caching.plain_calls)} made"),
                theme,
                is_known=True,
            )
