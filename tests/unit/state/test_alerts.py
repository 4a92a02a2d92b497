"""An alert is told when a believable figure reaches its level, once in a while, and again when it is well back."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.domain.account import Position, PositionList, PositionSide
from monitor.domain.alerts import DEFAULT_COOL_DOWN_S, AlertKind, AlertRule
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind
from monitor.domain.market import Quote
from monitor.state.alert_values import value_of
from monitor.state.alerts import AlertPhase, Alerts
from tests.fakes.history_samples import KEYS, WatchedBoard
from tests.fakes.poll_results import make_failure, make_quotes, make_success, make_trace

ABOVE = AlertRule("price", *KEYS[0], "above", "100")
BELOW = AlertRule("price", *KEYS[0], "below", "90")
DOWN = AlertRule("down", "bitunix", "", "above", "15")


class Watching:
    def __init__(self, *rules: AlertRule) -> None:
        self.watched = WatchedBoard()
        self.alerts = Alerts(utc_now=self.watched.clock.utc_now)
        self.alerts.set_rules(rules)

    def at(self, price: str, *, seconds: float = 1.0) -> list[tuple[bool, str]]:
        self.watched.feed({"BTCUSDT": price, "ETHUSDT": str(self.watched.clock.mono_s)}, seconds=seconds)
        return self.look()

    def look(self, *, silenced: tuple[str, ...] = ()) -> list[tuple[bool, str]]:
        news = self.alerts.look(self.watched.board, self.watched.clock.mono_s, silenced=silenced)
        return [(one.is_over, one.text) for one in news]

    def phase(self) -> AlertPhase:
        (status,) = self.alerts.statuses
        return status.phase


def test_a_level_that_is_reached_is_told_once_and_its_end_too() -> None:
    watching = Watching(ABOVE, BELOW)
    assert watching.at("99.9") == []
    assert watching.at("100") == [(False, "alert: BTCUSDT price at or above 100, now 100")]
    assert watching.at("101") == []
    assert watching.at("99") == [(True, "alert over: BTCUSDT price at or above 100, now 99")]
    assert watching.at("89.5") == [(False, "alert: BTCUSDT price at or below 90, now 89.5")]


def test_a_price_just_under_its_level_is_not_back_yet() -> None:
    watching = Watching(ABOVE)
    assert len(watching.at("100")) == 1
    assert watching.at("99.96") == []
    assert watching.phase() is AlertPhase.MET
    assert [is_over for is_over, _ in watching.at("99.94")] == [True]


def test_a_price_that_dances_around_its_level_is_told_once_a_minute() -> None:
    watching = Watching(ABOVE)
    told = [news for number in range(DEFAULT_COOL_DOWN_S) for news in watching.at("101" if number % 2 else "99")]
    assert [is_over for is_over, _ in told] == [False, True]
    assert watching.at("99") == []
    assert [is_over for is_over, _ in watching.at("101")] == [False]


def test_what_happens_during_the_cool_down_and_stays_is_told_after_it() -> None:
    watching = Watching(ABOVE)
    watching.at("101")
    watching.at("99")
    later = [len(watching.at("101")) for _ in range(DEFAULT_COOL_DOWN_S)]
    assert sum(later) == 1
    assert later.index(1) == DEFAULT_COOL_DOWN_S - 2


def test_a_late_price_tells_nothing() -> None:
    watching = Watching(ABOVE)
    watching.at("99")
    watching.watched.feed({"BTCUSDT": "105"})
    watching.watched.clock.advance(60.0)
    assert watching.look() == []
    assert watching.phase() is AlertPhase.UNKNOWN


def test_an_alert_that_is_taken_away_or_muted_is_silent() -> None:
    watching = Watching(ABOVE)
    watching.alerts.set_rules(())
    assert watching.at("105") == []
    watching.alerts.set_rules((ABOVE._replace(is_muted=True),))
    assert watching.at("105") == []
    assert watching.phase() is AlertPhase.MET
    watching.alerts.set_rules((ABOVE,))
    assert len(watching.at("105")) == 1


def test_the_list_says_when_and_how_often_it_was_told() -> None:
    watching = Watching(ABOVE)
    watching.at("101")
    (status,) = watching.alerts.statuses
    assert (status.times_told, status.told_at) == (1, watching.watched.clock.utc_now())
    assert status.value is not None
    assert status.value.value == Decimal(101)


def test_a_venue_that_is_silent_is_down_unless_the_user_stopped_it() -> None:
    watching = Watching(DOWN)
    watching.at("99")
    watching.watched.clock.advance(20.0)
    assert watching.look(silenced=("bitunix",)) == []
    assert watching.look() == [(False, "alert: bitunix: no new prices for 15 s, now 20.0 s")]
    assert [is_over for is_over, _ in watching.at("99.5")] == [True]


def test_a_venue_that_never_answered_is_down_since_the_start() -> None:
    watching = Watching(DOWN)
    watching.watched.clock.advance(14.0)
    assert watching.look() == []
    watching.watched.clock.advance(1.0)
    assert len(watching.look()) == 1


def test_a_move_counts_either_way_over_its_window() -> None:
    watching = Watching(AlertRule("move", *KEYS[0], "above", "2", 30))
    for _ in range(30):
        assert watching.at("100") == []
    assert watching.at("97.9") == [
        (False, "alert: BTCUSDT price moves by 2 % within 30 s, now \N{MINUS SIGN}2.1000 %"),
    ]


def test_the_age_of_a_price_is_that_of_its_reply() -> None:
    watching = Watching(AlertRule("age", *KEYS[0], "above", "10"))
    watching.at("99")
    assert watching.phase() is AlertPhase.WATCHING
    watching.watched.clock.advance(12.0)
    assert len(watching.look()) == 1


def test_funding_and_spread_come_from_the_quotes() -> None:
    watched = WatchedBoard()
    quote = Quote(
        venue_symbol="BTCUSDT",
        last=Decimal(100),
        bid=Decimal("99.9"),
        ask=Decimal("100.1"),
        funding_rate=Decimal("-0.0008"),
        funding_interval_h=8,
    )
    watched.feed_quotes((quote,), frozenset({"last", "bid", "ask", "funding_rate", "funding_interval_h"}))
    now_s = watched.clock.mono_s

    def value(kind: str, side: str) -> Decimal | None:
        found = value_of(AlertRule(kind, *KEYS[0], side, "1"), watched.board, now_s)
        return None if found is None else found.value

    assert value("funding", "below") == Decimal("-0.01")
    assert value("spread", "above") == Decimal(20)
    # An hour later nothing of it may be believed.
    now_s += 3_600
    assert value("funding", "below") is None
    assert value("spread", "above") is None
    assert value("basis", "above") is None


@pytest.mark.parametrize(("cold", "reuse"), [(0, Decimal(100)), (5, Decimal(75))])
def test_latency_and_reuse_are_of_the_window(cold: int, reuse: Decimal) -> None:
    watched = WatchedBoard()
    for number in range(20):
        now_s = watched.clock.mono_s
        trace = make_trace(
            number + 1, is_cold=number < cold, started_mono_s=now_s - 0.25, ended_mono_s=now_s, total_s=0.25
        )
        watched.feed_batch(make_quotes({"BTCUSDT": "1"}), traces=(trace,))
    now_s = watched.clock.mono_s
    latency = value_of(AlertRule("latency", "bitunix", "", "above", "1", 60), watched.board, now_s)
    share = value_of(AlertRule("reuse", "bitunix", "", "below", "90", 60), watched.board, now_s)
    assert share is not None
    assert share.value == reuse
    assert latency is not None
    assert float(latency.value) == pytest.approx(250.0, rel=0.05)
    # Too few in a window of ten seconds to say anything.
    assert value_of(AlertRule("reuse", "bitunix", "", "below", "90", 10), watched.board, now_s + 11) is None


def test_a_streak_names_what_fails() -> None:
    watching = Watching(AlertRule("streak", "bitunix", "", "above", "3"))
    watching.at("99")
    watching.watched.board.apply((make_failure(watching.watched.clock, kind=ErrorKind.TIMEOUT, streak=3),))
    ((is_over, text),) = watching.look()
    assert not is_over
    assert text.startswith("alert: bitunix failures in a row at or above 3, now 3 (")


def test_waiting_for_our_own_budget_sets_off_no_alert_on_failures() -> None:
    watching = Watching(AlertRule("streak", "bitunix", "", "above", "1"))
    watching.at("99")
    clock, board = watching.watched.clock, watching.watched.board
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, streak=streak) for streak in range(5)])

    assert watching.look() == []
    value = value_of(AlertRule("streak", "bitunix", "", "above", "1"), board, clock.mono_s)
    assert value == (Decimal(0), "")


def test_the_nearest_liquidation_of_all_positions_counts() -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100", "ETHUSDT": "10"}, field="mark")
    ref = AccountRef("bitunix", "bot")
    watched.board.accounts.set_refs((ref,))
    held = PositionList(
        account=ref,
        positions=tuple(
            Position(
                venue_symbol=symbol,
                side=PositionSide.LONG,
                size=Decimal(1),
                entry_price=None,
                mark_price=None,
                unrealized_pnl=None,
                leverage=None,
                margin_mode=None,
                margin=None,
                liquidation_price=Decimal(liquidation),
                position_id=symbol,
            )
            for symbol, liquidation in (("BTCUSDT", "95"), ("ETHUSDT", "5"))
        ),
    )
    rule = AlertRule("liquidation", "bitunix", "", "below", "10")
    assert value_of(rule, watched.board, watched.clock.mono_s) is None
    watched.board.apply((replace(make_success(held, watched.clock), account=ref),))
    found = value_of(rule, watched.board, watched.clock.mono_s)
    assert found is not None
    assert (found.value, found.subject) == (Decimal(5), "BTCUSDT in bot")


def test_every_kind_can_be_asked_of_an_empty_board() -> None:
    watched = WatchedBoard()
    for kind in AlertKind:
        rule = AlertRule(kind.value, "bitunix", "BTCUSDT", "above", "1")
        found = value_of(rule, watched.board, watched.clock.mono_s)
        assert found is None or kind in (AlertKind.DOWN, AlertKind.STREAK)
