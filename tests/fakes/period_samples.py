"""A window in which everything that a chosen period can show has happened, and a while in which nothing had."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import PoolStats
from monitor.exchanges.caching import CacheStats
from monitor.state.period import Period
from tests.fakes.account_samples import SampleAccounts
from tests.fakes.sample_markets import SampleVenue
from tests.fakes.sample_window import SampleWindow

BEFORE_EVERYTHING = Period(-2_000.0, -1_000.0)
"""Nobody watched then, so nothing is known of it."""


def with_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the sample venues' pools tell of keep-alive fit and advice, as the real ones do."""
    ordinary = SampleVenue.pool

    def pool(venue: SampleVenue, now_s: float, active: int = 0) -> PoolStats:
        stats = ordinary(venue, now_s, active)
        buckets = (
            IdleBucket(idle_from_s=0.0, idle_to_s=1.0, survived=stats.reused, dropped=0),
            IdleBucket(idle_from_s=56.0, idle_to_s=68.0, survived=0, dropped=stats.opened),
        )
        return replace(
            stats,
            evicted_pools=1,
            fit=KeepAliveFit(host=stats.host, buckets=buckets, longest_survived_s=0.9, retire_after_s=45.0),
            sizing=SizingAdvice(maximum=20, peak=2, discarded=0, p99_active_60s=1.0, recommended=2),
        )

    monkeypatch.setattr(SampleVenue, "pool", pool)


def happening(make: Callable[..., SampleWindow], monkeypatch: pytest.MonkeyPatch) -> tuple[SampleWindow, Period]:
    """A window that is shown, and a period of its run full of requests, delays, hits of caches, events and spikes."""
    with_health(monkeypatch)
    s = make(seconds=120)
    s.window.resize(1680, 1000)
    s.window.show()
    s.window.charts.load_plots()
    SampleAccounts(s.board, s.clock).fill_in()
    s.window.panels.accounts.refresh_all()
    began_s = s.clock.now_s
    for second in range(1, 61):
        if second in (20, 30):
            s.feed.down ^= {s.board.venue_names[0]}
        s.feed.run(1)
        for name in s.board.venue_names:
            s.board.note_cache(
                name, CacheStats(network=40 + second, cached=7 * second, partial=second, shared=3, stale=2)
            )
        s.pump.stalls.add(0.012)
        s.pump.reply_to_paint.add(0.02 + second / 1_000)
        s.window.status.lag_label.probe.delays.add(0.003)
        s.show_now()
    return s, Period(began_s, s.clock.now_s)
