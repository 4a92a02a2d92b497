"""An alert is told when a believable price reaches its level, once in a while, and again when it is over."""

from decimal import Decimal

from monitor.state.alerts import COOL_DOWN_S, PriceAlert, PriceAlerts
from tests.fakes.history_samples import KEYS, WatchedBoard

ABOVE = PriceAlert(key=KEYS[0], is_above=True, level=Decimal(100))
BELOW = PriceAlert(key=KEYS[0], is_above=False, level=Decimal(90))


class Watching:
    def __init__(self, *rules: PriceAlert) -> None:
        self.watched = WatchedBoard()
        self.alerts = PriceAlerts()
        self.alerts.set_rules(rules)

    def at(self, price: str, *, seconds: float = 1.0) -> list[tuple[bool, str]]:
        self.watched.feed({"BTCUSDT": price, "ETHUSDT": str(self.watched.clock.mono_s)}, seconds=seconds)
        return self.look()

    def look(self) -> list[tuple[bool, str]]:
        news = self.alerts.look(self.watched.board, self.watched.clock.mono_s)
        return [(one.is_over, one.text) for one in news]


def test_a_level_that_is_reached_is_told_once_and_its_end_too() -> None:
    watching = Watching(ABOVE, BELOW)
    assert watching.at("99.9") == []
    assert watching.at("100") == [(False, "alert: BTCUSDT is at 100, above 100")]
    assert watching.at("101") == []
    assert watching.at("99") == [(True, "alert over: BTCUSDT is back at 99, level 100")]
    assert watching.at("89.5") == [(False, "alert: BTCUSDT is at 89.5, below 90")]


def test_a_price_that_dances_around_its_level_is_told_once_a_minute() -> None:
    watching = Watching(ABOVE)
    told = [news for number in range(round(COOL_DOWN_S)) for news in watching.at("101" if number % 2 else "99")]
    assert [is_over for is_over, _ in told] == [False, True]
    assert watching.at("99") == []
    assert [is_over for is_over, _ in watching.at("101")] == [False]


def test_a_late_price_tells_nothing() -> None:
    watching = Watching(ABOVE)
    watching.at("99")
    watching.watched.feed({"BTCUSDT": "105"})
    watching.watched.clock.advance(60.0)
    assert watching.look() == []


def test_an_alert_that_is_taken_away_is_silent() -> None:
    watching = Watching(ABOVE)
    watching.alerts.set_rules(())
    assert watching.at("105") == []
