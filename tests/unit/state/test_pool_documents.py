"""Pools for the command line: the panel's figures and words, one key each, unknown as null."""

import json

import pytest
from msgspec.structs import replace

from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.exchanges.caching import CacheStats
from monitor.state.pool_documents import cache_document, connection_document, pool_document
from tests.fakes.poll_results import EPOCH
from tests.fakes.promised_keys import POOL_KEYS

CARD = ConnectionCard(
    connection_id=7,
    host="venue.test:443",
    opened_at=EPOCH,
    opened_mono_s=100.0,
    state="idle",
    requests=3,
    peer="203.0.113.9:443",
    address_family="IPv4",
    tls_version="TLSv1.3",
    cipher="TLS_AES_128_GCM_SHA256",
    alpn="http/1.1",
    is_resumed=True,
    connect_s=0.12,
    idle_since_mono_s=150.0,
)


def make_pool() -> PoolStats:
    return PoolStats(
        venue="bitunix",
        host="venue.test:443",
        scheme="https",
        attempts=10,
        opened=2,
        reused=8,
        idle=1,
        suspect=1,
        waiting=4,
        evicted_pools=1,
        prewarmed=1,
        kept_warm=5,
        peak_active=2,
        max_connections=20,
        fit=KeepAliveFit(
            host="venue.test:443",
            buckets=(IdleBucket(idle_from_s=30.0, idle_to_s=60.0, survived=6, dropped=2),),
            longest_survived_s=50.0,
            shortest_dropped_s=60.0,
            retire_after_s=48.0,
        ),
        sizing=SizingAdvice(maximum=20, peak=2, discarded=0, p99_active_60s=1.0, recommended=3),
        offered_protocols=("h2", "http/1.1"),
        connections=(CARD,),
    )


def test_a_pool_tells_all_that_the_panel_shows_and_keeps_its_promised_keys() -> None:
    document = json.loads(json.dumps(pool_document(make_pool(), now_mono_s=160.0, request_interval_s=75.0)))

    assert set(POOL_KEYS) <= document.keys()
    assert [document[name] for name in ("suspect", "waiting", "evicted_pools", "prewarmed", "kept_warm")] == [
        1,
        4,
        1,
        1,
        5,
    ]
    assert document["sizing"]["recommended"] == 3
    assert document["sizing"]["text"] == "peak 2 of 20; 3 would do; 0 thrown away"
    assert document["keep_alive"]["fit"] == "outlives"
    assert document["keep_alive"]["text"].startswith("A request every 75 s outlives this host's ~60 s sockets")
    assert document["keep_alive"]["buckets"] == [{"idle_from_s": 30.0, "idle_to_s": 60.0, "survived": 6, "dropped": 2}]
    assert document["protocols"] == ["h2", "http/1.1"]
    assert document["protocols_text"] == "HTTP/2 offered: saves 1 socket, no time"
    (socket,) = document["connections"]
    assert (socket["id"], socket["age_s"], socket["idle_s"], socket["closed_by"]) == (7, 60.0, 10.0, None)
    assert socket["opened_at"] == "2026-09-26T12:00:00.000Z"


def test_what_nobody_knows_is_null() -> None:
    document = pool_document(PoolStats(venue="bitunix", host="venue.test:443", scheme="https"))

    unknown = ("reuse_ratio", "sizing", "keep_alive", "protocols", "protocols_text")
    assert [document[name] for name in unknown] == [None] * len(unknown)
    assert connection_document(CARD, now_mono_s=None)["age_s"] is None
    assert connection_document(CARD, now_mono_s=None)["idle_s"] is None


@pytest.mark.parametrize(
    ("cause", "who"),
    [
        (CloseCause.STALE, "server"),
        (CloseCause.BY_SERVER, "server"),
        (CloseCause.ERROR, "error"),
        (CloseCause.EXPIRED, "us"),
        (CloseCause.DISCARDED, "us"),
        (CloseCause.ABANDONED, "us"),
        (CloseCause.WITH_POOL, "us"),
    ],
)
def test_a_closed_socket_says_how_long_it_lived_and_who_ended_it(cause: CloseCause, who: str) -> None:
    card = replace(CARD, state="closed", closed_mono_s=130.0, close_cause=cause)
    document = connection_document(card, now_mono_s=900.0)

    assert (document["age_s"], document["idle_s"]) == (30.0, None)
    assert (document["close_cause"], document["closed_by"]) == (cause.value, who)


def test_the_cache_speaks_of_hits_and_misses() -> None:
    stats = CacheStats(network=9, partial=2, cached=4, shared=3, stale=1)

    assert cache_document(stats) == {"hits": 4, "misses": 9, "partial": 2, "shared": 3, "stale_served": 1}
