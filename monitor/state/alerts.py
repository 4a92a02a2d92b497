"""Price alerts: told when a price that may be believed reaches a level, and again when it has come back. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey

COOL_DOWN_S: Final = 60.0
"""A price that dances around its level is told once in this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAlert:
    """Above or below ``level``, in the venue's quote asset; the level itself counts as reached."""

    key: InstrumentKey
    is_above: bool
    level: Decimal

    def is_met(self, price: Decimal) -> bool:
        """Whether ``price`` has reached the level."""
        return price >= self.level if self.is_above else price <= self.level


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNews:
    """One thing to tell. ``is_over``: the price came back."""

    venue: str
    text: str
    is_over: bool


@dataclass(slots=True)
class _State:
    is_met: bool = False
    is_told: bool = False
    told_mono_s: float = float("-inf")


class PriceAlerts:
    """Watches the board for a set of alerts. Thread: the board's."""

    def __init__(self) -> None:
        self._states: dict[PriceAlert, _State] = {}

    def set_rules(self, rules: Iterable[PriceAlert]) -> None:
        """Watch exactly these; what is known of those that stay is kept."""
        self._states = {rule: self._states.get(rule) or _State() for rule in rules}

    def look(self, board: Board, now_mono_s: float) -> tuple[AlertNews, ...]:
        """What changed since the last call; call it once a second. A price that is late or frozen tells nothing."""
        news: list[AlertNews] = []
        for rule, state in self._states.items():
            quote = board.quote(rule.key)
            if quote is None or quote.price is None or not quote.verdict(now_mono_s).is_trustworthy:
                continue
            was_met, state.is_met = state.is_met, rule.is_met(quote.price)
            if state.is_met == was_met:
                continue
            instrument = board.instruments.get(rule.key)
            name = rule.key[1] if instrument is None else instrument.name
            price, level = format(quote.price, "f"), format(rule.level, "f")
            if state.is_met and now_mono_s - state.told_mono_s >= COOL_DOWN_S:
                state.is_told, state.told_mono_s = True, now_mono_s
                word = "above" if rule.is_above else "below"
                text = f"alert: {name} is at {price}, {word} {level}"
                news.append(AlertNews(venue=rule.key[0], text=text, is_over=False))
            elif not state.is_met and state.is_told:
                state.is_told = False
                text = f"alert over: {name} is back at {price}, level {level}"
                news.append(AlertNews(venue=rule.key[0], text=text, is_over=True))
        return tuple(news)
