"""The newest order book of an instrument with the clocks of its reply."""

from decimal import Decimal

import msgspec

from monitor.domain.market import BookLevel, OrderBook
from monitor.state.feeds import FeedState
from monitor.state.quotes import AgeInterval, Stamp
from monitor.state.verdict import Verdict


class BookState(msgspec.Struct, frozen=True, kw_only=True):
    """One book as shown. A newer reply makes a new value."""

    book: OrderBook
    stamp: Stamp
    feed: FeedState
    is_changed: bool = True
    """Whether it differs from the book before it."""

    @property
    def best_bid(self) -> BookLevel | None:
        """Highest bid; ``None`` when that side is empty."""
        return self.book.bids[0] if self.book.bids else None

    @property
    def best_ask(self) -> BookLevel | None:
        """Lowest ask; ``None`` when that side is empty."""
        return self.book.asks[0] if self.book.asks else None

    @property
    def spread(self) -> Decimal | None:
        """Best ask - best bid; ``None`` when a side is empty."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else ask.price - bid.price

    def age(self, now_mono_s: float) -> AgeInterval:
        """Age of the book."""
        return self.stamp.age(now_mono_s)

    def verdict(self, now_mono_s: float) -> Verdict:
        """Late or live (or quiet, when it stands still); late as well when the focus has moved on."""
        if self.stamp.is_marked_stale or self.feed.received_mono_s is None:
            return Verdict.LATE
        if self.stamp.received_mono_s < self.feed.received_mono_s:
            return Verdict.LATE
        return self.feed.verdict(now_mono_s)
