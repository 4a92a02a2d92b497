"""Alerts: told once when a figure that may be believed reaches its level, and once when it is well back. Pure.

A figure that dances around its level makes no noise: an alert is over only when the figure is back by a margin, and is
told again after its cool-down at the earliest.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from monitor.domain.alerts import AlertKind, AlertRule
from monitor.state.alert_values import AlertValue, value_of
from monitor.state.board import Board

PRICE_MARGIN: Final = Decimal("0.0005")
"""So far, as a part of the level, a price must be back for its alert to be over."""
MARGIN: Final = Decimal("0.1")
"""The same for every other figure."""

ALERT_WORD: Final = "alert"
"""What the text of an alert begins with, in the events."""

_EITHER_WAY: Final = frozenset({AlertKind.MOVE, AlertKind.BASIS})
_OF_POLLING: Final = frozenset({AlertKind.AGE, AlertKind.DOWN})
"""Kinds that say nothing while the user has stopped polling the venue."""


class AlertPhase(StrEnum):
    """How an alert stands."""

    UNKNOWN = "no data"  # its figure is not known, or may not be believed
    WATCHING = "watching"
    MET = "reached"


class AlertNews(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell. ``is_over``: the figure is back."""

    rule: AlertRule
    text: str
    is_over: bool


class AlertStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as a list shows it. ``value`` is in the unit of its kind; ``told_at`` is the newest notice, UTC."""

    rule: AlertRule
    phase: AlertPhase
    value: AlertValue | None
    told_at: datetime | None
    times_told: int


class _State(msgspec.Struct):
    phase: AlertPhase = AlertPhase.UNKNOWN
    value: AlertValue | None = None
    is_met: bool = False
    is_told: bool = False
    told_mono_s: float = float("-inf")
    told_at: datetime | None = None
    times_told: int = 0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Alerts:
    """Watches the board for a set of rules. Thread: the board's."""

    def __init__(self, *, utc_now: Callable[[], datetime] = _utc_now) -> None:
        self.revision = 0
        """Grows when the rules change or an alert is told."""
        self._utc_now = utc_now
        self._rules: tuple[AlertRule, ...] = ()
        self._states: dict[AlertRule, _State] = {}

    @property
    def statuses(self) -> tuple[AlertStatus, ...]:
        """Every alert as of the newest :meth:`look`, in the order of the rules."""
        return tuple(
            AlertStatus(
                rule=rule, phase=state.phase, value=state.value, told_at=state.told_at, times_told=state.times_told
            )
            for rule in self._rules
            if (state := self._states.get(rule.identity)) is not None
        )

    def set_rules(self, rules: Iterable[AlertRule]) -> None:
        """Watch exactly these; what is known of those that stay, muted or not, is kept. Free when nothing changed."""
        wanted = tuple({rule.identity: rule for rule in rules}.values())
        if wanted != self._rules:
            self._rules = wanted
            self._states = {rule.identity: self._states.get(rule.identity) or _State() for rule in wanted}
            self.revision += 1

    def look(
        self,
        board: Board,
        now_mono_s: float,
        *,
        silenced: Collection[str] = (),
        name_of: Callable[[AlertRule], str] | None = None,
    ) -> tuple[AlertNews, ...]:
        """What is to be told now; call it once a second.

        ``silenced`` are venues that the user does not poll: that their prices grow old is no news. ``name_of`` says
        what a rule is about, for the sentences; ``None``: the instrument's name or the venue's.
        """
        news: list[AlertNews] = []
        for rule in self._rules:
            state = self._states[rule.identity]
            is_silenced = rule.venue in silenced and AlertKind(rule.kind) in _OF_POLLING
            state.value = None if is_silenced else value_of(rule, board, now_mono_s)
            if state.value is None:
                # It may still be so: neither reached nor over is known.
                state.phase = AlertPhase.UNKNOWN
                continue
            state.is_met = _is_met(rule, state.value.value, was_met=state.is_met)
            state.phase = AlertPhase.MET if state.is_met else AlertPhase.WATCHING
            if rule.is_muted:
                state.is_told = False
                continue
            name = _name_on(board, rule) if name_of is None else name_of(rule)
            told = self._told(rule, state, name, now_mono_s)
            if told is not None:
                news.append(told)
        if news:
            self.revision += 1
        return tuple(news)

    def _told(self, rule: AlertRule, state: _State, name: str, now_mono_s: float) -> AlertNews | None:
        assert state.value is not None  # noqa: S101 - looked at by the caller
        now = f"now {figure_text(rule, state.value.value)}"
        if state.value.subject:
            now = f"{now} ({state.value.subject})"
        if state.is_met and not state.is_told and now_mono_s - state.told_mono_s >= rule.cool_down_s:
            state.is_told, state.told_mono_s = True, now_mono_s
            state.told_at, state.times_told = self._utc_now(), state.times_told + 1
            return AlertNews(rule=rule, text=f"{ALERT_WORD}: {condition_text(rule, name)}, {now}", is_over=False)
        if not state.is_met and state.is_told:
            state.is_told = False
            return AlertNews(rule=rule, text=f"{ALERT_WORD} over: {condition_text(rule, name)}, {now}", is_over=True)
        return None


def condition_text(rule: AlertRule, name: str) -> str:
    """``BTC-USDT-PERP price at or above 90,000``: what a rule waits for, with what it is about."""
    shape = rule.shape
    window = f" within {_span(rule.window_s)}" if shape.has_window else ""
    title = shape.title[0].lower() + shape.title[1:]
    if AlertKind(rule.kind) is AlertKind.MOVE:
        return f"{name} {title} {_level(rule)}{window}"
    if AlertKind(rule.kind) is AlertKind.DOWN:
        return f"{name}: {title} {_level(rule)}"
    return f"{name} {title} at or {rule.side} {_level(rule)}{window}"


def figure_text(rule: AlertRule, value: Decimal) -> str:
    """A figure with the unit of the rule's kind; signed where it may go either way."""
    sign = "+" if AlertKind(rule.kind) in _EITHER_WAY and value > 0 else ""
    unit = rule.shape.unit
    return f"{sign}{format(value, ',f')}{f' {unit}' if unit else ''}".replace("-", "\N{MINUS SIGN}")


def _level(rule: AlertRule) -> str:
    unit = rule.shape.unit
    return f"{format(Decimal(rule.level), ',f')}{f' {unit}' if unit else ''}"


def _span(seconds: int) -> str:
    if seconds % 3_600 == 0:
        return f"{seconds // 3_600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _is_met(rule: AlertRule, value: Decimal, *, was_met: bool) -> bool:
    kind, level = AlertKind(rule.kind), Decimal(rule.level)
    margin = abs(level) * (PRICE_MARGIN if kind is AlertKind.PRICE else MARGIN)
    if kind in _EITHER_WAY:
        value = abs(value)
    if rule.side == "above":
        return value >= level or (was_met and value > level - margin)
    return value <= level or (was_met and value < level + margin)


def _name_on(board: Board, rule: AlertRule) -> str:
    if not rule.symbol:
        return rule.venue
    instrument = board.instruments.get(rule.key)
    return rule.symbol if instrument is None else instrument.name
