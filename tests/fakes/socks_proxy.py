"""A small SOCKS 5 proxy on loopback (RFC 1928, RFC 1929); knows the name ``a.test`` as this machine."""

import contextlib
import socket
from collections.abc import Iterator

from tests.fakes.loopback_proxy import LoopbackProxy


class Socks5Proxy(LoopbackProxy):
    """``targets`` are the hosts asked for, as they were written."""

    def __init__(self, *, user: str | None = None, password: str = "") -> None:
        self._login = None if user is None else (user.encode(), password.encode())
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Shake hands, and pass on."""
        try:
            upstream = self._agree(client)
        except OSError:
            upstream = None
        if upstream is None:
            client.close()
            return
        self.join(client, upstream)

    def _agree(self, client: socket.socket) -> socket.socket | None:
        def read(count: int) -> bytes:
            data = b""
            while len(data) < count:
                part = client.recv(count - len(data))
                if not part:
                    raise OSError("gone")
                data += part
            return data

        methods = read(read(2)[1])
        wanted = 0 if self._login is None else 2
        if wanted not in methods:
            client.sendall(b"\x05\xff")
            return None
        client.sendall(bytes([5, wanted]))
        if self._login is not None:
            user = read(read(2)[1])
            password = read(read(1)[0])
            client.sendall(b"\x01\x00" if (user, password) == self._login else b"\x01\x01")
            if (user, password) != self._login:
                return None
        kind = read(4)[3]
        host = socket.inet_ntoa(read(4)) if kind == 1 else read(read(1)[0]).decode()
        port = int.from_bytes(read(2), "big")
        self.targets.append(host)
        try:
            upstream = socket.create_connection(("127.0.0.1" if host == "a.test" else host, port), 10)
        except OSError:
            client.sendall(b"\x05\x05\x00\x01" + bytes(6))
            return None
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        return upstream


@contextlib.contextmanager
def socks_proxying(*, user: str | None = None, password: str = "") -> Iterator[Socks5Proxy]:
    """A proxy for the length of a ``with`` block."""
    proxy = Socks5Proxy(user=user, password=password)
    try:
        yield proxy
    finally:
        proxy.stop()
