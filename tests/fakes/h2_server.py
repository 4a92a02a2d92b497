"""A loopback HTTP/2 server on the ``h2`` library: real frames, real TLS, and a misdeed where a test wants one."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from tests.fakes.tls_server import SMALL_JSON


@dataclass
class Asked:
    """One request, whole; ``number`` counts those of its connection from 1."""

    stream_id: int
    headers: dict[str, str]
    number: int
    link: "ServerLink"
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.headers[":path"]

    def reply(self, body: bytes = SMALL_JSON, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Answer whole."""
        self.link.send_reply(self.stream_id, body, status, headers)


Behaviour = Callable[[Asked], None]


def answer(asked: Asked) -> None:
    """The usual reply."""
    asked.reply()


class ServerLink:
    """One accepted connection; served by its own thread, answers from any."""

    def __init__(self, sock: ssl.SSLSocket, max_streams: int) -> None:
        self.sock = sock
        self.lock = threading.RLock()
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: max_streams}
        )
        self.requests = 0
        self.most_at_once = 0
        self.open: dict[int, Asked] = {}

    def flush(self) -> None:
        """Send what h2 has ready."""
        self.sock.sendall(self.h2.data_to_send())

    def send_reply(self, stream_id: int, body: bytes, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """Headers and body; a body beyond the client's window is the test's mistake."""
        with self.lock:
            self.open.pop(stream_id, None)
            plain = [(":status", str(status)), ("content-type", "application/json"), *headers]
            self.h2.send_headers(stream_id, plain, end_stream=not body)
            for start in range(0, len(body), 16_000):
                self.h2.send_data(stream_id, body[start : start + 16_000], end_stream=start + 16_000 >= len(body))
            self.flush()

    def send_part(self, stream_id: int, part: bytes, *, is_first: bool, is_last: bool = False) -> None:
        """A piece of a body, after the headers if it is the first."""
        with self.lock:
            if is_first:
                self.h2.send_headers(stream_id, [(":status", "200"), ("content-type", "application/json")])
            self.h2.send_data(stream_id, part, end_stream=is_last)
            self.flush()

    def go_away(self, last_stream_id: int) -> None:
        """Say that streams beyond ``last_stream_id`` are not looked at; by hand, as h2 would end the connection."""
        frame = b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + last_stream_id.to_bytes(4, "big") + bytes(4)
        with self.lock:
            self.sock.sendall(frame)

    def drop(self) -> None:
        """End the TCP connection, from any thread."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


@dataclass
class H2Server:
    """Accepts, counts and answers on 127.0.0.1; chooses ``protocols`` at the handshake."""

    behave: Behaviour = answer
    protocols: tuple[str, ...] = ("h2",)
    max_streams: int = 100
    authority: trustme.CA = field(default_factory=trustme.CA)
    accepts: int = 0
    served: int = 0

    def __post_init__(self) -> None:
        self.links: list[ServerLink] = []
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = int(self._listener.getsockname()[1])
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1", "localhost", "a.test").configure_cert(self._context)
        if self.protocols:
            self._context.set_alpn_protocols(list(self.protocols))
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"https://127.0.0.1:{self.port}"

    def client_context(self, *protocols: str) -> ssl.SSLContext:
        """A context that trusts this server's authority alone and offers these, or HTTP/2 and HTTP/1.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(list(protocols or ("h2", "http/1.1")))
        self.authority.configure_trust(context)
        return context

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        for sock in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True, name="h2 server")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepts += 1
            self._start(self._serve, sock)

    def _serve(self, raw: socket.socket) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            sock = self._context.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            return
        self._sockets.append(sock)
        link = ServerLink(sock, self.max_streams)
        self.links.append(link)
        with contextlib.suppress(OSError, H2Error), sock:
            if sock.selected_alpn_protocol() != "h2":
                return
            with link.lock:
                link.h2.initiate_connection()
                link.flush()
            self._converse(link)

    def _converse(self, link: ServerLink) -> None:
        while True:
            data = link.sock.recv(65_536)
            if not data:
                return
            whole: list[Asked] = []
            with link.lock:
                for event in link.h2.receive_data(data):
                    if isinstance(event, RequestReceived):
                        headers = {str(name): str(value) for name, value in event.headers or ()}
                        link.requests += 1
                        link.open[event.stream_id or 0] = Asked(event.stream_id or 0, headers, link.requests, link)
                        link.most_at_once = max(link.most_at_once, len(link.open))
                    elif isinstance(event, DataReceived):
                        link.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                        link.open[event.stream_id or 0].body += event.data or b""
                    elif isinstance(event, StreamEnded) and event.stream_id in link.open:
                        whole.append(link.open[event.stream_id])
                link.flush()
            for asked in whole:
                self.served += 1
                # On its own thread: a slow answer must not hold up the others of the connection.
                self._start(self._answer, asked, self.behave)

    @staticmethod
    def _answer(asked: Asked, behave: Behaviour) -> None:
        with contextlib.suppress(OSError, H2Error):
            behave(asked)


def after(seconds: float) -> Behaviour:
    """The usual reply, a little later."""

    def behave(asked: Asked) -> None:
        time.sleep(seconds)
        asked.reply()

    return behave


@contextlib.contextmanager
def serving_h2(**kwargs: object) -> Iterator[H2Server]:
    """A server for the length of a ``with`` block."""
    server = H2Server(**kwargs)  # type: ignore[arg-type]  # passed on as they are
    try:
        yield server
    finally:
        server.stop()
