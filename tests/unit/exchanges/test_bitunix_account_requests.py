"""Bitunix's private requests: how they are signed, how often they are sent, and who builds the client."""

from datetime import timedelta
from decimal import Decimal

from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.bitunix.signing import sign
from tests.fakes.account_data import (
    BITUNIX_CREDENTIALS,
    KEY,
    SECRET,
    bitunix_account,
    bitunix_account_by,
    bitunix_answer,
)
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

D = Decimal


# Signing and sending


def test_every_request_is_signed_and_nothing_else_leaves() -> None:
    client, transport = bitunix_account()

    client.fetch_snapshot()
    client.fetch_open_orders()
    client.fetch_fills()

    assert len(transport.asked) == 7
    for asked in transport.asked:
        headers = asked.headers or {}
        params = asked.params or {}
        assert asked.endpoint.method == "GET"
        assert asked.body is None
        assert asked.endpoint.path.startswith("/api/v1/futures/")
        assert headers["sign"] == sign(
            api_key=KEY,
            secret=SECRET,
            nonce=headers["nonce"],
            timestamp=headers["timestamp"],
            params=params,
        )
        assert list(params) == sorted(params)
        assert SECRET not in str(headers)
    assert len({(asked.headers or {})["nonce"] for asked in transport.asked}) == 7


def test_the_time_stamp_follows_the_venues_clock_once_it_is_known() -> None:
    def answer(asked: Asked) -> Answer:
        body = bitunix_answer(asked)
        assert isinstance(body, bytes)
        return Canned(body=body, date=transport.clock.utc_now() + timedelta(seconds=600))

    client, transport = bitunix_account_by(answer)

    for _ in range(2):
        client.fetch_positions()

    stamps = [int((asked.headers or {})["timestamp"]) for asked in transport.asked]
    assert 599_000 < stamps[1] - stamps[0] < 602_000


# Plan and registry


def test_the_plan_asks_as_often_as_promised_and_shares_between_accounts() -> None:
    client, _ = bitunix_account()

    alone = {job.endpoint: job.cadence_s for job in client.poll_jobs()}
    shared = {job.endpoint: job.cadence_s for job in client.poll_jobs(sharers=3)}

    assert alone["bitunix.account"] == alone["bitunix.positions"] == 5.0
    assert alone["bitunix.orders"] == 10.0
    assert shared == {name: 3 * cadence_s for name, cadence_s in alone.items()}
    assert sum(1 / cadence_s for cadence_s in alone.values()) < 0.61
    assert all(job.fetch().value is not None for job in client.poll_jobs())
    assert len({job.key for job in client.poll_jobs()}) == 8
    assert sum(job.weight / job.cadence_s for job in client.poll_jobs()) < 0.61


def test_two_accounts_have_jobs_of_their_own() -> None:
    keys = {job.key for job in bitunix_account()[0].poll_jobs()}

    assert all(key.endswith("@main") for key in keys)


def test_the_registry_builds_this_client() -> None:
    venue = ACCOUNT_VENUES["bitunix"]
    transport = FakeTransport(responder=bitunix_answer)

    made = venue.make_credentials(" main ", {"api_key": f" {KEY}\n", "secret": SECRET})
    client = venue.make_client(transport, made)

    assert made == BITUNIX_CREDENTIALS
    assert client.account.name == "main"
    assert client.fetch_snapshot().value.summary.equity == D("990.75")
    assert "read-only" in venue.advice
