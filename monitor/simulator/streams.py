"""Byte streams over accepted sockets, with TLS done by hand so that a handshake can be late, stuck or refused."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct

_CHUNK = 65_536


class StreamClosed(Exception):
    """The other side is gone, or the stream was closed by us; the connection ends."""


class PlainStream:
    """An accepted socket read and written by one task.

    Thread: the event loop. `reset` sends RST, `close` sends FIN; both may be called from anywhere in the loop.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def start(self, delay_s: float) -> None:
        """Make the stream usable; delay_s is the time that setting up a connection takes on the simulated network."""
        await asyncio.sleep(delay_s)

    async def receive(self) -> bytes:
        """Return the next bytes; b"" when the other side has finished. Raises StreamClosed."""
        return await self._raw_receive()

    async def send(self, data: bytes) -> None:
        """Send all of data. Raises StreamClosed."""
        await self._raw_send(data)

    async def _raw_receive(self) -> bytes:
        try:
            return await self._loop.sock_recv(self._sock, _CHUNK)
        except (OSError, ValueError) as exc:
            raise StreamClosed from exc

    async def _raw_send(self, data: bytes) -> None:
        try:
            await self._loop.sock_sendall(self._sock, data)
        except (OSError, ValueError) as exc:
            raise StreamClosed from exc

    def close(self) -> None:
        """Close in an orderly way (FIN). What the peer still sends is answered with RST by the kernel, as
        everywhere."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._sock.close()

    def reset(self) -> None:
        """Close abruptly (RST): the peer's next read fails with "connection reset"."""
        with contextlib.suppress(OSError):
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()


class TlsStream(PlainStream):
    """The same over TLS, server side. `start` does the handshake and raises StreamClosed when it fails."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        super().__init__(sock)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def start(self, delay_s: float) -> None:
        # The kernel has already finished the TCP handshake, so its round trip is made up here, before the first TLS
        # byte.
        await asyncio.sleep(delay_s)
        is_first_flight = True
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                if self._outgoing.pending and is_first_flight:
                    is_first_flight = False
                    await asyncio.sleep(delay_s)  # the round trip of ClientHello and ServerHello
                await self._flush()
                await self._feed()
            except ssl.SSLError as exc:
                with contextlib.suppress(StreamClosed):
                    await self._flush()  # the alert that says why
                raise StreamClosed from exc
        await self._flush()

    async def receive(self) -> bytes:
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._raw_receive()
                if not data:
                    return b""
                self._incoming.write(data)
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as exc:
                raise StreamClosed from exc

    async def send(self, data: bytes) -> None:
        # A chunk at a time keeps memory flat for the huge-body fault.
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            try:
                self._tls.write(view[start : start + _CHUNK])
            except ssl.SSLError as exc:
                raise StreamClosed from exc
            await self._flush()

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._raw_send(self._outgoing.read())

    async def _feed(self) -> None:
        data = await self._raw_receive()
        if not data:
            raise StreamClosed("the client left during the handshake")
        self._incoming.write(data)

    def close(self) -> None:
        # close_notify first, then FIN without waiting for the answer, as busy servers do.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        with contextlib.suppress(OSError):
            if self._outgoing.pending:
                self._sock.send(self._outgoing.read())
        super().close()
