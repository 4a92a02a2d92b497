"""Every account read gives a value or one of our errors, whatever bytes come back, and never a secret with it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.errors import MonitorError, PayloadError
from monitor.exchanges.base import Fetched
from tests.fakes.account_data import (
    HYPERLIQUID_KINDS,
    KEY,
    SECRET,
    bitunix_account,
    hyperliquid_account,
)
from tests.fakes.exchange_data import as_bytes, outcome, reply_bytes
from tests.fakes.fake_transport import Answer, Canned

Read = Callable[[Answer], object]


def _bitunix(method: str, *arguments: object) -> Read:
    return lambda body: getattr(bitunix_account(body)[0], method)(*arguments)


def _hyperliquid(method: str, kind: str) -> Read:
    return lambda body: getattr(hyperliquid_account(**{kind: body})[0], method)()


READS: dict[str, tuple[Read, bytes]] = {
    "bitunix.account": (_bitunix("fetch_summary"), reply_bytes("bitunix", "account")),
    "bitunix.positions": (_bitunix("fetch_positions"), reply_bytes("bitunix", "account_positions")),
    "bitunix.orders": (_bitunix("fetch_open_orders"), reply_bytes("bitunix", "account_orders")),
    "bitunix.past_orders": (_bitunix("fetch_order_history"), reply_bytes("bitunix", "account_past_orders")),
    "bitunix.past_positions": (_bitunix("fetch_position_history"), reply_bytes("bitunix", "account_past_positions")),
    "bitunix.funding": (_bitunix("fetch_funding"), reply_bytes("bitunix", "account_past_positions")),
    "bitunix.trades": (_bitunix("fetch_fills"), reply_bytes("bitunix", "account_trades")),
    "bitunix.leverage": (_bitunix("fetch_leverage", "BTCUSDT"), reply_bytes("bitunix", "account_leverage")),
    **{
        f"hyperliquid.{kind}": (_hyperliquid(method, kind), reply_bytes("hyperliquid", HYPERLIQUID_KINDS[kind]))
        for kind, method in (
            ("userAbstraction", "fetch_snapshot"),
            ("perpDexs", "fetch_snapshot"),
            ("clearinghouseState", "fetch_snapshot"),
            ("spotClearinghouseState", "fetch_snapshot"),
            ("spotMeta", "fetch_snapshot"),
            ("allMids", "fetch_snapshot"),
            ("frontendOpenOrders", "fetch_open_orders"),
            ("historicalOrders", "fetch_order_history"),
            ("userFills", "poll_fills"),
            ("userFunding", "poll_funding"),
            ("portfolio", "fetch_portfolio"),
            ("userRateLimit", "fetch_limits"),
            ("subAccounts", "fetch_sub_accounts"),
            ("userRole", "fetch_role"),
        )
    },
}

names = pytest.mark.parametrize("name", READS)
some = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "NaN", "Infinity", "1e400", "-0", "9" * 70, "\ud800".encode("utf-16", "surrogatepass").hex()]
    )
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def check(name: str, answer: Answer) -> None:
    found = outcome(lambda: READS[name][0](answer))

    assert isinstance(found, Fetched | MonitorError)
    if isinstance(found, MonitorError):
        assert KEY not in f"{found} {found.detail}"
        assert SECRET not in f"{found} {found.detail}"


@names
@some
@given(body=st.binary(max_size=60))
def test_any_bytes(name: str, body: bytes) -> None:
    check(name, body)


@names
@some
@given(document=documents)
def test_any_document(name: str, document: object) -> None:
    check(name, json.dumps(document).encode())
    if name.startswith("bitunix"):
        check(name, json.dumps({"code": 0, "data": document}).encode())


def paths_of(document: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    children = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, child in children:
        found += paths_of(child, (*path, key))
    return found


@names
@some
@given(data=st.data())
def test_one_field_replaced_or_gone(name: str, data: st.DataObject) -> None:
    """The usual reply with one place of it changed into anything: the rest is still read, or it is a typed error."""
    document = json.loads(READS[name][1])
    paths = paths_of(document)
    if not paths:
        return
    path = data.draw(st.sampled_from(paths))
    target = document
    for key in path[:-1]:
        target = target[key]
    if data.draw(st.booleans()) and isinstance(target, dict):
        del target[path[-1]]
    else:
        target[path[-1]] = data.draw(documents)

    check(name, json.dumps(document).encode())


@names
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_reply_is_a_payload_error(name: str, cut: float) -> None:
    body = READS[name][1].rstrip()
    found = outcome(lambda: READS[name][0](body[: int(len(body) * cut)]))

    if name not in {"hyperliquid.spotMeta", "hyperliquid.allMids"}:
        assert isinstance(found, PayloadError)
    else:
        # Prices are worth only the values of tokens.
        assert isinstance(found, Fetched)


@names
@pytest.mark.parametrize(
    "answer",
    [
        Canned(body=b"<html>no</html>", content_type="text/html"),
        Canned(body=b"[" * 100_000),
        Canned(body=b'{"a":' * 100_000),
        Canned(body=b"1" * 100_000),
        Canned(body=b'{"code":0,"data":' + b"9" * 5_000 + b"}"),
        Canned(body=b'{"code":0,"data":[],"data":[]}'),
        Canned(body=b"\xff\xfe\x00"),
        Canned(body=b"null"),
        Canned(status=500),
        Canned(status=429),
        Canned(status=302, body=b""),
    ],
    ids=[
        "html",
        "deep list",
        "deep object",
        "long number",
        "long data",
        "twice",
        "utf-16",
        "null",
        "500",
        "429",
        "302",
    ],
)
def test_known_monsters(name: str, answer: Canned) -> None:
    check(name, answer)


def test_every_reply_under_tests_data_is_read_without_a_problem() -> None:
    for name, (read, body) in READS.items():
        found = read(body)
        assert isinstance(found, Fetched), name
        assert not getattr(found.value, "problems", ()), name


def test_a_reply_of_two_thousand_bad_rows_keeps_few_notes() -> None:
    rows = [{"coin": "BTC"}] * 2_000
    found = hyperliquid_account(userFills=as_bytes(rows))[0].fetch_fills().value

    assert found.fills == ()
    assert 0 < len(found.problems) <= 50
