"""The sentences about a pool: each must follow from its figures, and say what to do."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import ConnectionCard, PoolStats
from monitor.state.pool_words import (
    SAFE_PART,
    FitKind,
    describe_eviction,
    describe_fit,
    describe_protocols,
    describe_sizing,
)


def fit(*, survived_s: float | None, dropped_s: float | None) -> KeepAliveFit:
    buckets = (
        IdleBucket(idle_from_s=0.0, idle_to_s=30.0, survived=40, dropped=0),
        IdleBucket(idle_from_s=60.0, idle_to_s=120.0, survived=0, dropped=5 if dropped_s is not None else 0),
    )
    return KeepAliveFit(host="h", buckets=buckets, longest_survived_s=survived_s, shortest_dropped_s=dropped_s)


def test_an_interval_beyond_the_hosts_limit_is_told_with_what_would_do() -> None:
    words = describe_fit(fit(survived_s=58.0, dropped_s=60.0), 75.0)

    assert words.kind is FitKind.OUTLIVES
    assert words.text == (
        "A request every 75 s outlives this host's ~60 s sockets: 0% benefit; ask every 45 s or keep one warm."
    )


def test_the_benefit_is_the_share_that_survived_such_a_pause() -> None:
    learned = KeepAliveFit(
        host="h",
        buckets=(IdleBucket(idle_from_s=60.0, idle_to_s=120.0, survived=1, dropped=3),),
        longest_survived_s=70.0,
        shortest_dropped_s=62.0,
    )

    assert "25% benefit" in describe_fit(learned, 75.0).text


def test_a_connection_that_is_kept_warm_is_not_advised_again() -> None:
    text = describe_fit(fit(survived_s=58.0, dropped_s=60.0), 75.0, is_kept_warm=True).text

    assert "one connection is kept warm" in text
    assert "keep one warm" not in text


def test_nothing_seen_is_not_known() -> None:
    assert describe_fit(None, 1.0).kind is FitKind.UNKNOWN
    assert describe_fit(KeepAliveFit(host="h"), 1.0).kind is FitKind.UNKNOWN
    assert describe_fit(fit(survived_s=None, dropped_s=None), 1.0).kind is FitKind.UNKNOWN


def test_an_interval_that_was_never_tried_is_not_called_fitting() -> None:
    learned = fit(survived_s=4.0, dropped_s=None)

    assert describe_fit(learned, 1.0).kind is FitKind.FITS
    assert describe_fit(learned, 30.0).kind is FitKind.UNKNOWN
    assert describe_fit(learned, None).kind is FitKind.UNKNOWN


def test_a_drop_that_is_no_limit_yet_is_not_passed_over() -> None:
    learned = KeepAliveFit(
        host="h",
        buckets=(
            IdleBucket(idle_from_s=0.0, idle_to_s=1.0, survived=159, dropped=0),
            IdleBucket(idle_from_s=56.0, idle_to_s=68.0, survived=0, dropped=1),
        ),
        longest_survived_s=60.0,
    )

    assert describe_fit(learned, 1.0).text == (
        "Fits: a request every 1 s. Sockets were still open after up to 60 s idle; 1 dropped, too few to tell a limit "
        "(n = 160)."
    )


@given(st.floats(15.0, 300.0), st.floats(0.2, 600.0))
def test_the_judgement_follows_the_limit(limit_s: float, interval_s: float) -> None:
    kind = describe_fit(fit(survived_s=limit_s * 0.9, dropped_s=limit_s), interval_s).kind

    if interval_s >= limit_s:
        assert kind is FitKind.OUTLIVES
    elif interval_s > SAFE_PART * limit_s:
        assert kind is FitKind.TIGHT
    else:
        assert kind is FitKind.FITS


@pytest.mark.parametrize(
    ("advice", "text"),
    [
        (SizingAdvice(maximum=20, peak=3, discarded=0, recommended=2), "peak 3 of 20; 2 would do; 0 thrown away"),
        (
            SizingAdvice(maximum=2, peak=9, discarded=31, recommended=12),
            "peak 9 of 2; 12 would be better; 31 thrown away",
        ),
        (
            SizingAdvice(maximum=4, peak=3, discarded=0, recommended=4, is_automatic=True),
            "peak 3 of 4 (automatic); that is right; 0 thrown away",
        ),
        (
            SizingAdvice(maximum=20, peak=0, discarded=0),
            "peak 0 of 20; advice after some seconds of use; 0 thrown away",
        ),
    ],
)
def test_sizing_is_told_in_one_line(advice: SizingAdvice, text: str) -> None:
    assert describe_sizing(advice) == text


def test_eviction_names_the_setting_to_raise() -> None:
    assert describe_eviction(0) is None
    text = describe_eviction(3, 10)
    assert text is not None
    assert text.startswith("3 pools were thrown away")
    assert "pool_connections) above 10" in text


def test_http2_gains_sockets_and_never_latency() -> None:
    def told(offered: tuple[str, ...] | None, peak: int) -> str | None:
        return describe_protocols(
            PoolStats(venue="v", host="h", scheme="https", offered_protocols=offered, peak_active=peak)
        )

    assert told(None, 3) is None
    assert told((), 3) == "HTTP/2: not offered"
    assert told(("http/1.1",), 3) == "HTTP/2: not offered"
    assert told(("h2", "http/1.1"), 1) == "HTTP/2 offered: would save nothing here"
    assert told(("h2",), 3) == "HTTP/2 offered: saves 2 sockets, no time"
    in_use = ConnectionCard(
        connection_id=1,
        host="h",
        opened_at=datetime(2026, 9, 26, tzinfo=UTC),
        opened_mono_s=0.0,
        state="idle",
        requests=1,
        alpn="h2",
    )
    pool = PoolStats(venue="v", host="h", scheme="https", offered_protocols=("h2",), connections=(in_use,))
    assert describe_protocols(pool) == "HTTP/2 in use: one socket for all requests"
