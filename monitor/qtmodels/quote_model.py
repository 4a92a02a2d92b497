"""The watchlist: one row per watched instrument, in the user's order."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec
from PySide6.QtCore import QObject, Qt

from monitor.domain.market import Instrument, InstrumentKind
from monitor.qtmodels.figures import (
    DASH,
    age_range_text,
    age_text,
    change_text,
    local_time,
    plain_tooltip,
    quoted_text,
    safe_text,
    signed,
)
from monitor.qtmodels.headed_model import NO_PARENT, ROW_ROLE, Head, HeadedModel, Index
from monitor.qtmodels.row_sync import notify_changed, sync_rows
from monitor.state.quotes import QuoteState
from monitor.state.sources import SourceFigures, source_of_origin, source_of_quote, source_text
from monitor.state.verdict import Verdict

if TYPE_CHECKING:
    from monitor.state.series import TimeSeries

InstrumentKey: TypeAlias = tuple[str, str]

KEY_ROLE = ROW_ROLE + 1
"""The ``InstrumentKey`` of a row."""

MAX_SYMBOL_TEXT = 28
MAX_SOURCE_TEXT = 160


class QuoteColumn(IntEnum):
    """Columns of the watchlist, in order."""

    VENUE = 0
    SYMBOL = 1
    LAST = 2
    CHANGE = 3
    SPREAD = 4
    FUNDING = 5
    AGE = 6
    VERDICT = 7
    TREND = 8


_HEADS = (
    Head("Venue", "Which venue the price is from"),
    Head("Instrument", "What is watched"),
    Head("Last", "Newest price: last trade where the venue's fast reply has it, else the mid price", is_right=True),
    Head("24 h", "Change of the price against 24 hours ago", is_right=True),
    Head(
        "Spread",
        "Ask minus bid, as parts per ten thousand of the middle (bp); below it funding per hour",
        is_right=True,
    ),
    Head("Funding/h", "Funding rate per hour; positive: longs pay", is_right=True),
    Head(
        "Age",
        "How old the price is at most: now minus the moment the request was sent, plus the age in a cache",
        is_right=True,
    ),
    Head(
        "State",
        "live: fresh and moving; quiet: fresh, it stands still; late: replies are missing; frozen: nothing moves",
        is_right=True,
    ),
    Head("Trend", "The price over the last 15 minutes"),
)


class QuoteSource(Protocol):
    """The part of ``Board`` the watchlist reads."""

    @property
    def instruments(self) -> Mapping[InstrumentKey, Instrument]:
        """Every known instrument."""
        ...

    def quote(self, key: InstrumentKey) -> QuoteState | None:
        """Newest quote of an instrument."""
        ...

    def series(self, key: InstrumentKey) -> "TimeSeries | None":
        """History of its displayed price."""
        ...

    def why_silent(self, venue: str) -> str | None:
        """Why a venue brings nothing just now, in the user's words."""
        ...


class QuoteFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a row shows, as text, and what decides its colours. Built only for rows that are painted."""

    key: InstrumentKey
    venue_title: str
    symbol: str
    price: str
    price_kind: str | None
    change: str
    change_fraction: float | None
    spread: str
    is_spread_current: bool
    is_funding_current: bool
    funding: str
    age: str
    age_range: str
    source: str
    """From the network, a cache, or kept because asking failed; a dash before the first price."""
    spread_source: str
    funding_source: str
    verdict: Verdict
    is_vanished: bool
    received_at: str

    @property
    def is_believable(self) -> bool:
        """False for a price that must be shown greyed and struck through."""
        return self.verdict.is_trustworthy

    @property
    def state(self) -> str:
        """The verdict in a word for people."""
        if self.is_vanished:
            return "gone"
        return "no data" if self.verdict is Verdict.UNKNOWN else self.verdict.value


def short_name(instrument: Instrument | None, venue_symbol: str) -> str:
    """Name for narrow places: ``BTC-USDT``, ``HYPE-USDC spot``; the venue's own spelling while nothing is known."""
    if instrument is None:
        return safe_text(venue_symbol, MAX_SYMBOL_TEXT)
    suffix = " spot" if instrument.kind is InstrumentKind.SPOT else ""
    return safe_text(instrument.name.removesuffix("-PERP"), MAX_SYMBOL_TEXT) + suffix


def figures_of(
    key: InstrumentKey,
    *,
    quote: QuoteState | None,
    instrument: Instrument | None,
    venue_title: str,
    now_mono_s: float,
    why_silent: str | None = None,
) -> QuoteFigures:
    """Write everything a row shows about one instrument at ``now_mono_s``.

    ``why_silent``: why its venue brings nothing; shown of an instrument that has no quote.
    """
    symbol = short_name(instrument, key[1])
    if quote is None:
        return QuoteFigures(
            key=key,
            venue_title=venue_title,
            symbol=symbol,
            price=DASH,
            price_kind=None,
            change=DASH,
            change_fraction=None,
            spread=DASH,
            is_spread_current=False,
            is_funding_current=False,
            funding=DASH,
            age=DASH,
            age_range=DASH,
            source=DASH if why_silent is None else f"none, because: {safe_text(why_silent, MAX_SOURCE_TEXT)}",
            spread_source=DASH,
            funding_source=DASH,
            verdict=Verdict.UNKNOWN,
            is_vanished=False,
            received_at=DASH,
        )
    age = quote.age(now_mono_s)
    change = quote.change_24h
    spread = quote.spread_fraction
    hourly = quote.funding_rate_hourly
    return QuoteFigures(
        key=key,
        venue_title=venue_title,
        symbol=symbol,
        price=quoted_text(quote.price, instrument),
        price_kind=quote.price_kind,
        change=change_text(change),
        change_fraction=None if change is None else float(change),
        spread=DASH if spread is None else f"{float(spread) * 1e4:.2f} bp",
        is_spread_current=quote.is_current("bid", now_mono_s),
        is_funding_current=quote.is_current("funding_rate", now_mono_s),
        funding=DASH if hourly is None else signed(float(hourly) * 100, 4, " %"),
        age=DASH if age is None else age_text(age.high_s),
        age_range=DASH if age is None else age_range_text(age.low_s, age.high_s),
        source=_shown_source(source_of_quote(quote, now_mono_s)),
        spread_source=_shown_source(source_of_origin(quote.field_origin("bid"), now_mono_s)),
        funding_source=_shown_source(source_of_origin(quote.field_origin("funding_rate"), now_mono_s)),
        verdict=quote.verdict(now_mono_s),
        is_vanished=quote.is_vanished,
        received_at=local_time(quote.received_at),
    )


def _shown_source(figures: SourceFigures | None) -> str:
    return safe_text(source_text(figures), MAX_SOURCE_TEXT)


def silence_text(venue: str, title: str, why: str) -> str:
    """``why`` a venue brings nothing, naming it once and by its title."""
    shown = safe_text(why, MAX_SOURCE_TEXT)
    return f"{title}{shown.removeprefix(venue)}" if shown.startswith(f"{venue} ") else f"{title}: {shown}"


class QuoteModel(HeadedModel):
    """Watched instruments in the user's order.

    ``refresh`` reports the rows whose reply is new, ``tick`` lets all ages run. Text is made when a row is painted, so
    a long list costs nothing while it is scrolled away.
    """

    def __init__(
        self,
        source: QuoteSource,
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(_HEADS, parent)
        self._source = source
        self._clock = clock
        self._venue_title = venue_title
        self._keys: list[InstrumentKey] = []
        self._seen: dict[InstrumentKey, object] = {}
        self._figures: dict[InstrumentKey, QuoteFigures] = {}
        self._now_mono_s = clock()

    @property
    def keys(self) -> tuple[InstrumentKey, ...]:
        """Watched instruments, in order."""
        return tuple(self._keys)

    def silent_venues(self) -> list[str]:
        """A sentence on each venue that fails and of whose watched instruments none has a price."""
        told: list[str] = []
        for venue in dict.fromkeys(key[0] for key in self._keys):
            why = self._source.why_silent(venue)
            quotes = (self._source.quote(key) for key in self._keys if key[0] == venue)
            if why is not None and not any(quote is not None and quote.price is not None for quote in quotes):
                told.append(silence_text(venue, self._venue_title(venue), why))
        return told

    def set_keys(self, keys: Sequence[InstrumentKey]) -> None:
        """Watch exactly ``keys``, in this order; repeated ones count once."""
        wanted = tuple(dict.fromkeys(keys))
        self._figures.clear()
        self._seen = {key: seen for key, seen in self._seen.items() if key in wanted}
        sync_rows(self, self._keys, wanted, lambda key: key)

    def row_of(self, key: InstrumentKey) -> int | None:
        """Row of ``key``; ``None`` when it is not watched."""
        return self._keys.index(key) if key in self._keys else None

    def key_at(self, row: int) -> InstrumentKey:
        """Instrument in ``row``."""
        return self._keys[row]

    def refresh(self) -> None:
        """Report rows whose quote came with another reply than the last time."""
        self._now_mono_s = self._clock()
        changed: list[int] = []
        for row, key in enumerate(self._keys):
            quote = self._source.quote(key)
            stamp = None if quote is None else quote.stamp
            if key in self._seen and self._seen[key] is stamp:
                continue
            self._seen[key] = stamp
            self._figures.pop(key, None)
            changed.append(row)
        notify_changed(self, changed)

    def tick(self) -> None:
        """Let the ages of all rows run on to now."""
        self._now_mono_s = self._clock()
        self._figures.clear()
        if self._keys:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._keys) - 1, len(QuoteColumn) - 1))

    def figures_at(self, row: int) -> QuoteFigures:
        """What ``row`` shows."""
        key = self._keys[row]
        figures = self._figures.get(key)
        if figures is None:
            figures = figures_of(
                key,
                quote=self._source.quote(key),
                instrument=self._source.instruments.get(key),
                venue_title=self._venue_title(key[0]),
                now_mono_s=self._now_mono_s,
                why_silent=self._source.why_silent(key[0]),
            )
            self._figures[key] = figures
        return figures

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of watched instruments."""
        return 0 if parent.isValid() else len(self._keys)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt: rows may be selected and dragged; they drop between rows only."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        """Qt: rows are moved, not copied."""
        return Qt.DropAction.MoveAction

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; the whole row under ``ROW_ROLE``."""
        if not index.isValid() or index.row() >= len(self._keys):
            return None
        if role == KEY_ROLE:
            return self._keys[index.row()]
        if role not in (
            ROW_ROLE,
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole,
        ):
            return None
        figures = self.figures_at(index.row())
        if role == ROW_ROLE:
            return figures
        column = QuoteColumn(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell_text(figures, column)
        if role == Qt.ItemDataRole.AccessibleTextRole and column is not QuoteColumn.SYMBOL:
            return _cell_text(figures, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(describe_row(figures, "\n"))
        return describe_row(figures, ", ")


def _cell_text(figures: QuoteFigures, column: QuoteColumn) -> str:
    texts = {
        QuoteColumn.VENUE: figures.venue_title,
        QuoteColumn.SYMBOL: figures.symbol,
        QuoteColumn.LAST: figures.price,
        QuoteColumn.CHANGE: figures.change,
        QuoteColumn.SPREAD: figures.spread,
        QuoteColumn.FUNDING: figures.funding,
        QuoteColumn.AGE: figures.age,
        QuoteColumn.VERDICT: figures.state,
        QuoteColumn.TREND: "",
    }
    return texts[column]


def describe_row(figures: QuoteFigures, joiner: str) -> str:
    """The whole row in words, for tooltips and screen readers."""
    kind = "" if figures.price_kind is None else f" ({figures.price_kind})"
    spread_note = figures.spread_source if figures.is_spread_current else f"old, {figures.spread_source}"
    funding_note = figures.funding_source if figures.is_funding_current else f"old, {figures.funding_source}"
    state = "no longer listed by the venue" if figures.is_vanished else figures.verdict.value
    parts = [
        f"{figures.symbol} on {figures.venue_title}",
        f"price {figures.price}{kind}",
        f"24 h {figures.change}",
        f"spread {figures.spread}" + ("" if figures.spread == DASH else f" ({spread_note})"),
        f"funding per hour {figures.funding}" + ("" if figures.funding == DASH else f" ({funding_note})"),
        f"age {figures.age_range}, received {figures.received_at}",
        f"source {figures.source}",
        f"state {state}",
    ]
    return joiner.join(parts)
