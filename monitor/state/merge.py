"""Merges the replies of several feeds into one quote per instrument, in the order in which they were asked for.

The cost counts: 1,300 rows arrive every second on the thread that paints. Rows are changed in place, compared before
they are written, and share one stamp per reply.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, Final

import msgspec

from monitor.domain.market import Quote, QuoteBatch
from monitor.state.feeds import FeedState
from monitor.state.quotes import Origin, QuoteState, Stamp

PRICE_KINDS: Final = ("last", "mid", "mark")
"""What may be displayed as the price, best first; a faster feed outranks this order."""
_CLOCK_FIELDS: Final = frozenset({"venue_time", "next_funding_time"})
"""Fields that move by themselves: their change is no sign of life of a market."""


class _CompleteFeed(msgspec.Struct, kw_only=True, eq=False):
    """The newest reply of a feed that lists every instrument it knows."""

    origin: Origin
    fields: frozenset[str]
    members: frozenset[str]


class MergeOutcome(msgspec.Struct, kw_only=True):
    """What one batch did. ``is_applied`` is False when every field in it was older than what is shown."""

    is_applied: bool = False
    changed: int = 0
    unlisted: int = 0
    """Rows of symbols that the catalog does not have."""
    vanished: list[QuoteState] = msgspec.field(default_factory=list)
    returned: list[QuoteState] = msgspec.field(default_factory=list)


class QuoteGroup:
    """The quotes of one venue and dex.

    ``new_row`` returns the state of a symbol, or ``None`` for one that the catalog does not list. ``on_price`` is
    called with every row that takes part in a series or a candle, after its price was received anew.
    """

    def __init__(
        self, new_row: Callable[[str], QuoteState | None], on_price: Callable[[QuoteState, Stamp], None]
    ) -> None:
        self._new_row = new_row
        self._on_price = on_price
        self.rows: dict[str, QuoteState] = {}
        self._complete: dict[str, _CompleteFeed] = {}
        self._single: dict[str, dict[str, Origin]] = {}
        self._single_newest: dict[str, float] = {}
        self._price_order: tuple[str, ...] = PRICE_KINDS
        self._cadences: dict[str, dict[str, float]] = {kind: {} for kind in PRICE_KINDS}

    def stamps(self) -> Iterable[Stamp]:
        """Every stamp some value still hangs on."""
        for complete in self._complete.values():
            yield complete.origin.stamp
        for singles in self._single.values():
            for origin in singles.values():
                yield origin.stamp
        for row in self.rows.values():
            if row.stamp is not None:
                yield row.stamp

    def find_origin(self, symbol: str, name: str) -> Origin | None:
        """The newest reply that spoke of field ``name`` of ``symbol``."""
        newest = self._single.get(symbol, {}).get(name)
        for complete in self._complete.values():
            if name in complete.fields and symbol in complete.members and _is_newer(complete.origin, newest):
                newest = complete.origin
        return newest

    def apply(self, batch: QuoteBatch, origin: Origin) -> MergeOutcome:
        """Merge ``batch``; fields that a reply asked for later has already told are left alone."""
        outcome = MergeOutcome()
        self._learn_price_order(batch.fields, origin.feed)
        if self._is_newest(batch, origin):
            self._write(batch.quotes, batch.fields, origin, outcome)
            outcome.is_applied = True
        else:
            self._write_what_is_newer(batch, origin, outcome)
        self._remember(batch, origin, outcome)
        return outcome

    def carries_price(self, batch: QuoteBatch) -> bool:
        """Whether the batch speaks of something that is displayed as a price."""
        return any(kind in batch.fields for kind in PRICE_KINDS)

    def mark_missing(self, symbol: str, by: str) -> QuoteState | None:
        """Flag a row as no longer listed by ``by``; the row when that is news."""
        row = self.rows.get(symbol)
        if row is None or by in row.missing_from:
            return None
        was_vanished = row.is_vanished
        row.missing_from |= {by}
        return None if was_vanished else row

    def mark_listed(self, symbol: str, by: str) -> QuoteState | None:
        """Take the flag of ``by`` back; the row when nothing else misses it."""
        row = self.rows.get(symbol)
        if row is None or by not in row.missing_from:
            return None
        row.missing_from -= {by}
        return None if row.is_vanished else row

    def forget(self, symbol: str) -> None:
        """Drop a row for good."""
        self.rows.pop(symbol, None)
        self._single.pop(symbol, None)

    def _learn_price_order(self, fields: frozenset[str], feed: FeedState) -> None:
        is_news = False
        for kind in PRICE_KINDS:
            if kind in fields and self._cadences[kind].get(feed.endpoint) != feed.cadence_s:
                self._cadences[kind][feed.endpoint] = feed.cadence_s
                is_news = True
        if not is_news:
            return

        def rank(kind: str) -> tuple[float, int]:
            return (min(self._cadences[kind].values(), default=float("inf")), PRICE_KINDS.index(kind))

        order = tuple(sorted(PRICE_KINDS, key=rank))
        if order != self._price_order:
            self._price_order = order
            for row in self.rows.values():
                self._choose_price(row, None, frozenset())

    def _is_newest(self, batch: QuoteBatch, origin: Origin) -> bool:
        asked_mono_s = origin.stamp.requested_mono_s
        if any(asked_mono_s < self._single_newest.get(name, asked_mono_s) for name in batch.fields):
            return False
        return not any(
            complete.fields & batch.fields and not _is_newer(origin, complete.origin)
            for complete in self._complete.values()
        )

    def _write_what_is_newer(self, batch: QuoteBatch, origin: Origin, outcome: MergeOutcome) -> None:
        for quote in batch.quotes:
            names = frozenset(
                name for name in batch.fields if _is_newer(origin, self.find_origin(quote.venue_symbol, name))
            )
            if names:
                self._write((quote,), names, origin, outcome)
                outcome.is_applied = True

    def _write(self, quotes: tuple[Quote, ...], fields: frozenset[str], origin: Origin, outcome: MergeOutcome) -> None:
        names = tuple(fields - _CLOCK_FIELDS)
        clocks = tuple(fields & _CLOCK_FIELDS)
        read = _reader(names)
        rows, stamp, feed = self.rows, origin.stamp, origin.feed
        for quote in quotes:
            symbol = quote.venue_symbol
            row = rows.get(symbol)
            if row is None:
                row = self._new_row(symbol)
                if row is None:
                    outcome.unlisted += 1
                    continue
                rows[symbol] = row
            told = read(quote)
            if told != read(row):
                for name, value in zip(names, told, strict=True):
                    setattr(row, name, value)
                outcome.changed += 1
                self._choose_price(row, origin, fields)
            for name in clocks:
                setattr(row, name, getattr(quote, name))
            kind = row.price_kind
            if kind in fields and getattr(quote, kind) is not None:
                row.stamp = stamp
                # A slow feed may bring the same price: it is still judged by the cadence of the fast one.
                if row.feed is None or feed.cadence_s <= row.feed.cadence_s:
                    row.feed = feed
                if row.series is not None or row.candles:
                    self._on_price(row, stamp)

    def _choose_price(self, row: QuoteState, origin: Origin | None, fields: frozenset[str]) -> None:
        for kind in self._price_order:
            value = getattr(row, kind)
            if value is not None:
                break
        else:
            return  # nothing known any more: the last price stays and grows old
        if kind != row.price_kind:
            row.price_kind = kind
            row.feed = None
            if kind not in fields:
                source = self.find_origin(row.venue_symbol, kind)
                row.stamp, row.feed = (None, None) if source is None else source
                origin = origin or source
        if value != row.price:
            row.price = value
            if origin is not None:
                row.changed_mono_s = origin.stamp.received_mono_s

    def _remember(self, batch: QuoteBatch, origin: Origin, outcome: MergeOutcome) -> None:
        if not batch.is_complete:
            for quote in batch.quotes:
                singles = self._single.setdefault(quote.venue_symbol, {})
                for name in batch.fields:
                    if _is_newer(origin, singles.get(name)):
                        singles[name] = origin
                        self._single_newest[name] = max(
                            origin.stamp.requested_mono_s, self._single_newest.get(name, float("-inf"))
                        )
            return
        key = origin.feed.key
        members = frozenset(quote.venue_symbol for quote in batch.quotes)
        reply = _CompleteFeed(origin=origin, fields=batch.fields, members=members)
        known = self._complete.get(key)
        if known is not None and not _is_newer(origin, known.origin):
            self._leave_behind(reply, members - known.members, key, outcome)
            return
        self._complete[key] = reply
        if known is not None and members != known.members:
            self._leave_behind(known, known.members - members, key, outcome)
            for symbol in members - known.members:
                if (row := self.mark_listed(symbol, key)) is not None:
                    outcome.returned.append(row)

    def _leave_behind(self, older: _CompleteFeed, symbols: frozenset[str], key: str, outcome: MergeOutcome) -> None:
        """Flag what the newest reply of a feed no longer has; its values keep the clocks of the older reply."""
        for symbol in symbols:
            singles = self._single.setdefault(symbol, {})
            for name in older.fields:
                if _is_newer(older.origin, singles.get(name)):
                    singles[name] = older.origin
            if (row := self.mark_missing(symbol, key)) is not None:
                outcome.vanished.append(row)


def _is_newer(one: Origin, other: Origin | None) -> bool:
    # By the moment of asking: a reply that was overtaken on its way is the older one, however late it arrives.
    return other is None or one.stamp.requested_mono_s >= other.stamp.requested_mono_s


def _reader(names: tuple[str, ...]) -> Callable[[Quote | QuoteState], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return lambda _row: ()
    get = attrgetter(names[0])
    return lambda row: (get(row),)
