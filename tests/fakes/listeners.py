"""Loopback ports that behave badly at the connect: refuse, or do not answer."""

import contextlib
import socket
from collections.abc import Iterator

from monitor.transport.resolver import AddressInfo


def address_info(host: str, port: int) -> AddressInfo:
    """What a look-up would say of this loopback port; ``host`` is ``127.0.0.1`` or ``::1``."""
    if ":" in host:
        return (int(socket.AF_INET6), int(socket.SOCK_STREAM), 0, "", (host, port, 0, 0))
    return (int(socket.AF_INET), int(socket.SOCK_STREAM), 0, "", (host, port))


def closed_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on."""
    with socket.create_server((host, 0), family=_family(host)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def deaf_listener(host: str = "127.0.0.1") -> Iterator[int]:
    """A port whose queue of new connections is full: a connect there gets no answer (not so on Windows)."""
    with socket.create_server((host, 0), family=_family(host), backlog=0) as listener:
        port = int(listener.getsockname()[1])
        fillers = []
        for _ in range(4):
            filler = socket.socket(_family(host))
            filler.setblocking(False)
            filler.connect_ex((host, port))
            fillers.append(filler)
        try:
            yield port
        finally:
            for filler in fillers:
                filler.close()


@contextlib.contextmanager
def listener(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A socket that listens and whose owner accepts what it likes."""
    with socket.create_server((host, 0), family=_family(host)) as sock:
        yield sock


def has_ipv6() -> bool:
    """Whether ``::1`` can be listened on here."""
    try:
        with listener("::1"):
            return True
    except OSError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
