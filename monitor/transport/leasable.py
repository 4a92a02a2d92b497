"""What the ledger asks of a pool and of a connection."""

from typing import Protocol

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import SocketEntry
from monitor.transport.tracing import Record


class Pool(Protocol):
    """As much of urllib3's pool as the ledger looks at: ``pool`` is its queue, ``None`` once it is closed."""

    @property
    def pool(self) -> object | None:
        """The ledger itself, or ``None``."""
        ...


class Leasable(Protocol):
    """A connection as the ledger sees it."""

    entry: "SocketEntry | None"
    is_leased: bool
    is_tainted: bool
    """Bytes beyond the end of a reply were seen on it."""

    def lease(self, record: Record) -> None:
        """Serve this record's attempt."""
        ...

    def is_alive(self) -> bool:
        """Whether the other end has neither closed nor said anything unasked."""
        ...

    def retire(self, cause: CloseCause) -> None:
        """Close the socket for this reason."""
        ...
