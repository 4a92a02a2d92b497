"""Requests by kind for the chart: cold and warm, pooled and unpooled are never in one group."""

import pytest

from monitor.domain.errors import ErrorKind
from monitor.proof.groups import MIN_BAND, Group, groups_of
from monitor.proof.statistics import Sample


def _sample(
    pair: int, duration_s: float | None, *, is_pooled: bool, is_cold: bool | None, is_prewarmed: bool = False
) -> Sample:
    kind = ErrorKind.TIMEOUT if duration_s is None else None
    return Sample(
        pair=pair,
        is_pooled=is_pooled,
        is_prewarmed=is_prewarmed,
        duration_s=duration_s,
        is_cold=is_cold,
        error_kind=kind,
    )


def _run(pairs: int) -> list[Sample]:
    return [
        sample
        for pair in range(pairs)
        for sample in (
            _sample(pair, 0.18 if pair == 0 else 0.06 + pair / 1000, is_pooled=True, is_cold=pair == 0),
            _sample(pair, 0.2, is_pooled=False, is_cold=True),
        )
    ]


def _named(groups: tuple[Group, ...]) -> dict[str, Group]:
    return {group.name: group for group in groups}


def test_cold_and_warm_pooled_and_unpooled_are_apart_and_nothing_is_lost() -> None:
    groups = _named(groups_of(_run(10)))

    assert {name: (one.is_pooled, one.is_cold, one.n) for name, one in groups.items()} == {
        "unpooled, cold": (False, True, 10),
        "pooled, cold": (True, True, 1),
        "pooled, warm": (True, False, 9),
    }
    assert groups["pooled, warm"].median_s == pytest.approx(0.065)
    assert max(groups["pooled, warm"].durations_s) < min(groups["pooled, cold"].durations_s)


def test_a_connection_that_was_closed_on_us_makes_a_cold_request() -> None:
    samples = [*_run(6), _sample(6, 0.19, is_pooled=True, is_cold=True)]

    assert _named(groups_of(samples))["pooled, cold"].durations_s == (0.18, 0.19)


def test_failures_are_counted_beside_the_durations_never_as_zero() -> None:
    failed = [_sample(6, None, is_pooled=True, is_cold=None), _sample(6, None, is_pooled=False, is_cold=None)]
    groups = _named(groups_of([*_run(6), *failed]))

    assert (groups["pooled, warm"].n, groups["pooled, warm"].failed) == (5, 1)
    assert groups["unpooled, cold"].counts == "n 6, 1 failed"
    assert groups["pooled, cold"].counts == "n 1"


def test_a_band_needs_some_requests() -> None:
    few, enough = _named(groups_of(_run(MIN_BAND))), _named(groups_of(_run(MIN_BAND + 1)))

    assert few["pooled, warm"].n == MIN_BAND - 1
    assert few["pooled, warm"].band_s is None
    band = enough["pooled, warm"].band_s
    assert band is not None
    assert min(enough["pooled, warm"].durations_s) <= band[0] < band[1] <= max(enough["pooled, warm"].durations_s)


def test_nothing_asked_is_nothing_known() -> None:
    assert [(one.n, one.median_s, one.band_s) for one in groups_of([])] == [(0, None, None)] * 3


def test_first_requests_are_three_more_groups_and_a_failed_warming_is_in_none() -> None:
    first = [
        sample
        for pair in range(5)
        for sample in (
            _sample(pair, 0.2, is_pooled=False, is_cold=True),
            _sample(pair, 0.18, is_pooled=True, is_cold=True),
            _sample(pair, 0.07, is_pooled=True, is_cold=False, is_prewarmed=True),
        )
    ]
    first.append(_sample(5, 0.19, is_pooled=True, is_cold=True, is_prewarmed=True))
    groups = groups_of(_run(3), first)

    assert [(one.name, one.is_cold, one.n) for one in groups[3:]] == [
        ("start, unpooled", True, 5),
        ("start, pooled", True, 5),
        ("start, pre-warmed", False, 5),
    ]
    assert all(one.definition for one in groups)
