"""Connecting to whichever of a host's addresses answers first, without waiting out the ones that do not (RFC 8305)."""

import contextlib
import errno
import os
import selectors
import socket
from collections.abc import Sequence
from time import perf_counter
from typing import Any

import msgspec

from monitor.transport.resolver import AddressInfo

STAGGER_S = 0.25
"""Head start of an address over the next one; RFC 8305, section 8, recommends this value."""

MIN_TIMEOUT_S = 0.001
"""A socket timeout of 0 would mean "do not block"; an overdue request gets this much and then ends."""

_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EALREADY, getattr(errno, "WSAEWOULDBLOCK", 0)})


class DialDeadlinePassed(TimeoutError):
    """The time of the whole request was over before any address had answered."""


class Dialed(msgspec.Struct, frozen=True):
    """A connected TCP socket (blocking, without a time limit), its address, and how many were begun on."""

    sock: socket.socket
    address: AddressInfo
    tried: int


class Dialing(msgspec.Struct):
    """One staggered connect. ``timeout_s`` is per address (``None``: none); ``deadline_s`` a ``perf_counter()`` time.

    ``tried`` may be read after a failure too. Thread: the one that calls :meth:`connect`.
    """

    addresses: Sequence[AddressInfo]
    timeout_s: float | None
    deadline_s: float
    options: Sequence[tuple[Any, ...]] = ()
    source_address: tuple[str, int] | None = None
    stagger_s: float = STAGGER_S
    tried: int = 0

    def connect(self) -> Dialed:
        """Connect to the first address that answers; all others are closed before this returns.

        Blocks up to the deadline. The next address begins when the one before failed, or has not answered within
        ``stagger_s``.

        Raises:
            DialDeadlinePassed: the deadline came first.
            TimeoutError: the last of the addresses to fail did so by not answering in time.
            OSError: it failed otherwise; also when there is no address.
        """
        if len(self.addresses) == 1:
            return self._connect_only(self.addresses[0])
        with _make_selector() as selector:
            try:
                return self._race(selector)
            finally:
                for key in list(selector.get_map().values()):
                    selector.unregister(key.fileobj)
                    key.data[0].close()

    def _connect_only(self, address: AddressInfo) -> Dialed:
        # Nothing to race: one blocking call instead of a selector.
        left_s = self.deadline_s - perf_counter()
        if left_s <= 0.0:
            raise DialDeadlinePassed("deadline passed")
        self.tried = 1
        sock = self._open(address)
        try:
            if self.timeout_s is not None or left_s != float("inf"):
                sock.settimeout(max(left_s if self.timeout_s is None else min(left_s, self.timeout_s), MIN_TIMEOUT_S))
            sock.connect(address[4])
        except BaseException:
            sock.close()
            raise
        sock.settimeout(None)
        return Dialed(sock, address, 1)

    def _race(self, selector: selectors.BaseSelector) -> Dialed:
        waiting = list(self.addresses)
        failure: OSError = OSError("the name has no address")
        next_start_s = perf_counter()
        while True:
            now = perf_counter()
            if now >= self.deadline_s:
                raise DialDeadlinePassed("deadline passed")
            for key in list(selector.get_map().values()):
                sock, _, expires_s = key.data
                if now >= expires_s:
                    selector.unregister(key.fileobj)
                    sock.close()
                    failure = TimeoutError("timed out")
            if waiting and (now >= next_start_s or not selector.get_map()):
                address = waiting.pop(0)
                next_start_s = now + self.stagger_s
                try:
                    begun = self._begin(address)
                except OSError as error:
                    failure = error
                    next_start_s = now
                    continue
                if begun.is_connected:
                    return Dialed(begun.sock, address, self.tried)
                expires_s = float("inf") if self.timeout_s is None else now + self.timeout_s
                selector.register(begun.sock, selectors.EVENT_WRITE, (begun.sock, address, expires_s))
                continue
            pending = list(selector.get_map().values())
            if not pending:
                raise failure
            wake_s = min(self.deadline_s, *(key.data[2] for key in pending))
            if waiting:
                wake_s = min(wake_s, next_start_s)
            ready = selector.select(None if wake_s == float("inf") else max(wake_s - now, 0.0))
            # In the order of their start: of two that answered at once the preferred one wins.
            for key in sorted((key for key, _ in ready), key=lambda key: self.addresses.index(key.data[1])):
                sock, address, _ = key.data
                selector.unregister(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number == 0:
                    sock.setblocking(True)
                    return Dialed(sock, address, self.tried)
                sock.close()
                failure = OSError(number, os.strerror(number))
                next_start_s = now

    def _begin(self, address: AddressInfo) -> "_Begun":
        self.tried += 1
        sock = self._open(address)
        try:
            sock.setblocking(False)
            number = sock.connect_ex(address[4])
        except BaseException:
            sock.close()
            raise
        if number in _UNDER_WAY:
            return _Begun(sock, is_connected=False)
        if number != 0:
            sock.close()
            raise OSError(number, os.strerror(number))
        sock.setblocking(True)
        return _Begun(sock, is_connected=True)

    def _open(self, address: AddressInfo) -> socket.socket:
        family, kind, protocol, _, _ = address
        sock = socket.socket(family, kind, protocol)
        try:
            for option in self.options:
                sock.setsockopt(*option)
            if self.source_address is not None:
                sock.bind(self.source_address)
        except BaseException:
            with contextlib.suppress(OSError):
                sock.close()
            raise
        return sock


class _Begun(msgspec.Struct, frozen=True):
    sock: socket.socket
    is_connected: bool


def _make_selector() -> selectors.BaseSelector:
    # Not epoll or kqueue: those take a file descriptor of their own for each connect.
    return selectors.PollSelector() if hasattr(selectors, "PollSelector") else selectors.SelectSelector()
