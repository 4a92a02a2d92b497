"""The only retry there is: on a new socket, at once, when one was closed by the other end before it answered."""

from types import TracebackType

from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.response import BaseHTTPResponse

from monitor.transport.pools import TracedHTTPPool
from monitor.transport.tracing import CURRENT, MAX_ATTEMPTS


class HealDrops(Retry):
    """Repeat a request whose connection was dropped before a byte of the reply; raise everything else at once.

    A server may end a connection that it calls idle just as we send, a new one too. Everything that passes the
    read-only list may be repeated, so the method does not matter. Time-outs, connect failures and drops after the first
    byte are one error each, and no status is waited for or repeated. A host that dropped ``MAX_ATTEMPTS`` in a row is
    in trouble, not tidying up: until it answers, its new connections are given no second try.
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
    ) -> "HealDrops":
        """Either note on the record that another attempt begins, or raise ``error``."""
        record = CURRENT.record
        if record is not None and record.is_dropped:
            account = _pool.ledger.account if isinstance(_pool, TracedHTTPPool) else None
            if record.may_repeat(is_new_trusted=account is None or not account.is_dropping_all):
                record.repeat(account)
                # Itself, not a counted-down copy: the record counts, and a history would keep URLs.
                return self
            if account is not None and record.attempt >= MAX_ATTEMPTS:
                account.is_dropping_all = True
        raise error if error is not None else RuntimeError("a reply is never retried")

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:  # noqa: ARG002 - urllib3's signature
        """No status is retried: 429 and the like belong to the budget."""
        return False
