"""Requests of a measurement by how they were asked: cold and warm, pooled and unpooled never in one group. Pure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from monitor.proof.statistics import Sample

MIN_BAND = 5
"""Requests below which a range of percentiles would be the range of a few lucky ones."""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind, in the order they were made.

    ``durations_s``: of those that succeeded. ``failed``: how many did not. ``is_cold``: each opened a connection.
    """

    name: str
    definition: str
    is_pooled: bool
    is_cold: bool
    durations_s: tuple[float, ...]
    failed: int

    @property
    def n(self) -> int:
        """Requests with a duration."""
        return len(self.durations_s)

    @property
    def median_s(self) -> float | None:
        """Half of them took at most this long; ``None`` without any."""
        return float(np.median(self.durations_s)) if self.durations_s else None

    @property
    def band_s(self) -> tuple[float, float] | None:
        """5th and 95th percentile; ``None`` below ``MIN_BAND`` requests."""
        if len(self.durations_s) < MIN_BAND:
            return None
        low, high = np.percentile(self.durations_s, (5, 95))
        return float(low), float(high)

    @property
    def counts(self) -> str:
        """``n 20``, or ``n 19, 1 failed``."""
        return f"n {self.n}" + (f", {self.failed} failed" if self.failed else "")


def groups_of(samples: Sequence[Sample], first_samples: Sequence[Sample] = ()) -> tuple[Group, ...]:
    """The groups to show: three of the interleaved run, and three of the first requests if there were any.

    A pooled request that failed counts as warm, unless it was known to open a connection: nothing says that it did.
    """
    run = (
        _group(
            "unpooled, cold",
            "A new session and a new connection for every request.",
            [sample for sample in samples if not sample.is_pooled],
            is_pooled=False,
            is_cold=True,
        ),
        _group(
            "pooled, cold",
            "Requests of the pool that opened a connection: the first, and any after its connection was closed.",
            [sample for sample in samples if sample.is_pooled and sample.is_cold is True],
            is_pooled=True,
            is_cold=True,
        ),
        _group(
            "pooled, warm",
            "Requests of the pool on a connection that was kept.",
            [sample for sample in samples if sample.is_pooled and sample.is_cold is not True],
            is_pooled=True,
            is_cold=False,
        ),
    )
    if not first_samples:
        return run
    return (
        *run,
        _group(
            "start, unpooled",
            "First requests after a start, each on a new session.",
            [sample for sample in first_samples if not sample.is_pooled],
            is_pooled=False,
            is_cold=True,
        ),
        _group(
            "start, pooled",
            "First requests after a start, each in a new pool without a connection yet.",
            [sample for sample in first_samples if sample.is_pooled and not sample.is_prewarmed],
            is_pooled=True,
            is_cold=True,
        ),
        _group(
            "start, pre-warmed",
            "First requests in a new pool whose connection had been opened before: paid earlier, not saved.",
            [sample for sample in first_samples if sample.is_prewarmed and sample.is_cold is not True],
            is_pooled=True,
            is_cold=False,
        ),
    )


def _group(name: str, definition: str, samples: Sequence[Sample], *, is_pooled: bool, is_cold: bool) -> Group:
    durations = tuple(sample.duration_s for sample in samples if sample.duration_s is not None)
    return Group(
        name=name,
        definition=definition,
        is_pooled=is_pooled,
        is_cold=is_cold,
        durations_s=durations,
        failed=len(samples) - len(durations),
    )
