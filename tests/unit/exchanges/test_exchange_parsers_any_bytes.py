"""Every read of every venue gives a value or one of our errors, whatever bytes come back."""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.domain.errors import EdgeBlocked, PayloadError, VenueError
from monitor.exchanges.base import Fetched
from tests.fakes.exchange_data import as_bytes, bitunix, hyperliquid, outcome, reply_bytes
from tests.fakes.fake_transport import Answer, Canned

Read = Callable[[Answer], object]

READS: dict[str, tuple[Read, bytes]] = {
    "bitunix.tickers": (lambda body: bitunix(body)[0].fetch_quotes(), reply_bytes("bitunix", "tickers")),
    "bitunix.depth": (lambda body: bitunix(body)[0].fetch_order_book("BTCUSDT"), reply_bytes("bitunix", "depth")),
    "bitunix.kline": (
        lambda body: bitunix(body)[0].fetch_candles("BTCUSDT", "1h", limit=3),
        reply_bytes("bitunix", "kline"),
    ),
    "bitunix.kline.months": (
        lambda body: bitunix(body)[0].fetch_candles("BTCUSDT", "1M", limit=3),
        reply_bytes("bitunix", "kline"),
    ),
    "bitunix.trading_pairs": (
        lambda body: bitunix(body)[0].fetch_instruments(),
        reply_bytes("bitunix", "trading_pairs"),
    ),
    "bitunix.funding_batch": (lambda body: bitunix(body)[0].fetch_details(), reply_bytes("bitunix", "funding_batch")),
    "bitunix.funding_rate": (
        lambda body: bitunix(body)[0].fetch_funding("BTCUSDT"),
        reply_bytes("bitunix", "funding_rate"),
    ),
    "bitunix.funding_history": (
        lambda body: bitunix(body)[0].fetch_funding_history("BTCUSDT"),
        reply_bytes("bitunix", "funding_history"),
    ),
    "hyperliquid.allMids": (lambda body: hyperliquid(body)[0].fetch_quotes(), reply_bytes("hyperliquid", "allMids")),
    "hyperliquid.metaAndAssetCtxs": (
        lambda body: hyperliquid(body)[0].fetch_details(),
        reply_bytes("hyperliquid", "metaAndAssetCtxs"),
    ),
    "hyperliquid.spotMetaAndAssetCtxs": (
        lambda body: hyperliquid(body)[0].fetch_spot_details(),
        reply_bytes("hyperliquid", "spotMetaAndAssetCtxs"),
    ),
    "hyperliquid.spotMeta": (
        lambda body: hyperliquid(body, reply_bytes("hyperliquid", "allPerpMetas"))[0].fetch_instruments(),
        reply_bytes("hyperliquid", "spotMeta"),
    ),
    "hyperliquid.allPerpMetas": (
        lambda body: hyperliquid(reply_bytes("hyperliquid", "spotMeta"), body)[0].fetch_instruments(),
        reply_bytes("hyperliquid", "allPerpMetas"),
    ),
    "hyperliquid.meta": (
        lambda body: hyperliquid(
            reply_bytes("hyperliquid", "spotMeta"),
            Canned(status=422),
            body,
            reply_bytes("hyperliquid", "perpDexs"),
            body,
        )[0].fetch_instruments(),
        reply_bytes("hyperliquid", "meta"),
    ),
    "hyperliquid.perpDexs": (lambda body: hyperliquid(body)[0].fetch_dexes(), reply_bytes("hyperliquid", "perpDexs")),
    "hyperliquid.l2Book": (
        lambda body: hyperliquid(body)[0].fetch_order_book("BTC"),
        reply_bytes("hyperliquid", "l2Book"),
    ),
    "hyperliquid.candleSnapshot": (
        lambda body: hyperliquid(body)[0].fetch_candles("BTC", "1h"),
        reply_bytes("hyperliquid", "candleSnapshot"),
    ),
    "hyperliquid.fundingHistory": (
        lambda body: hyperliquid(body)[0].fetch_funding_history("BTC"),
        reply_bytes("hyperliquid", "fundingHistory"),
    ),
    "hyperliquid.predictedFundings": (
        lambda body: hyperliquid(body)[0].fetch_predicted_fundings(),
        reply_bytes("hyperliquid", "predictedFundings"),
    ),
    "hyperliquid.recentTrades": (
        lambda body: hyperliquid(body)[0].fetch_recent_trades("BTC"),
        reply_bytes("hyperliquid", "recentTrades"),
    ),
    "hyperliquid.exchangeStatus": (
        lambda body: hyperliquid(body)[0].fetch_status(),
        reply_bytes("hyperliquid", "exchangeStatus"),
    ),
}
every_read = pytest.mark.parametrize("name", READS)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_NASTY: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    "",
    "-1",
    "0",
    "NaN",
    "Infinity",
    "1e400",
    "1_000",
    "9" * 100,
    10**400,
    -(10**30),
    9_007_199_254_740_993,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": [1]}},
    "\u202e\x00",
    "x" * 5_000,
    "null",
]


def check(name: str, answer: Answer) -> object:
    """Read ``answer``; what comes out must be a value, a payload error with endpoint and field, or a venue error."""
    read, _ = READS[name]
    result = outcome(lambda: read(answer))
    assert isinstance(result, Fetched | PayloadError | VenueError), result
    if isinstance(result, PayloadError):
        assert result.endpoint.startswith(name.partition(".")[0])
        assert result.path
        assert result.expected
        assert len(str(result)) < 400
        assert len(result.traces) > 0
    return result


def paths_of(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a document is, the whole included."""
    found = [path]
    if isinstance(document, dict):
        for key, value in document.items():
            found += paths_of(value, (*path, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            found += paths_of(value, (*path, place))
    return found


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy in which ``path`` holds ``value``."""
    if not path:
        return value
    if isinstance(document, dict):
        return {key: with_value(old, path[1:], value) if key == path[0] else old for key, old in document.items()}
    return [with_value(old, path[1:], value) if place == path[0] else old for place, old in enumerate(document)]


@every_read
def test_the_hand_written_reply_is_read(name: str) -> None:
    assert isinstance(check(name, READS[name][1]), Fetched)


@every_read
@quick
@given(body=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_an_error_of_ours(name: str, body: bytes) -> None:
    check(name, body)


@every_read
@quick
@given(data=st.data())
def test_a_truncated_reply_gives_an_error_of_ours(name: str, data: st.DataObject) -> None:
    body = READS[name][1].rstrip()
    cut = data.draw(st.integers(0, len(body) - 1))

    result = check(name, body[:cut])

    # The catalog has a second way to its perpetuals, which may succeed.
    assert isinstance(result, PayloadError | VenueError) or name == "hyperliquid.allPerpMetas"


@every_read
@quick
@given(data=st.data())
def test_a_reply_with_damaged_bytes_gives_a_value_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    body = bytearray(READS[name][1])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    check(name, bytes(body))


@every_read
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_value_of_a_wrong_kind_anywhere_gives_a_value_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    document = json.loads(READS[name][1])
    path = data.draw(st.sampled_from(paths_of(document)))
    value = data.draw(st.sampled_from(_NASTY))

    check(name, as_bytes(with_value(document, path, value)))


@every_read
@quick
@given(data=st.data())
def test_a_missing_value_anywhere_gives_a_value_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    document = json.loads(READS[name][1])
    path = data.draw(st.sampled_from([path for path in paths_of(document) if path]))
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]

    check(name, as_bytes(document))


@every_read
@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1", b"1" * 401, b"tru", b"'x'"])
def test_bad_literals_in_every_place_give_a_value_or_an_error_of_ours(name: str, literal: bytes) -> None:
    document = json.loads(READS[name][1])
    for path in paths_of(document)[:150]:
        check(name, as_bytes(with_value(document, path, "@@@")).replace(b'"@@@"', literal))


@every_read
def test_a_repeated_key_in_every_object_is_an_error(name: str) -> None:
    document = json.loads(READS[name][1])
    keyed = [path for path in paths_of(document) if path and isinstance(path[-1], str)]
    assert keyed
    for path in keyed[:100]:
        twice = as_bytes(with_value(document, path, "@@@")).replace(b'"@@@"', b'1,"%s":1' % str(path[-1]).encode())
        result = check(name, twice)
        assert isinstance(result, PayloadError | VenueError) or name == "hyperliquid.allPerpMetas"


@every_read
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"code":0,"data":' + b'{"a":' * 50_000,
        b'{"code":0,"data":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"code":' + b"9" * 1_000_000 + b"}",
        b'{"BTC":' + b"9" * 1_000_000 + b"}",
        b'[{"t":' + b"9" * 400 + b"}]",
        b"<html><body>" + b"x" * 1_000_000,
        b'"' + b"x" * 5_000_000 + b'"',
        b"null",
        b"true",
        b"0",
        b"[]",
        b"{}",
        b"[null]",
        b"[[],[]]",
    ],
    ids=range(16),
)
def test_extreme_bodies_give_a_value_or_an_error_of_ours(name: str, body: bytes) -> None:
    check(name, body)


@every_read
def test_a_50_mb_reply_is_refused_without_copying_it(name: str) -> None:
    body = b" " * 50_000_000 + READS[name][1]
    tracemalloc.start()
    try:
        result = check(name, body)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # The second way to the catalog meets the same 50 MB only for its own endpoint.
    assert isinstance(result, PayloadError | VenueError) or name == "hyperliquid.allPerpMetas"
    assert peak_bytes < 5_000_000


@every_read
def test_a_page_instead_of_data_is_never_a_value(name: str) -> None:
    result = check(name, Canned(status=403, body=b"<html>" * 1_000, content_type="text/html"))

    assert isinstance(result, EdgeBlocked)


def test_parsing_time_grows_no_faster_than_the_reply() -> None:
    """Doubling a hostile reply must not quadruple its time: ratios of the same run, far from any absolute figure."""

    def spent_s(size: int) -> float:
        bodies = [
            b'{"BTC":' + b"9" * size + b"}",
            b'{"BTC":"' + b"9" * size + b'"}',
            b'{"BTC":"' + b"\\u0041" * (size // 6) + b'"}',
            b"{" + b",".join(b'"C%d":"1"' % number for number in range(size // 10)) + b"}",
        ]
        start_s = time.process_time()
        for body in bodies:
            check("hyperliquid.allMids", body)
        return time.process_time() - start_s

    spent_s(100_000)
    small_s = min(spent_s(500_000) for _ in range(3))
    large_s = min(spent_s(4_000_000) for _ in range(2))

    assert large_s < small_s * 8 * 4
