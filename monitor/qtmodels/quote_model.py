"""The watchlist: one row per watched instrument, in the user's order."""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec.structs import replace
from PySide6.QtCore import QObject, Qt

from monitor.domain.market import Instrument
from monitor.qtmodels.figures import plain_tooltip
from monitor.qtmodels.headed_model import NO_PARENT, ROW_ROLE, Head, HeadedModel, Index
from monitor.qtmodels.quote_figures import QuoteFigures, age_texts, describe_row, figures_of, silence_text
from monitor.qtmodels.row_sync import notify_changed, sync_rows
from monitor.state.quotes import QuoteState

if TYPE_CHECKING:
    from monitor.state.series import TimeSeries

InstrumentKey: TypeAlias = tuple[str, str]

KEY_ROLE = ROW_ROLE + 1
"""The ``InstrumentKey`` of a row."""


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

    def what_helps(self, venue: str) -> str | None:
        """What the user can look at when a venue cannot be reached."""
        ...


class QuoteModel(HeadedModel):
    """Watched instruments in the user's order.

    ``refresh`` reports the rows whose reply is new, ``tick`` lets all that ages run, ``tick_ages`` the ages alone. Text
    is made when a row is painted, so a long list costs nothing while it is scrolled away.
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

    def silent_venues(self) -> tuple[list[str], list[str]]:
        """A sentence on each venue that fails and of whose watched instruments none has a price; then what helps."""
        told: list[str] = []
        helps: list[str] = []
        for venue in dict.fromkeys(key[0] for key in self._keys):
            why = self._source.why_silent(venue)
            quotes = (self._source.quote(key) for key in self._keys if key[0] == venue)
            if why is not None and not any(quote is not None and quote.price is not None for quote in quotes):
                told.append(silence_text(venue, self._venue_title(venue), why))
                helps.append(self._source.what_helps(venue) or "")
        return told, [text for text in dict.fromkeys(helps) if text]

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
        """Let all that time changes in the rows that were painted run on to now; what looks as before is not told."""
        self._now_mono_s = self._clock()
        changed: list[int] = []
        aged: list[int] = []
        for row, key in enumerate(self._keys):
            before = self._figures.pop(key, None)
            if before is None:
                continue
            now = self.figures_at(row)
            if not now.looks_like(before):
                changed.append(row)
            elif now.age != before.age:
                aged.append(row)
        notify_changed(self, changed)
        notify_changed(self, aged, column=QuoteColumn.AGE)

    def tick_ages(self, now_mono_s: float) -> None:
        """Let the ages of the rows that were painted run on to ``now_mono_s``, and nothing else of them.

        A row whose verdict has changed is shown anew as a whole.
        """
        self._now_mono_s = now_mono_s
        judged: list[int] = []
        aged: list[int] = []
        for row, key in enumerate(self._keys):
            figures, quote = self._figures.get(key), self._source.quote(key)
            if figures is None or quote is None:
                continue
            if quote.verdict(now_mono_s) is not figures.verdict:
                del self._figures[key]
                judged.append(row)
                continue
            age, age_range = age_texts(quote, now_mono_s)
            if age != figures.age:
                self._figures[key] = replace(figures, age=age, age_range=age_range)
                aged.append(row)
        notify_changed(self, judged)
        notify_changed(self, aged, column=QuoteColumn.AGE)

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
