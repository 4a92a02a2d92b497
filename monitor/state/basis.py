"""The difference of one market between two venues, with how far apart in time the two prices may be."""

from decimal import Decimal

import msgspec
import numpy as np

from monitor.domain.market import Instrument
from monitor.state.period import Period
from monitor.state.quotes import AgeInterval, QuoteState
from monitor.state.series import TimeSeries


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """Price of the first venue minus the second's, per coin of the base asset.

    ``kinds`` says which prices were compared (``last`` against ``mid`` is not the same as ``mid`` against ``mid``).
    The basis is as old as its older leg: ``age`` spans both. ``max_skew_s`` is how far apart the two prices may be in
    time; a basis smaller than what the market moves in that time means nothing.
    """

    first_price: Decimal
    second_price: Decimal
    difference: Decimal
    fraction: Decimal | None
    """Difference / second price; ``None`` when that is zero."""
    kinds: tuple[str | None, str | None]
    age: AgeInterval
    max_skew_s: float
    is_trustworthy: bool
    """False when either leg is late, frozen or unknown."""
    is_same_quote: bool
    """False when the quote assets differ (USDT against USDC): their own exchange rate is then part of the basis."""


def price_per_coin(instrument: Instrument, quote: QuoteState) -> Decimal | None:
    """Displayed price of one coin of the base asset: ``kPEPE`` and ``1000PEPE`` are priced per thousand."""
    if quote.price is None or instrument.multiplier <= 0:
        return None
    return quote.price / instrument.multiplier


def basis_of(
    first: tuple[Instrument, QuoteState], second: tuple[Instrument, QuoteState], now_mono_s: float
) -> Basis | None:
    """Compare two quotes of the same market; ``None`` when a price is unknown or the markets differ."""
    (first_instrument, first_quote), (second_instrument, second_quote) = first, second
    if first_instrument.market != second_instrument.market:
        return None
    first_price = price_per_coin(first_instrument, first_quote)
    second_price = price_per_coin(second_instrument, second_quote)
    first_age, second_age = first_quote.age(now_mono_s), second_quote.age(now_mono_s)
    if first_price is None or second_price is None or first_age is None or second_age is None:
        return None
    difference = first_price - second_price
    return Basis(
        first_price=first_price,
        second_price=second_price,
        difference=difference,
        fraction=difference / second_price if second_price else None,
        kinds=(first_quote.price_kind, second_quote.price_kind),
        age=AgeInterval(max(first_age.low_s, second_age.low_s), max(first_age.high_s, second_age.high_s)),
        max_skew_s=max(first_age.high_s - second_age.low_s, second_age.high_s - first_age.low_s),
        is_trustworthy=first_quote.verdict(now_mono_s).is_trustworthy
        and second_quote.verdict(now_mono_s).is_trustworthy,
        is_same_quote=first_instrument.quote == second_instrument.quote,
    )


class BasisSpan(msgspec.Struct, frozen=True, kw_only=True):
    """Basis over a period, in parts of the second price: each price of one venue with the newest of the other."""

    mean: float
    least: float
    most: float
    n: int
    max_skew_s: float
    """The two prices of a pair were received this far apart at most."""


def basis_between(
    first: tuple[Instrument, TimeSeries], second: tuple[Instrument, TimeSeries], period: Period
) -> BasisSpan | None:
    """Compare the prices that two venues told in a period; ``None`` where one told none, or the markets differ.

    Some milliseconds for a day of prices.
    """
    (first_instrument, first_series), (second_instrument, second_series) = first, second
    if first_instrument.market != second_instrument.market:
        return None
    (times, prices), (others_s, others) = (
        series.points(*series.index_range(period.start_mono_s, period.end_mono_s))
        for series in (first_series, second_series)
    )
    at = others_s.searchsorted(times, "right") - 1
    is_pair = at >= 0
    times, prices, at = times[is_pair], prices[is_pair], at[is_pair]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = prices / others[at] * float(second_instrument.multiplier / first_instrument.multiplier) - 1.0
    is_known = np.isfinite(ratios)
    ratios, skews_s = ratios[is_known], (times - others_s[at])[is_known]
    if not len(ratios):
        return None
    return BasisSpan(
        mean=float(ratios.mean()),
        least=float(ratios.min()),
        most=float(ratios.max()),
        n=len(ratios),
        max_skew_s=float(skews_s.max()),
    )
