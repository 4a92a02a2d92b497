"""Name look-ups that end in time and are remembered: the system's resolver runs in a thread nobody has to wait for."""

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

AddressInfo = tuple[int, int, int, str, tuple[object, ...]]
"""What ``getaddrinfo`` gives: family, type, protocol, canonical name, socket address."""

Lookup = Callable[[str, int], list[AddressInfo]]

LAST_GOOD_S = 900.0
"""Addresses are used for this long after they were learned when the resolver gives no new ones."""

_RETRY_S = 5.0
"""After a failed look-up the older answer stands for this long before the resolver is asked again."""

_PREFERENCE_S = 600.0
"""How long the address that answered goes first although the system listed others before it."""

_Key = tuple[str, int]


def system_lookup(host: str, port: int) -> list[AddressInfo]:
    """Ask the operating system. Blocks for as long as it likes; raises ``socket.gaierror``."""
    return list(socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM))


def interleaved(addresses: Sequence[AddressInfo]) -> tuple[AddressInfo, ...]:
    """The same addresses with the families taking turns, the first one's family first (RFC 8305, section 4)."""
    families = list(dict.fromkeys(address[0] for address in addresses))
    lists = [[address for address in addresses if address[0] == family] for family in families]
    longest = max((len(one) for one in lists), default=0)
    return tuple(one[place] for place in range(longest) for one in lists if place < len(one))


class Resolved(msgspec.Struct, frozen=True):
    """Addresses in the order to try them; ``is_cached`` None when the host was an address and nobody was asked."""

    addresses: tuple[AddressInfo, ...]
    is_cached: bool | None


class _Known(msgspec.Struct, frozen=True):
    addresses: tuple[AddressInfo, ...]
    learned_s: float
    fresh_until_s: float


class _Answer:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: tuple[AddressInfo, ...] = ()
        self.error: Exception | None = None


class Resolver:
    """Finds the addresses of a host within a given time, and remembers them for ``ttl_s`` seconds (0: not at all).

    Those who ask for the same host at the same time share one look-up, so a resolver that hangs holds one thread per
    host, not one per request. While it fails or hangs, addresses learned up to :data:`LAST_GOOD_S` ago are used; when
    they stop answering (:meth:`doubt`), it is asked again at the next need. ``patience_s``: how long a new answer is
    waited for while an older one is at hand. ``clock`` is monotonic, in seconds.

    Thread: any.
    """

    def __init__(
        self,
        lookup: Lookup = system_lookup,
        *,
        ttl_s: float = 0.0,
        is_ipv4_only: bool = False,
        patience_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookup = lookup
        self._ttl_s = ttl_s
        self._is_ipv4_only = is_ipv4_only
        self._patience_s = patience_s
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: dict[_Key, _Answer] = {}
        self._known: dict[_Key, _Known] = {}
        self._preferred: dict[_Key, tuple[AddressInfo, float]] = {}

    def resolve(self, host: str, port: int, timeout_s: float | None) -> Resolved:
        """Addresses of ``host`` in the order to try them; blocks up to ``timeout_s`` (``None``: as long as it takes).

        Raises:
            socket.gaierror: the name has no address, or none of IPv4 where only that is wanted.
            TimeoutError: no answer in time, and no older one to fall back on.
        """
        if _is_address(host):
            return Resolved(tuple(self._lookup(host, port)), None)
        key = (host, port)
        with self._lock:
            now = self._clock()
            known = self._known.get(key)
            if known is not None and now < known.fresh_until_s:
                return Resolved(self._by_preference(key, known.addresses, now), True)
            answer = self._pending.get(key)
            if answer is None:
                answer = self._pending[key] = _Answer()
                threading.Thread(target=self._run, args=(key, answer), name=f"resolve {host}", daemon=True).start()
        fallback = known if known is not None and now - known.learned_s < LAST_GOOD_S else None
        if fallback is not None:
            timeout_s = self._patience_s if timeout_s is None else min(timeout_s, self._patience_s)
        is_answered = answer.done.wait(timeout_s)
        if is_answered and answer.error is None:
            with self._lock:
                return Resolved(self._by_preference(key, answer.addresses, self._clock()), False)
        if fallback is not None:
            with self._lock:
                return Resolved(self._by_preference(key, fallback.addresses, self._clock()), True)
        if answer.error is None:
            raise TimeoutError("name look-up timed out")
        # A copy: the same look-up may fail several requests, and an exception has only one traceback.
        raise type(answer.error)(*answer.error.args)

    def worked(self, host: str, port: int, address: AddressInfo) -> None:
        """``address`` answered where others listed before it did not: it goes first for the next ten minutes."""
        with self._lock:
            self._preferred[host, port] = (address, self._clock() + _PREFERENCE_S)

    def doubt(self, host: str, port: int) -> None:
        """None of the addresses could be connected to: ask the system again at the next need."""
        with self._lock:
            self._preferred.pop((host, port), None)
            known = self._known.get((host, port))
            if known is not None:
                self._known[host, port] = replace(known, fresh_until_s=self._clock())

    def forget(self) -> None:
        """Forget everything, also what is being looked up: the network changed, and so may the answers."""
        with self._lock:
            self._pending = {}
            self._known = {}
            self._preferred = {}

    def _by_preference(self, key: _Key, addresses: tuple[AddressInfo, ...], now: float) -> tuple[AddressInfo, ...]:
        preferred, until_s = self._preferred.get(key, (None, 0.0))
        if preferred is None or now >= until_s or preferred not in addresses:
            return addresses
        return (preferred, *(address for address in addresses if address != preferred))

    def _run(self, key: _Key, answer: _Answer) -> None:
        try:
            addresses = self._lookup(*key)
            if self._is_ipv4_only:
                addresses = [address for address in addresses if address[0] == socket.AF_INET]
                if not addresses:
                    raise socket.gaierror(socket.EAI_NONAME, "no IPv4 address")
            answer.addresses = interleaved(addresses)
        except OSError as error:
            answer.error = error
        except UnicodeError:
            # The name cannot be written in DNS at all.
            answer.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            self._keep(key, answer)
            answer.done.set()

    def _keep(self, key: _Key, answer: _Answer) -> None:
        with self._lock:
            if self._pending.get(key) is not answer:  # forgotten meanwhile
                return
            del self._pending[key]
            if self._ttl_s <= 0.0:
                return
            now = self._clock()
            known = self._known.get(key)
            if answer.error is None and answer.addresses:
                self._known[key] = _Known(answer.addresses, now, now + self._ttl_s)
            elif known is not None:
                self._known[key] = replace(known, fresh_until_s=min(now + _RETRY_S, known.learned_s + LAST_GOOD_S))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
