"""One window per user and profile: a second start brings the first one's window to the front and ends.

A lock that the system itself gives back when its holder dies decides who is first; a local socket (a named pipe on
Windows) carries the one request there is. Written out with the standard library: Qt's local sockets are part of
QtNetwork, 4 MB that the bundle does without.
"""

import errno
import hashlib
import logging
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import IO, Any

log = logging.getLogger(__name__)

_SHOW = b"show\n"
_SHOWN = b"shown"
_MAX_REQUEST_BYTES = 1024
_ANSWER_S = 2.0
_PATIENCE_S = 5.0
"""How long a first instance that is still starting is waited for."""


class OtherInstanceError(Exception):
    """Another instance holds the profile but does not answer. The text is for the user."""


class SingleInstance:
    """The claim of this process on a profile; :meth:`claim` makes it.

    Thread: ``close`` any; ``on_show`` is called from a thread of its own with the activation token of the second
    start's desktop (empty where there is none).
    """

    def __init__(self, lock: IO[Any] | None, listener: Listener | None, socket: Path | None) -> None:
        self._lock = lock
        self._listener = listener
        self._socket = socket
        self._waiting = False
        self._show_lock = threading.Lock()
        self._on_show: Callable[[str], None] | None = None
        self._thread = threading.Thread(target=self._listen, name="single instance", daemon=True)
        if listener is not None:
            self._thread.start()

    @classmethod
    def claim(cls, folder: Path, *, token: str = "") -> "SingleInstance | None":
        """Be the first instance for ``folder``, or have the first one show its window and return ``None``.

        ``folder`` exists and can be written to. ``token`` is the desktop's permission to take the focus. Blocks for
        milliseconds, at most :data:`_PATIENCE_S` while a first instance starts.

        Raises:
            OtherInstanceError: there is a first one, which does not answer.
        """
        give_up_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                address = address_of(folder)
                return cls._be_first(folder, address)
            except _TakenError:
                pass
            except OSError as error:
                # A network drive without locks, for example. Two windows are a lesser evil than none.
                log.info("no single instance here: %s", error.strerror or type(error).__name__)
                return cls(None, None, None)
            if ask_to_show(address, token):
                return None
            if time.monotonic() > give_up_s:
                raise OtherInstanceError(
                    "Trading Monitor is already running for this user but does not answer. End it, then start again."
                )
            time.sleep(0.1)

    @classmethod
    def _be_first(cls, folder: Path, address: str) -> "SingleInstance":
        if sys.platform == "win32":
            try:
                # The pipe itself is the lock: only its first instance may be made, and it goes with its process.
                return cls(None, Listener(address, "AF_PIPE"), None)
            except PermissionError as error:
                raise _TakenError from error
        import fcntl  # noqa: PLC0415 - POSIX only

        lock = (folder / "instance.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise _TakenError from error
        except BaseException:
            lock.close()
            raise
        path = Path(address)
        try:
            # Whoever left it behind is gone, or the lock would not be ours.
            path.unlink(missing_ok=True)
            return cls(lock, Listener(address, "AF_UNIX"), path)
        except OSError:
            # Still the only instance, only nobody can ask it for its window.
            log.info("no socket for a second start", exc_info=True)
            return cls(lock, None, None)

    def serve(self, on_show: Callable[[str], None]) -> None:
        """Call ``on_show`` for every second start from now on, and at once for one that came earlier."""
        with self._show_lock:
            self._on_show = on_show
            is_due, self._waiting = self._waiting, False
        if is_due:
            on_show("")

    def close(self) -> None:
        """Give the profile free. A second call does nothing."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing a socket does not wake who waits for a connection on it; a connection does.
            ask_to_show(str(listener.address))
            self._thread.join(_ANSWER_S)
            listener.close()
            if self._socket is not None:
                self._socket.unlink(missing_ok=True)
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _listen(self) -> None:
        while (listener := self._listener) is not None:
            try:
                with listener.accept() as connection:
                    if self._listener is not None:
                        self._answer(connection)
            except (OSError, EOFError):
                time.sleep(0.05)

    def _answer(self, connection: "Connection[Any, Any]") -> None:
        if not connection.poll(_ANSWER_S):
            return
        request = connection.recv_bytes(_MAX_REQUEST_BYTES)
        if not request.startswith(_SHOW):
            return
        connection.send_bytes(_SHOWN)
        with self._show_lock:
            on_show = self._on_show
            self._waiting = self._waiting or on_show is None
        if on_show is not None:
            on_show(request[len(_SHOW) :].decode("ascii", "ignore"))


class _TakenError(Exception):
    """Somebody else is first."""


def ask_to_show(address: str, token: str = "") -> bool:
    """Ask the instance at ``address`` for its window; whether it answered. Blocks at most about two seconds."""
    try:
        with _connect(address) as connection:
            connection.send_bytes(_SHOW + token.encode("ascii", "ignore")[:500])
            return connection.poll(_ANSWER_S) and connection.recv_bytes(_MAX_REQUEST_BYTES) == _SHOWN
    except (OSError, EOFError):
        return False


def _connect(address: str) -> "Connection[Any, Any]":
    if sys.platform == "win32":
        return Client(address, "AF_PIPE")
    with socket.socket(socket.AF_UNIX) as plain:
        # Without a limit, connecting to an instance that hangs blocks for ever once its queue is full.
        plain.settimeout(_ANSWER_S)
        plain.connect(address)
        plain.setblocking(True)
        return Connection(plain.detach())


def address_of(folder: Path) -> str:
    """Where the first instance for ``folder`` listens.

    Not inside it: a socket's path may have 107 bytes at most, and people's folders are longer. Raises ``OSError``:
    there is no private place for it.
    """
    name = hashlib.sha256(f"{folder.resolve()}".encode()).hexdigest()[:20]
    if sys.platform == "win32":
        return rf"\\.\pipe\trading-monitor-{name}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and len(runtime) < 50 and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        return str(Path(runtime) / f"trading-monitor-{name}")
    private = Path(tempfile.gettempdir()) / f"trading-monitor-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "the folder for the socket belongs to somebody else")
    return str(private / name)
