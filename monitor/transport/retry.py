"""The only retry there is: once, on a new socket, when a kept-alive one turned out to be dead."""

from types import TracebackType

from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.response import BaseHTTPResponse

from monitor.transport.pools import TracedHTTPPool
from monitor.transport.tracing import CURRENT


class HealOnce(Retry):
    """Repeat a request whose reused connection dropped before a byte of the reply; raise everything else at once.

    The server had closed the idle connection and cannot have answered. Everything that passes the read-only list may
    be repeated, so the method does not matter. Time-outs, connect failures, drops on a new connection or after the
    first byte are one error each, and no status is waited for or repeated.
    """

    def __init__(self) -> None:
        super().__init__(total=1, respect_retry_after_header=False, backoff_factor=0.0)

    def increment(
        self,
        method: str | None = None,  # noqa: ARG002 - urllib3's signature
        url: str | None = None,  # noqa: ARG002 - as above
        response: BaseHTTPResponse | None = None,  # noqa: ARG002 - as above
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> "HealOnce":
        """Either note on the record that another attempt begins, or raise ``error``."""
        record = CURRENT.record
        if record is not None and record.is_dropped and record.is_stale_candidate:
            record.heal()
            if isinstance(_pool, TracedHTTPPool):
                _pool.ledger.account.count_healed()
            # Itself, not a counted-down copy: the record knows that this was the one, and a history would keep URLs.
            return self
        raise error if error is not None else RuntimeError("a reply is never retried")

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:  # noqa: ARG002 - urllib3's signature
        """No status is retried: 429 and the like belong to the budget."""
        return False
