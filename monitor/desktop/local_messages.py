"""One short request and its answer between two processes of one user: a local socket, or a named pipe on Windows."""

import sys
from collections.abc import Callable
from typing import Protocol

_MAX_BYTES = 1024


class Door(Protocol):
    """Where requests come in."""

    def answer(self, take: Callable[[bytes], bytes | None], wait_s: float) -> None:
        """Wait for one request and answer it with what ``take`` makes of it (``None``: not at all).

        Blocks until somebody comes, and at most ``wait_s`` for what they say. Raises ``OSError`` or ``EOFError``: they
        left, or there is no door any more.
        """

    def close(self) -> None:
        """Let nobody in any more."""


if sys.platform == "win32":
    from multiprocessing.connection import Client, Listener

    class _Pipe:
        """A named pipe; making it fails with ``PermissionError`` while another process has it."""

        def __init__(self, address: str) -> None:
            self._listener = Listener(address, "AF_PIPE")

        def answer(self, take: Callable[[bytes], bytes | None], wait_s: float) -> None:
            with self._listener.accept() as connection:
                if connection.poll(wait_s) and (answer := take(connection.recv_bytes(_MAX_BYTES))) is not None:
                    connection.send_bytes(answer)

        def close(self) -> None:
            self._listener.close()

    def open_door(address: str) -> Door:
        """Listen at ``address``. Raises ``PermissionError``: another process does."""
        return _Pipe(address)

    def ask(address: str, request: bytes, wait_s: float) -> bytes:
        """The answer to ``request``; empty when none came within ``wait_s``. Raises ``OSError``: nobody is there."""
        with Client(address, "AF_PIPE") as connection:
            connection.send_bytes(request)
            return connection.recv_bytes(_MAX_BYTES) if connection.poll(wait_s) else b""

else:
    import socket
    from pathlib import Path

    class _Socket:
        """A socket in the file system; one that a dead process left behind is replaced."""

        def __init__(self, address: str) -> None:
            self._path = Path(address)
            self._path.unlink(missing_ok=True)
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.bind(address)
                self._path.chmod(0o600)
                self._socket.listen(1)
            except BaseException:
                self._socket.close()
                raise

        def answer(self, take: Callable[[bytes], bytes | None], wait_s: float) -> None:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(wait_s)
                if (answer := take(_read(connection))) is not None:
                    connection.sendall(answer)

        def close(self) -> None:
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def open_door(address: str) -> Door:
        """Listen at ``address``. Raises ``OSError``: it cannot be written to."""
        return _Socket(address)

    def ask(address: str, request: bytes, wait_s: float) -> bytes:
        """The answer to ``request``. Raises ``OSError``: nobody is there, or did not answer within ``wait_s``."""
        with socket.socket(socket.AF_UNIX) as connection:
            # Without a limit, connecting to an instance that hangs blocks for ever once its queue is full.
            connection.settimeout(wait_s)
            connection.connect(address)
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return _read(connection)

    def _read(connection: socket.socket) -> bytes:
        """Everything the other side says until it is done."""
        said = b""
        while len(said) <= _MAX_BYTES and (more := connection.recv(_MAX_BYTES)):
            said += more
        return said
