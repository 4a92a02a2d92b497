"""How sockets of one host fared after idling, in time: the keep-alive fit of a period."""

from typing import Final

from monitor.domain.pool_health import IdleBucket, KeepAliveFit
from monitor.state.gains import Gains
from monitor.state.steps import Steps

_REPEATED: Final = 2
"""One dropped socket may have been a restart; as for the fit since start."""


class FitHistory:
    """Samples of one host's fit, as its pool tells it. What an earlier run learned is in no period of this one.

    Thread: the board's.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[float, float], int] = {}
        self._gains = Gains(counts_first=False)
        self._retire_after_s: Steps[float] = Steps()
        self._samples = 0
        self._last: KeepAliveFit | None = None

    def note(self, fit: KeepAliveFit, now_mono_s: float) -> None:
        """Take in the newest state of the fit."""
        if fit is self._last:
            return
        self._last = fit
        totals = [0] * (2 * len(self._places))
        for bucket in fit.buckets:
            edges = (bucket.idle_from_s, bucket.idle_to_s)
            place = self._places.setdefault(edges, len(self._places))
            if 2 * place == len(totals):
                totals += (0, 0)
            totals[2 * place], totals[2 * place + 1] = bucket.survived, bucket.dropped
        # A socket that turns out dead after all moves from one fate to the other; fewer of both is a new count.
        self._gains.note(totals, now_mono_s, is_new_count=fit.samples < self._samples)
        self._samples = fit.samples
        self._retire_after_s.note(fit.retire_after_s, now_mono_s)

    def between(self, start_mono_s: float, end_mono_s: float, host: str) -> KeepAliveFit | None:
        """The fit from the sockets looked at in a period alone; ``None`` where nobody watched then, or it is forgotten.

        Its limits are the shorter ends of their buckets: the idle times themselves are not kept.
        """
        gained = self._gains.between(start_mono_s, end_mono_s)
        retire_after_s = self._retire_after_s.at(end_mono_s)
        if gained is None or retire_after_s is None:
            return None
        counts = [max(int(count), 0) for count in gained]
        buckets = tuple(
            IdleBucket(
                idle_from_s=edges[0], idle_to_s=edges[1], survived=counts[2 * place], dropped=counts[2 * place + 1]
            )
            for edges, place in sorted(self._places.items())
            if 2 * place < len(counts) and (counts[2 * place] or counts[2 * place + 1])
        )
        return KeepAliveFit(
            host=host,
            buckets=buckets,
            longest_survived_s=max((one.idle_from_s for one in buckets if one.survived), default=None),
            shortest_dropped_s=min((one.idle_from_s for one in buckets if _is_limit(one)), default=None),
            retire_after_s=retire_after_s,
        )


def _is_limit(bucket: IdleBucket) -> bool:
    # Drops that repeat and are not the exception, as for the fit since start.
    return bucket.dropped >= _REPEATED and 2 * bucket.dropped >= bucket.dropped + bucket.survived
