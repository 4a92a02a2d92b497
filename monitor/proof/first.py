"""The first request after a start, in rounds: on a new session, in a new pool, and in a new pool that was pre-warmed.

A measurement has only one first request each way, and luck decides a single one. Here each round has new sessions, so
that every request is a first one.
"""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

import msgspec

from monitor.domain.errors import BudgetExhausted
from monitor.proof.interleave import Contender, Reading
from monitor.proof.statistics import Sample, faster_by
from monitor.transport.session import PooledSession

MakePool = Callable[[], PooledSession]
AskPool = Callable[[PooledSession], Reading]
Prewarm = Callable[[PooledSession], object]


class FirstFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of ``rounds`` first requests each; ``None``: none of them succeeded, or that way was not asked.

    ``prewarm_s``: what opening the connection took before the pre-warmed request. It is in no other figure: that
    handshake was paid earlier, not saved.
    """

    rounds: int
    unpooled_s: float | None = None
    pooled_s: float | None = None
    prewarmed_s: float | None = None
    prewarm_s: float | None = None

    @property
    def pooled_gain(self) -> float | None:
        """1 - pooled / unpooled; ``None`` of a single round, which chance decides."""
        return faster_by(self.pooled_s, self.unpooled_s) if self.rounds > 1 else None

    @property
    def prewarmed_gain(self) -> float | None:
        """1 - pre-warmed / unpooled; ``None`` of a single round."""
        return faster_by(self.prewarmed_s, self.unpooled_s) if self.rounds > 1 else None


class FirstRequests:
    """The contenders of these rounds, and what their samples say. Thread: that of the measurement."""

    def __init__(
        self,
        *,
        unpooled: Callable[[], Reading],
        make_pool: MakePool,
        ask_pool: AskPool,
        prewarm: Prewarm,
    ) -> None:
        """``prewarm`` opens one connection of a session and returns when it is there; ``ask_pool`` asks once."""
        self._make_pool = make_pool
        self._ask_pool = ask_pool
        self._prewarm = prewarm
        self._prewarm_s: list[float] = []
        self._warmed: tuple[PooledSession, float] | None = None
        self.contenders = (
            Contender(ask=unpooled, is_pooled=False, opens_each=True),
            Contender(ask=self._ask_cold, is_pooled=True, opens_each=True),
            Contender(ask=self._ask_prewarmed, is_pooled=True, opens_each=True, is_prewarmed=True),
        )

    def close(self) -> None:
        """Let go of what was opened for a request that was not made."""
        if self._warmed is not None:
            self._warmed[0].close()
            self._warmed = None

    def figures(self, samples: Sequence[Sample]) -> FirstFigures:
        """What the rounds brought."""

        def middle(*, is_pooled: bool, is_prewarmed: bool = False) -> float | None:
            kind = (is_pooled, is_prewarmed, not is_prewarmed)
            # A pool that could not be warmed asked a cold request, which says nothing about a pre-warmed one.
            return _median(
                [
                    sample.duration_s
                    for sample in samples
                    if (sample.is_pooled, sample.is_prewarmed, sample.is_cold) == kind and sample.duration_s is not None
                ]
            )

        return FirstFigures(
            rounds=len({sample.pair for sample in samples}),
            unpooled_s=middle(is_pooled=False),
            pooled_s=middle(is_pooled=True),
            prewarmed_s=middle(is_pooled=True, is_prewarmed=True),
            prewarm_s=_median(self._prewarm_s),
        )

    def _ask_cold(self) -> Reading:
        session = self._make_pool()
        try:
            return self._ask_pool(session)
        finally:
            session.close()

    def _ask_prewarmed(self) -> Reading:
        session, took_s = self._warmed or self._warm()
        self._warmed = None
        try:
            reading = self._ask_pool(session)
        except BudgetExhausted:
            # Nothing was sent: the connection waits for our share of the rate limit, too, instead of another one.
            self._warmed = session, took_s
            raise
        finally:
            if self._warmed is None:
                session.close()
        if reading.is_cold is False:
            self._prewarm_s.append(took_s)
        return reading

    def _warm(self) -> tuple[PooledSession, float]:
        session = self._make_pool()
        started_s = perf_counter()
        self._prewarm(session)
        return session, perf_counter() - started_s


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
