"""A small HTTP proxy on loopback: CONNECT tunnels and plain forwarding, with a password if wanted."""

import base64
import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.fakes.loopback_proxy import LoopbackProxy


class ConnectProxy(LoopbackProxy):
    """``targets`` are the request lines' targets."""

    def __init__(self, *, user: str | None = None, password: str = "") -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = f"basic {token}".lower() if user is not None else None
        super().__init__()

    @property
    def url(self) -> str:
        """Proxy URL without user and password."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        """Read the head of a request, and open the tunnel or pass it on."""
        head = b""
        while b"\r\n\r\n" not in head:
            try:
                data = client.recv(65536)
            except OSError:
                return
            if not data:
                client.close()
                return
            head += data
        lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        self.targets.append(target)
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines[1:]}
        if self._authorization is not None and headers.get("proxy-authorization", "").lower() != self._authorization:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        host, _, port = (target if method == "CONNECT" else urlsplit(target).netloc).rpartition(":")
        try:
            upstream = socket.create_connection((host, int(port)), 10)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            client.close()
            return
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = target[target.index(port) + len(port) :]
            upstream.sendall(head.replace(target.encode("latin-1"), path.encode("latin-1"), 1))
        self.join(client, upstream)


@contextlib.contextmanager
def proxying(*, user: str | None = None, password: str = "") -> Iterator[ConnectProxy]:
    """A proxy for the length of a ``with`` block."""
    proxy = ConnectProxy(user=user, password=password)
    try:
        yield proxy
    finally:
        proxy.stop()
