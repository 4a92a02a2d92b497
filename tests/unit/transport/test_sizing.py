"""Advice on a pool's size, and how the automatic mode follows it."""

import itertools

from monitor.domain.pool_health import SizingAdvice
from monitor.transport.sizing import Sizer, no_uses


def uses(**counts: int) -> list[int]:
    made = no_uses()
    for name, count in counts.items():
        made[int(name[1:])] += count
    return made


def advise(sizer: Sizer, now_s: float, made: list[int], maximum: int = 20) -> SizingAdvice:
    return sizer.advise(now_s, made, maximum=maximum, peak=3, discarded=0, is_automatic=True)


def test_no_advice_in_the_first_seconds() -> None:
    assert advise(Sizer(0.0), 5.0, uses(n1=3)).recommended is None


def test_rare_peaks_do_not_count_frequent_ones_do() -> None:
    sizer = Sizer(0.0)
    rare = advise(sizer, 10.0, uses(n1=995, n3=5))
    assert (rare.p99_active_60s, rare.recommended) == (1.0, 2)
    often = advise(sizer, 15.0, uses(n3=50))
    assert (often.p99_active_60s, often.recommended) == (3.0, 4)


def test_what_is_older_than_a_minute_is_forgotten_and_bounds_hold() -> None:
    sizer = Sizer(0.0)
    assert advise(sizer, 10.0, uses(n60=50)).recommended == 32
    assert advise(sizer, 71.0, no_uses()).recommended == 2


def test_grows_at_once_and_shrinks_by_one_after_a_minute() -> None:
    sizer = Sizer(0.0)
    sizes = []
    size = 8
    for now_s in range(10, 141, 5):
        advice = advise(sizer, float(now_s), uses(n1=10), maximum=size)
        size = sizer.size(float(now_s), advice)
        sizes.append(size)
    assert sizes[:12] == [8] * 12
    assert sizes[-1] < 8
    assert all(before - after in (0, 1) for before, after in itertools.pairwise(sizes))

    burst = advise(sizer, 145.0, uses(n12=1_000), maximum=size)
    assert sizer.size(145.0, burst) == burst.recommended == 16
