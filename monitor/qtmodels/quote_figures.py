"""What a row of the watchlist says about one instrument, in words. Pure."""

from typing import TypeAlias

import msgspec

from monitor.domain.market import Instrument, InstrumentKind
from monitor.qtmodels.figures import (
    DASH,
    age_range_text,
    age_text,
    change_text,
    local_time,
    quoted_text,
    safe_text,
    signed,
)
from monitor.state.quotes import QuoteState
from monitor.state.sources import SourceFigures, source_of_origin, source_of_quote, source_text
from monitor.state.verdict import Verdict

InstrumentKey: TypeAlias = tuple[str, str]

MAX_SYMBOL_TEXT = 28
MAX_SOURCE_TEXT = 160


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

    def looks_like(self, other: "QuoteFigures") -> bool:
        """Whether a row of these looks like one of ``other``, apart from the age."""
        return self._look() == other._look()

    def _look(self) -> tuple[object, ...]:
        return (
            self.venue_title,
            self.symbol,
            self.price,
            self.change,
            self.spread,
            self.is_spread_current,
            self.funding,
            self.verdict,
            self.is_vanished,
        )

    @property
    def state(self) -> str:
        """The verdict in a word for people."""
        return "gone" if self.is_vanished else self.verdict.word


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
    age, age_range = age_texts(quote, now_mono_s)
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
        age=age,
        age_range=age_range,
        source=_shown_source(source_of_quote(quote, now_mono_s)),
        spread_source=_shown_source(source_of_origin(quote.field_origin("bid"), now_mono_s)),
        funding_source=_shown_source(source_of_origin(quote.field_origin("funding_rate"), now_mono_s)),
        verdict=quote.verdict(now_mono_s),
        is_vanished=quote.is_vanished,
        received_at=local_time(quote.received_at),
    )


def age_texts(quote: QuoteState, now_mono_s: float) -> tuple[str, str]:
    """The age of the displayed price: at most, and as an interval."""
    age = quote.age(now_mono_s)
    return (DASH, DASH) if age is None else (age_text(age.high_s), age_range_text(age.low_s, age.high_s))


def _shown_source(figures: SourceFigures | None) -> str:
    return safe_text(source_text(figures), MAX_SOURCE_TEXT)


def silence_text(venue: str, title: str, why: str) -> str:
    """``why`` a venue brings nothing, naming it once and by its title."""
    shown = safe_text(why, MAX_SOURCE_TEXT)
    return f"{title}{shown.removeprefix(venue)}" if shown.startswith(f"{venue} ") else f"{title}: {shown}"


def describe_row(figures: QuoteFigures, joiner: str) -> str:
    """The whole row in words, for tooltips and screen readers."""
    kind = "" if figures.price_kind is None else f" ({figures.price_kind})"
    spread_note = figures.spread_source if figures.is_spread_current else f"old, {figures.spread_source}"
    funding_note = figures.funding_source if figures.is_funding_current else f"old, {figures.funding_source}"
    state = "no longer listed by the venue" if figures.is_vanished else figures.verdict.word
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
