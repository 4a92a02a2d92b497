"""The figure each kind of alert watches, read off the board; ``None`` where it is not known or may not be believed."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from monitor.domain.alerts import AlertKind, AlertRule
from monitor.domain.market import Instrument
from monitor.state.account_figures import position_figures
from monitor.state.basis import basis_of
from monitor.state.board import Board
from monitor.state.quotes import QuoteState
from monitor.state.verdict import Verdict

MIN_SAMPLES: Final = 10
"""Requests within the window below which a percentile or a share says nothing."""


class AlertValue(NamedTuple):
    """The figure in the unit of the rule's kind, and what it is about where the rule does not say (a position)."""

    value: Decimal
    subject: str = ""


def value_of(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    """What ``rule`` watches, as it stands. ``now_mono_s`` is on the board's clock. Cheap; call it once a second."""
    return _READERS[AlertKind(rule.kind)](rule, board, now_mono_s)


def _price(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    quote = board.quote(rule.key)
    if quote is None or quote.price is None or not quote.verdict(now_mono_s).is_trustworthy:
        return None
    return AlertValue(quote.price)


def _move(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    now, series = _price(rule, board, now_mono_s), board.series(rule.key)
    if now is None or series is None:
        return None
    before = series.at(now_mono_s - rule.window_s)
    if before is None or before[1] <= 0:
        return None
    return AlertValue(_rounded((float(now.value) / before[1] - 1.0) * 100.0, 4))


def _age(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    quote = board.quote(rule.key)
    age = None if quote is None else quote.age(now_mono_s)
    return None if age is None else AlertValue(_rounded(age.low_s, 1))


def _funding(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    quote = board.quote(rule.key)
    if quote is None or quote.funding_rate_hourly is None or not quote.is_current("funding_rate", now_mono_s):
        return None
    return AlertValue(round(quote.funding_rate_hourly * 100, 8))


def _spread(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    quote = board.quote(rule.key)
    if quote is None or quote.spread_fraction is None:
        return None
    if not (quote.is_current("bid", now_mono_s) and quote.is_current("ask", now_mono_s)):
        return None
    return AlertValue(round(quote.spread_fraction * 10_000, 2))


def _basis(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    other = board.counterpart(rule.key)
    own_side = _side(board, rule.key)
    other_side = None if other is None else _side(board, other)
    if own_side is None or other_side is None:
        return None
    basis = basis_of(own_side, other_side, now_mono_s)
    if basis is None or basis.fraction is None or not basis.is_trustworthy:
        return None
    return AlertValue(round(basis.fraction * 10_000, 2))


def _side(board: Board, key: tuple[str, str]) -> tuple[Instrument, QuoteState] | None:
    instrument, quote = board.instruments.get(key), board.quote(key)
    return None if instrument is None or quote is None else (instrument, quote)


def _liquidation(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    nearest: AlertValue | None = None
    for account in board.accounts.of_venue(rule.venue):
        held = account.positions.value
        if held is None or not account.positions.verdict(now_mono_s).is_trustworthy:
            continue
        for position in held.positions:
            figures = position_figures(position, board.quote((rule.venue, position.venue_symbol)), now_mono_s)
            if figures.distance is None or not figures.is_mark_current:
                continue
            distance = round(figures.distance * 100, 3)
            if nearest is None or distance < nearest.value:
                nearest = AlertValue(distance, f"{position.venue_symbol} in {account.ref.name}")
    return nearest


def _down(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    if rule.venue not in board.venue_names:
        return None
    venue = board.venue(rule.venue)
    age = venue.age(now_mono_s)
    silent_s = now_mono_s - board.started_mono_s if age is None else age.low_s
    feed = venue.fast_feed
    if feed is not None and feed.changed_mono_s is not None and venue.verdict(now_mono_s) is Verdict.FROZEN:
        silent_s = max(silent_s, now_mono_s - feed.changed_mono_s)
    return AlertValue(_rounded(silent_s, 1))


def _latency(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    if rule.venue not in board.venue_names:
        return None
    summary = board.venue(rule.venue).latency.summary(now_mono_s - rule.window_s, now_mono_s, False)
    if summary.n < MIN_SAMPLES or summary.p95_s is None:
        return None
    return AlertValue(_rounded(summary.p95_s * 1_000.0, 1))


def _reuse(rule: AlertRule, board: Board, now_mono_s: float) -> AlertValue | None:
    if rule.venue not in board.venue_names:
        return None
    tally = board.venue(rule.venue).latency.tally(now_mono_s - rule.window_s, now_mono_s)
    if tally.attempts < MIN_SAMPLES:
        return None
    return AlertValue(_rounded(100.0 * tally.warm / tally.attempts, 2))


def _streak(rule: AlertRule, board: Board, _now_mono_s: float) -> AlertValue | None:
    if rule.venue not in board.venue_names:
        return None
    venue = board.venue(rule.venue)
    return AlertValue(Decimal(venue.failure_streak), ", ".join(venue.failing_endpoints))


def _rounded(value: float, digits: int) -> Decimal:
    return Decimal(f"{value:.{digits}f}")


_READERS: Final[Mapping[AlertKind, Callable[[AlertRule, Board, float], AlertValue | None]]] = MappingProxyType(
    {
        AlertKind.PRICE: _price,
        AlertKind.MOVE: _move,
        AlertKind.AGE: _age,
        AlertKind.FUNDING: _funding,
        AlertKind.SPREAD: _spread,
        AlertKind.BASIS: _basis,
        AlertKind.LIQUIDATION: _liquidation,
        AlertKind.DOWN: _down,
        AlertKind.LATENCY: _latency,
        AlertKind.REUSE: _reuse,
        AlertKind.STREAK: _streak,
    }
)
