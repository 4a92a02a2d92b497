"""A loopback HTTP(S) server that counts what it accepts and does what a test tells it, also what no server should.

Run as a program it serves in a process of its own until its standard input ends, for benchmarks:
``python tests/fakes/tls_server.py`` prints one JSON line with ``url`` and ``ca_file``. A path that ends in ``/close``
is answered with ``Connection: close``. With the argument ``1.2`` it speaks no newer TLS than that.
"""

import contextlib
import json
import socket
import ssl
import struct
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trustme

SMALL_JSON = (
    b'{"code":0,"data":[{"symbol":"BTCUSDT","markPrice":"61234.5","lastPrice":"61234.1","open":"60000.0",'
    b'"last":"61234.1","quoteVol":"1234567","baseVol":"2034","high":"62000.0","low":"59000.9"},'
    b'{"symbol":"ETHUSDT","markPrice":"3012.45","lastPrice":"3012.40","open":"2950.00","last":"3012.40","quoteVol":'
    b'"98765432"}],"msg":"Success"}'
)
"""A reply of the usual small size (318 bytes)."""

HEADERS = {
    "Date": "Mon, 23 Nov 2026 10:00:00 GMT",
    "Content-Type": "application/json; charset=utf-8",
    "Server": "loopback",
    "Cache-Control": "no-store",
    "X-Request-Id": "0123456789abcdef",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Encoding",
    "CF-Cache-Status": "DYNAMIC",
    "CF-Ray": "0123456789abcdef-FRA",
}


def http_reply(
    body: bytes = SMALL_JSON, *, status: int = 200, headers: Mapping[str, str] | None = None, length: bool = True
) -> bytes:
    """The bytes of a reply; ``headers`` on top of the usual ones."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name}: {value}" for name, value in {**HEADERS, **(headers or {})}.items()]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Received:
    """One request as it came; ``number`` counts those of its connection from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    number: int
    connection: "ServerConnection"

    def reply(self, body: bytes = SMALL_JSON, **kwargs: object) -> None:
        """Send a reply as :func:`http_reply` makes it."""
        self.connection.send(http_reply(body, **kwargs))  # type: ignore[arg-type]  # passed on as they are


Behaviour = Callable[[Received], None]


class ServerConnection:
    """One accepted connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.is_idle = True
        self.ended = threading.Event()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def shut_down(self) -> None:
        """End in order (FIN), from any thread; the serving thread notices and closes."""
        self.ended.set()
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: that would take the TLS state away from the thread that reads.
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        """End in order, from the serving thread."""
        self.shut_down()
        self.sock.close()

    def reset(self) -> None:
        """End rudely (RST), from the serving thread."""
        self.ended.set()
        with contextlib.suppress(OSError):
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def answer(received: Received) -> None:
    """The usual reply."""
    received.reply()


def drop(received: Received) -> None:
    """Close without a byte, as when an idle time-out and a request cross on the way."""
    received.connection.close()


def reset(received: Received) -> None:
    """The same with a reset."""
    received.connection.reset()


def answer_and_close(received: Received) -> None:
    """A reply that announces the end of the connection."""
    received.reply(headers={"Connection": "close"})
    received.connection.close()


@dataclass
class LoopbackServer:
    """Accepts, counts and answers on 127.0.0.1.

    ``script`` holds behaviours for the next requests, whichever connection they come on; then ``behave`` answers.
    ``on_accept`` may refuse a connection before TLS by returning False.
    """

    is_tls: bool = True
    behave: Behaviour = answer
    on_accept: Callable[[socket.socket], bool] = lambda sock: True
    authority: trustme.CA = field(default_factory=trustme.CA)
    host: str = "127.0.0.1"
    script: deque[Behaviour] = field(default_factory=deque)
    accepts: int = 0
    failed_handshakes: int = 0
    served: int = 0
    tls_version: ssl.TLSVersion | None = None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: set[ServerConnection] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((self.host, 0), backlog=200)
        self.port = int(self._listener.getsockname()[1])
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.tls_version is not None:
            self._context.maximum_version = self.tls_version
        self.authority.issue_cert("127.0.0.1", "localhost", "a.test", "b.test", "c.test").configure_cert(self._context)
        self._is_stopping = False
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{'https' if self.is_tls else 'http'}://{self.host}:{self.port}"

    def client_context(self) -> ssl.SSLContext:
        """A context that trusts this server's authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        return context

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed, as far as this side has noticed."""
        with self._lock:
            return len(self._connections)

    def close_idle(self, limit: int = 1_000_000) -> int:
        """Close connections that wait for a request, at most ``limit``; returns how many."""
        with self._lock:
            idle = [c for c in self._connections if c.is_idle and not c.ended.is_set()][:limit]
            for connection in idle:
                connection.shut_down()
        return len(idle)

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self._is_stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections)
            threads = list(self._threads)
        for connection in connections:
            connection.shut_down()
        for thread in threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name="loopback server")
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _accept(self) -> None:
        while not self._is_stopping:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepts += 1
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = ServerConnection(sock)
        with self._lock:
            self._connections.add(connection)
        try:
            if not self.on_accept(sock):
                return
            if self.is_tls:
                try:
                    connection.sock = self._context.wrap_socket(sock, server_side=True)
                except OSError:
                    with self._lock:
                        self.failed_handshakes += 1
                    return
            self._converse(connection)
        except OSError:
            pass  # the client, or the test, ended it
        finally:
            connection.close()
            with self._lock:
                self._connections.discard(connection)

    def _converse(self, connection: ServerConnection) -> None:
        with connection.sock.makefile("rb") as stream:
            number = 0
            while not self._is_stopping and not connection.ended.is_set():
                connection.is_idle = True
                line = stream.readline()
                if not line:
                    return
                with self._lock:  # either it was closed as idle, or this request is served
                    if connection.ended.is_set():
                        return
                    connection.is_idle = False
                try:
                    method, target, _ = line.decode("latin-1").split(" ", 2)
                except ValueError:
                    return  # not HTTP: a TLS handshake, most likely
                headers: dict[str, str] = {}
                while (line := stream.readline()) not in (b"\r\n", b""):
                    name, _, value = line.decode("latin-1").partition(":")
                    headers[name.strip().lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                number += 1
                with self._lock:
                    self.served += 1
                    behave = self.script.popleft() if self.script else self.behave
                behave(Received(method, target, headers, body, number, connection))


@contextlib.contextmanager
def serving(**kwargs: object) -> Iterator[LoopbackServer]:
    """A server for the length of a ``with`` block."""
    server = LoopbackServer(**kwargs)  # type: ignore[arg-type]  # passed on as they are
    try:
        yield server
    finally:
        server.stop()


def _by_path(received: Received) -> None:
    (answer_and_close if received.target.endswith("/close") else answer)(received)


def main() -> None:
    """Serve until standard input ends."""
    version = ssl.TLSVersion.TLSv1_2 if "1.2" in sys.argv[1:] else None
    with tempfile.TemporaryDirectory() as folder, serving(behave=_by_path, tls_version=version) as server:
        ca_file = Path(folder) / "ca.pem"
        server.authority.cert_pem.write_to_path(str(ca_file))
        print(json.dumps({"url": server.url, "ca_file": str(ca_file)}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
