"""How long connections of a pool last: the rules of a keep-alive pool on a simulated clock. Pure."""

import msgspec

from monitor.transport.rounds import AGE_JITTER


class LifeRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a connection ends, in seconds; ``None``: never, as far as is known.

    ``server_idle_s``: nobody used it for so long, and the venue closes it. ``max_idle_s`` and ``max_age_s``: we retire
    it before its next use. ``max_requests``: it serves so many, then its other end closes it.
    ``is_pooled`` False: every request opens its own.
    """

    server_idle_s: float | None
    max_idle_s: float | None = None
    max_age_s: float | None = None
    max_requests: float | None = None
    is_pooled: bool = True


class _Kept(msgspec.Struct):
    opened_s: float
    free_from_s: float
    served: int = 1


def soonest_age_s(max_age_s: float) -> float:
    """At which age a connection may go at the soonest, where ``max_age_s`` is set: no day retires more than that."""
    return max_age_s * (1.0 - AGE_JITTER)


class PoolLife:
    """Which requests find a connection. The one used last is used first, as in the real pool.

    Requests are told in the order of their starts; they may overlap.
    """

    def __init__(self, rules: LifeRules) -> None:
        self._rules = rules
        self._kept: list[_Kept] = []
        self.opened = 0

    def use(self, start_s: float, *, warm_s: float, cold_s: float) -> tuple[float, bool]:
        """Begin a request at ``start_s`` and return when it ends and whether it opened a connection.

        It takes ``warm_s`` on a kept connection and ``cold_s`` with a new one.
        """
        self._kept = [kept for kept in self._kept if kept.free_from_s > start_s or self._lives(kept, start_s)]
        free = [kept for kept in self._kept if kept.free_from_s <= start_s]
        if free:
            kept = max(free, key=_free_from)
            kept.free_from_s = start_s + warm_s
            kept.served += 1
            return kept.free_from_s, False
        self.opened += 1
        end_s = start_s + cold_s
        if self._rules.is_pooled:
            self._kept.append(_Kept(start_s, end_s))
        return end_s, True

    def _lives(self, kept: _Kept, now_s: float) -> bool:
        idle_s, age_s = now_s - kept.free_from_s, now_s - kept.opened_s
        rules = self._rules
        return (
            (rules.server_idle_s is None or idle_s < rules.server_idle_s)
            and (rules.max_idle_s is None or idle_s < rules.max_idle_s)
            and (rules.max_age_s is None or age_s < rules.max_age_s)
            and (rules.max_requests is None or kept.served < rules.max_requests)
        )


def _free_from(kept: _Kept) -> float:
    return kept.free_from_s
