"""The demo markets: the same for the same seed, consistent with themselves, and alive like real ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from monitor.simulator.candles import DAY_MS, HOUR_MS, INTERVALS_MS, MINUTE_MS, Bars, close_time, open_time
from monitor.simulator.market import Market
from monitor.simulator.noise import heavy, normal, text_key, uniform
from monitor.simulator.paths import SLOT_MS, share_out
from tests.fakes.demo_world import NOON_MS, DemoWorld

demo = DemoWorld()
_FUTURES, _PERPS, _SPOT = demo.world.futures, demo.world.perps, demo.world.spot
# Busy, ordinary, scaled, quiet, stock-like and spot markets.
_SAMPLE = [
    (_FUTURES, "BTCUSDT"),
    (_FUTURES, "1000PEPEUSDT"),
    (_FUTURES, "1MBABYDOGEUSDT"),
    (_FUTURES, "TSLAUSDT"),
    (_FUTURES, "ARKMUSDT"),
    (_PERPS, "BTC"),
    (_PERPS, "kPEPE"),
    (_PERPS, "PURR"),
    (_SPOT, "@107"),
    (_SPOT, "@10"),
]


def candles(market: Market, symbol: str, interval: str, start_ms: int, end_ms: int, now_ms: int = NOON_MS) -> Bars:
    return market.candles.candles(market.rows.index[symbol], INTERVALS_MS[interval], start_ms, end_ms, now_ms)


@pytest.mark.parametrize(("market", "symbol"), _SAMPLE, ids=lambda item: item if isinstance(item, str) else "")
@pytest.mark.parametrize(("fine", "coarse"), [("1m", "5m"), ("1m", "1h"), ("1h", "1d"), ("15m", "4h"), ("1d", "1w")])
def test_coarse_candles_are_the_aggregate_of_fine_ones(market: Market, symbol: str, fine: str, coarse: str) -> None:
    length_ms = INTERVALS_MS[coarse]
    start_ms = open_time(length_ms, NOON_MS) - 2 * length_ms
    large = candles(market, symbol, coarse, start_ms, NOON_MS)
    small = candles(market, symbol, fine, start_ms, NOON_MS)

    assert len(large) == 3, "two closed ones and the forming one"
    for number in range(3):
        opened = int(large.time_ms[number])
        inside = (small.time_ms >= opened) & (small.time_ms < opened + length_ms)
        assert inside.any()
        assert large.open[number] == small.open[inside][0]
        assert large.close[number] == small.close[inside][-1]
        assert large.high[number] == small.high[inside].max()
        assert large.low[number] == small.low[inside].min()
        assert large.lots[number] == small.lots[inside].sum()


@pytest.mark.parametrize(("market", "symbol"), _SAMPLE, ids=lambda item: item if isinstance(item, str) else "")
def test_candles_contain_every_price_that_a_poller_saw(market: Market, symbol: str) -> None:
    row = market.rows.index[symbol]
    start_ms = open_time(MINUTE_MS, NOON_MS) - 3 * MINUTE_MS
    for opened in range(start_ms, start_ms + 2 * MINUTE_MS, MINUTE_MS):
        seen = [float(market.tick(opened + step).last[row]) for step in range(0, MINUTE_MS, SLOT_MS)]
        bar = candles(market, symbol, "1m", opened, opened)
        assert bar.low[0] <= min(seen)
        assert max(seen) <= bar.high[0]
        assert bar.open[0] == seen[0]
        next_open = candles(market, symbol, "1m", opened + MINUTE_MS, opened + MINUTE_MS).open[0]
        assert bar.close[0] == next_open


@pytest.mark.parametrize(("market", "symbol"), _SAMPLE, ids=lambda item: item if isinstance(item, str) else "")
def test_forming_candle_ends_at_the_last_price_and_only_grows(market: Market, symbol: str) -> None:
    row = market.rows.index[symbol]
    opened = open_time(HOUR_MS, NOON_MS)
    previous = None
    for now_ms in range(NOON_MS, NOON_MS + 90_000, 10_250):
        bar = candles(market, symbol, "1h", now_ms, now_ms, now_ms)
        assert bar.time_ms.tolist() == [opened]
        assert bar.close[0] == market.tick(now_ms).last[row]
        assert bar.low[0] <= min(bar.open[0], bar.close[0]) <= max(bar.open[0], bar.close[0]) <= bar.high[0]
        if previous is not None:
            assert bar.high[0] >= previous.high[0]
            assert bar.low[0] <= previous.low[0]
            assert bar.lots[0] >= previous.lots[0]
            assert bar.open[0] == previous.open[0]
        previous = bar


def test_closed_candles_never_change_afterwards() -> None:
    start_ms, end_ms = NOON_MS - 3 * HOUR_MS, NOON_MS - 2 * HOUR_MS
    now = candles(_FUTURES, "ETHUSDT", "5m", start_ms, end_ms, NOON_MS)
    later = candles(_FUTURES, "ETHUSDT", "5m", start_ms, end_ms, NOON_MS + 3 * DAY_MS)

    assert now.time_ms.tolist() == later.time_ms.tolist()
    assert now.close.tolist() == later.close.tolist()
    assert now.lots.tolist() == later.lots.tolist()


def test_history_is_long_enough_for_five_thousand_minutes_and_years_of_days() -> None:
    minutes = candles(_PERPS, "BTC", "1m", NOON_MS - 4999 * MINUTE_MS, NOON_MS)
    days = candles(_PERPS, "BTC", "1d", 0, NOON_MS)

    assert len(minutes) == 5000
    assert np.unique(np.diff(minutes.time_ms)).tolist() == [MINUTE_MS]
    assert len(days) > 1500
    assert np.unique(np.diff(days.time_ms)).tolist() == [DAY_MS]


def test_months_and_weeks_begin_where_the_calendar_says() -> None:
    months = candles(_FUTURES, "BTCUSDT", "1M", NOON_MS - 200 * DAY_MS, NOON_MS)
    weeks = candles(_FUTURES, "BTCUSDT", "1w", NOON_MS - 60 * DAY_MS, NOON_MS)

    assert all(str(np.datetime64(int(time), "ms")).endswith("-01T00:00:00.000") for time in months.time_ms)
    assert all((int(time) // DAY_MS + 3) % 7 == 0 for time in weeks.time_ms), "1970-01-01 was a Thursday"
    for earlier, later in itertools.pairwise(months.time_ms.tolist()):
        assert close_time(INTERVALS_MS["1M"], earlier) == later


def test_day_figures_agree_with_the_candles() -> None:
    row = _FUTURES.rows.index["SOLUSDT"]
    stats = _FUTURES.stats(NOON_MS)
    bars = candles(_FUTURES, "SOLUSDT", "1m", open_time(MINUTE_MS, NOON_MS) - DAY_MS, NOON_MS)

    assert stats.open[row] == bars.open[0]
    assert stats.high[row] == bars.high.max()
    assert stats.low[row] == bars.low.min()
    assert stats.volume[row] == pytest.approx(bars.lots.sum() / 10 ** int(_FUTURES.rows.lot_places[row]), rel=1e-9)
    assert bars.low.min() < stats.turnover[row] / stats.volume[row] < bars.high.max()


def test_same_seed_gives_the_same_bytes_and_another_seed_gives_others() -> None:
    again, other = DemoWorld(1), DemoWorld(2)
    questions: list[Callable[[DemoWorld], bytes]] = [
        lambda world: world.get("market/tickers").body,
        lambda world: world.get("market/depth?symbol=BTCUSDT&limit=50").body,
        lambda world: world.get("market/kline?symbol=BTCUSDT&interval=15m&limit=200").body,
        lambda world: world.get("market/funding_rate/batch").body,
        lambda world: world.post({"type": "metaAndAssetCtxs"}).body,
        lambda world: world.post({"type": "l2Book", "coin": "ETH"}).body,
        lambda world: world.post({"type": "recentTrades", "coin": "ETH"}).body,
    ]
    for ask in questions:
        assert ask(again) == ask(demo)
        assert ask(other) != ask(demo)


def test_the_order_of_questions_does_not_change_the_answers() -> None:
    fresh = DemoWorld(1)
    path = "market/kline?symbol=BTCUSDT&interval=1m&limit=100"
    later = fresh.get(path, NOON_MS + HOUR_MS).body
    first = fresh.get(path, NOON_MS).body

    assert first == demo.get(path, NOON_MS).body
    assert later == demo.get(path, NOON_MS + HOUR_MS).body


def _minute_returns(market: Market, symbol: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.diff(np.log(candles(market, symbol, "1m", NOON_MS - 6 * DAY_MS, NOON_MS).close))


def test_venues_quote_the_same_coin_alike_and_coins_move_together() -> None:
    here, there = _minute_returns(_FUTURES, "BTCUSDT"), _minute_returns(_PERPS, "BTC")
    ether, doge = _minute_returns(_FUTURES, "ETHUSDT"), _minute_returns(_FUTURES, "DOGEUSDT")

    assert np.corrcoef(here, there)[0, 1] > 0.95
    assert 0.4 < np.corrcoef(here, ether)[0, 1] < 0.95
    assert 0.2 < np.corrcoef(here, doge)[0, 1] < np.corrcoef(here, ether)[0, 1]
    futures, perps = _FUTURES.tick(NOON_MS), _PERPS.tick(NOON_MS)
    for coin in ("BTC", "ETH", "SOL", "DOGE", "HYPE"):
        ratio = futures.last[_FUTURES.rows.index[f"{coin}USDT"]] / perps.last[_PERPS.rows.index[coin]]
        assert ratio == pytest.approx(1.0, abs=0.003)


def test_scaled_contracts_are_a_thousand_coins() -> None:
    pepe = _FUTURES.tick(NOON_MS).last[_FUTURES.rows.index["1000PEPEUSDT"]]
    assert pepe == pytest.approx(_PERPS.tick(NOON_MS).last[_PERPS.rows.index["kPEPE"]], rel=0.005)


def test_volatility_clusters_and_tails_are_fat() -> None:
    returns = _minute_returns(_FUTURES, "BTCUSDT")
    size = np.abs(returns)
    kurtosis = float(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2)

    assert kurtosis > 4.0, "a normal distribution has 3"
    assert np.corrcoef(size[:-1], size[1:])[0, 1] > 0.08
    assert abs(np.corrcoef(returns[:-1], returns[1:])[0, 1]) < 0.15
    assert 0.008 < returns.std() * np.sqrt(1440) < 0.05, "one to five percent a day"


def test_some_markets_trade_every_second_and_some_rarely() -> None:
    prices = np.array([_FUTURES.tick(NOON_MS + second * 1000).last for second in range(60)])
    changes = (np.diff(prices, axis=0) != 0).sum(axis=0)

    assert changes[_FUTURES.rows.index["BTCUSDT"]] > 40
    assert (changes == 0).sum() > 5
    assert np.median(changes) > 1


def test_bid_is_below_ask_and_the_last_trade_is_at_one_of_them() -> None:
    for market in (_FUTURES, _PERPS, _SPOT, *demo.world.builders.values()):
        tick = market.tick(NOON_MS)
        alive = ~market.rows.is_dead
        assert (tick.bid[alive] < tick.ask[alive]).all()
        assert ((tick.last == tick.bid) | (tick.last == tick.ask))[alive].all()
        assert (tick.bid > 0).all()


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_bitcoin_stays_near_its_usual_price_for_every_seed(seed: int) -> None:
    market = DemoWorld(seed, 20).world.futures
    assert 60_000 < market.tick(NOON_MS).last[market.rows.index["BTCUSDT"]] < 120_000


def test_shares_add_up_exactly() -> None:
    keys = np.array([[1], [2], [3]], dtype=np.uint64)
    weight = uniform(keys, np.arange(60), 1)
    weight[1, :40] = 0.0
    total = np.array([7, 1_000_003, 0])

    parts = share_out(weight, total)

    assert parts.sum(axis=1).tolist() == total.tolist()
    assert (parts >= 0).all()
    assert not parts[1, :40].any()


def test_noise_is_repeatable_and_has_the_moments_it_promises() -> None:
    keys = np.array([text_key(1, "x")], dtype=np.uint64)
    counters = np.arange(200_000)
    flat, bell, tails = uniform(keys, counters, 1), normal(keys, counters, 2), heavy(keys, counters, 3)

    assert np.array_equal(flat, uniform(keys, counters, 1))
    assert flat.mean() == pytest.approx(0.5, abs=0.005)
    assert 0.0 < flat.min() < flat.max() < 1.0
    assert (bell.mean(), bell.std()) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.01))
    assert (tails.mean(), tails.std()) == (pytest.approx(0, abs=0.01), pytest.approx(1, abs=0.06))
    assert abs(np.corrcoef(bell, normal(keys, counters, 4))[0, 1]) < 0.01
    assert abs(np.corrcoef(bell[:-1], bell[1:])[0, 1]) < 0.01
    assert text_key(1, "ab", "c") != text_key(1, "a", "bc")


def test_load_test_sizes() -> None:
    large = DemoWorld(1, 800)
    assert len(large.data("market/trading_pairs")) == 800
    universe, contexts = large.info({"type": "metaAndAssetCtxs"})
    assert len(universe["universe"]) == len(contexts) == 500
