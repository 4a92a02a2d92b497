"""Name look-ups that end in time: the system's resolver runs in a helper thread that nobody has to wait for."""

import ipaddress
import socket
import threading
from collections.abc import Callable

AddressInfo = tuple[int, int, int, str, tuple[object, ...]]
"""What ``getaddrinfo`` gives: family, type, protocol, canonical name, socket address."""

Lookup = Callable[[str, int], list[AddressInfo]]


def system_lookup(host: str, port: int) -> list[AddressInfo]:
    """Ask the operating system. Blocks for as long as it likes; raises ``socket.gaierror``."""
    return list(socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM))


class _Answer:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: list[AddressInfo] = []
        self.error: Exception | None = None


class Resolver:
    """Finds the addresses of a host within a given time.

    Those who ask for the same host at the same time share one look-up, so a resolver that hangs holds one thread per
    host, not one per request.

    Thread: any.
    """

    def __init__(self, lookup: Lookup = system_lookup) -> None:
        self._lookup = lookup
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], _Answer] = {}

    def resolve(self, host: str, port: int, timeout_s: float | None) -> list[AddressInfo]:
        """Addresses of ``host`` in the order to try them; blocks up to ``timeout_s`` (``None``: as long as it takes).

        Raises:
            socket.gaierror: the name has no address.
            TimeoutError: no answer in time.
        """
        if _is_address(host):
            return self._lookup(host, port)
        with self._lock:
            answer = self._pending.get((host, port))
            if answer is None:
                answer = self._pending[host, port] = _Answer()
                threading.Thread(
                    target=self._run, args=(host, port, answer), name=f"resolve {host}", daemon=True
                ).start()
        if not answer.done.wait(timeout_s):
            raise TimeoutError("name look-up timed out")
        if answer.error is not None:
            # A copy: the same look-up may fail several requests, and an exception has only one traceback.
            raise type(answer.error)(*answer.error.args)
        return answer.addresses

    def _run(self, host: str, port: int, answer: _Answer) -> None:
        try:
            answer.addresses = self._lookup(host, port)
        except OSError as error:
            answer.error = error
        except UnicodeError:
            # The name cannot be written in DNS at all.
            answer.error = socket.gaierror(socket.EAI_NONAME, "not a host name")
        finally:
            with self._lock:
                del self._pending[host, port]
            answer.done.set()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
