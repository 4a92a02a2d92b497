"""A small HTTP proxy on loopback: CONNECT tunnels and plain forwarding, with a password if wanted."""

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class ConnectProxy:
    """Accepts, counts and passes bytes both ways. ``targets`` are the request lines' targets, in order."""

    def __init__(self, *, user: str | None = None, password: str = "") -> None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = f"basic {token}".lower() if user is not None else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.accepts = 0
        self.targets: list[str] = []
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Proxy URL without user and password."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]  # a bound method
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepts += 1
            self._sockets.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
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
        self._sockets.append(upstream)
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = target[target.index(port) + len(port) :]
            upstream.sendall(head.replace(target.encode("latin-1"), path.encode("latin-1"), 1))
        self._start(self._pass, upstream, client)
        self._pass(client, upstream)

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for sock in (source, sink):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


@contextlib.contextmanager
def proxying(*, user: str | None = None, password: str = "") -> Iterator[ConnectProxy]:
    """A proxy for the length of a ``with`` block."""
    proxy = ConnectProxy(user=user, password=password)
    try:
        yield proxy
    finally:
        proxy.stop()
