"""One window per user and profile: a second start brings the first one's window to the front and ends.

A lock that the system itself gives back when its holder dies decides who is first; a local socket (a named pipe on
Windows) carries the one request there is. Written out with the standard library: Qt's local sockets are part of
QtNetwork, 4 MB that the bundle does without. What only a second start or a window that is on screen needs is imported
then: the first frame waits for the claim.
"""

import binascii
import errno
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.desktop.local_messages import Door

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

    def __init__(self, lock: IO[Any] | None, address: str | None, door: "Door | None" = None) -> None:
        """``address`` None: nobody can ask it for its window. ``door``: where opening it was the claim itself."""
        self._lock = lock
        self._address = address
        self._door = door
        self._thread: threading.Thread | None = None

    @classmethod
    def claim(cls, folder: Path, *, token: str = "") -> "SingleInstance | None":
        """Be the first instance for ``folder``, or have the first one show its window and return ``None``.

        ``folder`` exists and can be written to. ``token`` is the desktop's permission to take the focus. Blocks for
        milliseconds, at most :data:`_PATIENCE_S` while a first instance starts, which is until it can :meth:`serve`.

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
                return cls(None, None)
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
            from monitor.desktop.local_messages import open_door  # noqa: PLC0415 - see the module's docstring

            try:
                # The pipe itself is the lock: only its first instance may be made, and it goes with its process.
                return cls(None, address, open_door(address))
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
        return cls(lock, address)

    def serve(self, on_show: Callable[[str], None]) -> None:
        """Call ``on_show`` for every second start from now on; those that came earlier have been waiting for it."""
        if self._address is None or self._thread is not None:
            return
        if self._door is None:
            from monitor.desktop.local_messages import open_door  # noqa: PLC0415 - see the module's docstring

            try:
                self._door = open_door(self._address)
            except OSError:
                # Still the only instance, only nobody can ask it for its window.
                log.info("no socket for a second start", exc_info=True)
                return
        self._thread = threading.Thread(target=self._listen, args=(on_show,), name="single instance", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Give the profile free. A second call does nothing."""
        door, self._door = self._door, None
        if door is not None:
            if self._thread is not None and self._address is not None:
                # Closing a socket does not wake who waits for a connection on it; a connection does.
                ask_to_show(self._address)
                self._thread.join(_ANSWER_S)
            door.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _listen(self, on_show: Callable[[str], None]) -> None:
        def take(request: bytes) -> bytes | None:
            if not request.startswith(_SHOW) or self._door is None:
                return None
            on_show(request[len(_SHOW) :].decode("ascii", "ignore"))
            return _SHOWN

        while (door := self._door) is not None:
            try:
                door.answer(take, _ANSWER_S)
            except (OSError, EOFError):
                time.sleep(0.05)


class _TakenError(Exception):
    """Somebody else is first."""


def ask_to_show(address: str, token: str = "") -> bool:
    """Ask the instance at ``address`` for its window; whether it answered. Blocks at most about two seconds."""
    from monitor.desktop.local_messages import ask  # noqa: PLC0415 - see the module's docstring

    try:
        return ask(address, _SHOW + token.encode("ascii", "ignore")[:500], _ANSWER_S) == _SHOWN
    except (OSError, EOFError):
        return False


def address_of(folder: Path) -> str:
    """Where the first instance for ``folder`` listens.

    Not inside it: a socket's path may have 107 bytes at most, and people's folders are longer. Raises ``OSError``:
    there is no private place for it.
    """
    # Tells a user's few profiles apart, which is all it has to: nobody else may write there.
    name = f"{binascii.crc32(os.fsencode(folder.resolve())):08x}"
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
