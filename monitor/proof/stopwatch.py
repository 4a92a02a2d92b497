"""Timing one request of the pooled session as the client without a pool is timed: body decoded, attempts added up."""

import contextlib
import time
from collections.abc import Mapping, Sequence

import msgspec

from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.proof.interleave import Reading
from monitor.transport.interface import Endpoint, Reply, Transport


class Stopwatch(Transport):
    """The pooled session, timing the decoding as well: the naive figure has its own in it."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.decode_s = 0.0
        self._decode = msgspec.json.Decoder().decode

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
        reply = self.inner.request(endpoint, params=params, body=body, headers=headers, weight=weight)
        started_s = time.perf_counter()
        # What is wrong with a broken body is for the client to say.
        with contextlib.suppress(msgspec.DecodeError):
            self._decode(reply.body)
        self.decode_s = time.perf_counter() - started_s
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


def reading_of(traces: Sequence[RequestTrace], decode_s: float) -> Reading:
    """One logical request; a healed one took as long as all its attempts."""
    last = traces[-1]
    setup_s = None
    if last.connect_s is not None:
        setup_s = last.connect_s + (last.dns_s or 0.0)
    return Reading(duration_s=sum(trace.total_s for trace in traces) + decode_s, is_cold=last.is_cold, setup_s=setup_s)
