import pytest

from monitor.exchanges.base import Focus
from monitor.exchanges.registry import VENUES
from tests.fakes.exchange_data import reply_bytes
from tests.fakes.fake_transport import FakeTransport

every_venue = pytest.mark.parametrize("name", VENUES)


def test_the_venues_are_listed_under_their_own_names() -> None:
    assert [entry.name for entry in VENUES.values()] == list(VENUES) == ["bitunix", "hyperliquid"]


@every_venue
def test_a_venue_is_read_only_by_its_list(name: str) -> None:
    (rule,) = VENUES[name].allowed

    assert (rule.method, rule.path or rule.path_prefix) in {("GET", "/api/v1/futures/"), ("POST", "/info")}


@every_venue
def test_everything_polled_is_on_the_read_only_list(name: str) -> None:
    entry = VENUES[name]
    transport = FakeTransport(venue=name, answers=[b"null"])
    client = entry.make_client(transport)
    for job in client.poll_jobs(Focus(venue_symbol=entry.default_watchlist[0])):
        with pytest.raises(Exception, match=entry.title + "|not"):
            job.fetch()

    assert len(transport.asked) >= 5
    for asked in transport.asked:
        assert any(rule.matches(asked.endpoint.method, asked.endpoint.path) for rule in entry.allowed)


@every_venue
def test_jobs_have_keys_of_their_own_that_stay_the_same(name: str) -> None:
    client = VENUES[name].make_client(FakeTransport(venue=name))
    focus = Focus(venue_symbol=VENUES[name].default_watchlist[0])

    jobs = client.poll_jobs(focus)
    again = client.poll_jobs(focus)

    keys = [job.key for job in jobs]
    assert len(set(keys)) == len(keys)
    assert keys == [job.key for job in again]
    assert all(job.venue == name and job.endpoint.startswith(name + ".") for job in jobs)
    assert all(job.key.startswith(name + ".") for job in jobs)


@every_venue
def test_the_budget_is_the_venues_own_and_capped_below_a_third(name: str) -> None:
    rule = VENUES[name].budget_rule

    assert rule.venue == name
    assert rule.cap <= 0.30 * rule.limit


def test_the_default_watchlists_name_the_same_markets() -> None:
    # The hand-written catalogs have only some of them; the names are what matters here.
    bitunix = [symbol.removesuffix("USDT").removeprefix("1000") for symbol in VENUES["bitunix"].default_watchlist]
    hyperliquid = [symbol.removeprefix("k") for symbol in VENUES["hyperliquid"].default_watchlist]

    assert sorted(bitunix) == sorted(hyperliquid)
    assert bitunix[:3] == hyperliquid[:3] == ["BTC", "ETH", "SOL"]


def test_the_same_market_has_the_same_key_on_both_venues() -> None:
    bitunix = VENUES["bitunix"].make_client(FakeTransport(answers=[reply_bytes("bitunix", "trading_pairs")]))
    hyperliquid = VENUES["hyperliquid"].make_client(
        FakeTransport(
            venue="hyperliquid",
            answers=[reply_bytes("hyperliquid", "spotMeta"), reply_bytes("hyperliquid", "allPerpMetas")],
        )
    )
    here = {one.market: one for one in bitunix.fetch_instruments().value.instruments if one.quote == "USDT"}
    there = {one.market: one for one in hyperliquid.fetch_instruments().value.instruments}

    assert {("perp", "BTC"), ("perp", "PEPE")} <= here.keys() & there.keys()
    assert here["perp", "PEPE"].multiplier == there["perp", "PEPE"].multiplier == 1_000
