"""How a session connects: pool sizes, time limits, proxies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from monitor import APP_NAME, __version__
from monitor.transport.interface import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    """Settings of one :class:`~monitor.transport.session.PooledSession`. Times are seconds.

    ``pool_connections``: origins whose pools are kept. ``pool_maxsize``: idle connections kept per origin; with
    ``pool_block`` also the most that may be in use. ``connect_timeout_s`` is per address, and again for TLS;
    ``read_timeout_s`` per wait for bytes; ``deadline_s`` for the whole request with everything in it.
    ``max_idle_s``: a connection idle for longer is retired instead of used; ``None``: never. A housekeeper retires it
    sooner where it has learned that the host does not wait so long, and one older than ``max_age_s`` (less up to a
    tenth, so that they do not all end together) once it is idle. ``is_sizing_automatic``: the size follows the use
    within 2 to 32 and begins at ``pool_maxsize``. ``keep_warm``: asked so that one idle connection stays open while
    the venue is in use; ``None``: nothing is asked. All three need the housekeeper.
    ``dns_cache_s``: how long addresses are used before they are asked for again; 0: asked for each connection.
    ``is_ipv4_only``: names are looked up for IPv4 addresses alone. ``tls_resumption``: new connections show the ticket
    of an earlier one (not on Windows and macOS, whose verifiers want the certificates each time).
    ``proxies``: scheme (``http``, ``https``, ``all``) to proxy URL; ``None``: none. The environment is never asked.
    ``is_traced`` False leaves out every measurement and the healing; it exists for the benchmark of what they cost.
    """

    pool_connections: int = 10
    pool_maxsize: int = 20
    pool_block: bool = False
    # Just past the second retransmission of a lost SYN.
    connect_timeout_s: float = 3.1
    read_timeout_s: float = 8.0
    deadline_s: float = 12.0
    max_idle_s: float | None = 300.0
    max_age_s: float = 1_800.0
    is_sizing_automatic: bool = False
    keep_warm: Question | None = None
    dns_cache_s: float = 45.0
    is_ipv4_only: bool = False
    tls_resumption: bool = True
    proxies: Mapping[str, str] | None = field(default=None, repr=False)  # may hold a password
    user_agent: str = f"{APP_NAME.replace(' ', '')}/{__version__}"
    is_traced: bool = True

    def __post_init__(self) -> None:
        if self.pool_connections < 1 or self.pool_maxsize < 1:
            raise ValueError("a pool needs room for at least one")
        if min(self.connect_timeout_s, self.read_timeout_s, self.deadline_s, self.max_age_s) <= 0.0:
            raise ValueError("a time limit must be above zero")
        if self.proxies is not None:
            object.__setattr__(self, "proxies", MappingProxyType(dict(self.proxies)))
