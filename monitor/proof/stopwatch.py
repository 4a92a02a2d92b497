"""Timing one request of the pooled session as the client without a pool is timed: body decoded, attempts added up.

And holding requests back while somebody else goes first.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec

from monitor.domain.errors import BudgetExhausted
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.proof.interleave import Reading
from monitor.transport.interface import Endpoint, Reply, Transport

HoldS = Callable[[int, float], float]
"""(weight, seconds since it was first asked for) to the seconds until it may be sent; 0: now."""


class Around(Transport):
    """Another transport, asked through this one: with :meth:`before` and :meth:`after` each request."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    def before(self, weight: int) -> None:
        """Called with what a request weighs; it is sent when this returns."""

    def after(self, reply: Reply) -> None:
        """Called with the reply of a request."""

    @property
    def venue(self) -> str:
        return self.inner.venue

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        self.before(weight)
        reply = self.inner.request(endpoint, params=params, body=body, headers=headers, weight=weight)
        self.after(reply)
        return reply

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        self.inner.charge(endpoint, weight)

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:
        self.inner.refused(endpoint, retry_after_s)

    def available_in_s(self, weight: int) -> float:
        return self.inner.available_in_s(weight)

    def pool_stats(self) -> tuple[PoolStats, ...]:
        return self.inner.pool_stats()

    def budget_state(self) -> BudgetState:
        return self.inner.budget_state()

    def forget_network(self) -> None:
        self.inner.forget_network()

    def close(self) -> None:
        self.inner.close()


class Courtesy:
    """Lets a plan that polls the same venue go first. Thread: that of the measurement."""

    def __init__(self, hold_s: HoldS, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._since_s: float | None = None

    def pass_by(self, weight: int) -> None:
        """Return when ``weight`` may be sent now; raises ``BudgetExhausted`` with the time until the next look."""
        now_s = self._clock()
        since_s = now_s if self._since_s is None else self._since_s
        wait_s = self._hold_s(weight, now_s - since_s)
        if wait_s > 0.0:
            self._since_s = since_s
            raise BudgetExhausted("The polls of the plan go first and leave no room yet.", available_in_s=wait_s)
        self._since_s = None


class Behind(Around):
    """Sends nothing before ``courtesy`` allows it."""

    def __init__(self, inner: Transport, courtesy: Courtesy) -> None:
        super().__init__(inner)
        self._courtesy = courtesy

    def before(self, weight: int) -> None:
        """Raise ``BudgetExhausted`` while somebody else goes first."""
        self._courtesy.pass_by(weight)


class Stopwatch(Around):
    """The pooled session, timing the decoding as well: the naive figure has its own in it."""

    def __init__(self, inner: Transport) -> None:
        super().__init__(inner)
        self.decode_s = 0.0
        self._decode = msgspec.json.Decoder().decode

    def after(self, reply: Reply) -> None:
        """Decode it, and remember how long that took."""
        started_s = time.perf_counter()
        # What is wrong with a broken body is for the client to say.
        with contextlib.suppress(msgspec.DecodeError):
            self._decode(reply.body)
        self.decode_s = time.perf_counter() - started_s


def reading_of(traces: Sequence[RequestTrace], decode_s: float) -> Reading:
    """One logical request; a healed one took as long as all its attempts."""
    last = traces[-1]
    setup_s = None
    if last.connect_s is not None:
        setup_s = last.connect_s + (last.dns_s or 0.0)
    return Reading(duration_s=sum(trace.total_s for trace in traces) + decode_s, is_cold=last.is_cold, setup_s=setup_s)
