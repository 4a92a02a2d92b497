"""The connections' health over a whole run: what was learned comes back, housekeepers start, connections open ahead."""

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from monitor.assembly import VenueRuntime
from monitor.desktop.keep_alive_store import load_fits, save_fits
from monitor.desktop.settings import Settings
from monitor.domain.pool_health import KeepAliveFit
from monitor.transport.interface import TendedTransport

log = logging.getLogger(__name__)

PREWARM_PATIENCE_S = 1.5
"""Polling begins after that at the latest; what is still connecting is used when it is done."""

SAVE_EVERY_S = 300.0


class ConnectionCare:
    """Looks after the kept connections of one run, whatever their protocol.

    ``file`` None: nothing is read or kept (demo exchange).
    ``asks_protocols``: each host is asked once which protocols it offers, over a connection counted nowhere.

    Thread: any; ``begin`` and ``close`` block, ``look_around`` does not.
    """

    def __init__(self, file: Path | None, *, asks_protocols: bool) -> None:
        self._file = file
        self._asks_protocols = asks_protocols
        self._lock = threading.Lock()
        self._sessions: tuple[TendedTransport, ...] = ()
        self._saved_s = perf_counter()

    def begin(self, runtimes: Mapping[str, VenueRuntime], settings: Settings) -> None:
        """Take these instead of any earlier ones, and open connections ahead; waits for them a moment, no longer."""
        known = self._learned() or (load_fits(self._file) if self._file is not None else ())
        sessions = tuple(one.transport for one in runtimes.values() if isinstance(one.transport, TendedTransport))
        with self._lock:
            self._sessions = sessions
        openers = []
        for session in sessions:
            session.adopt(known)
            session.keep_house()
            if self._asks_protocols:
                session.ask_protocols()
            if settings.prewarm_connections:
                openers.append(
                    threading.Thread(
                        target=session.prewarm, args=(settings.prewarm_connections,), name="prewarm", daemon=True
                    )
                )
        for opener in openers:
            opener.start()
        end_s = perf_counter() + PREWARM_PATIENCE_S
        for opener in openers:
            opener.join(max(end_s - perf_counter(), 0.0))

    def look_around(self) -> None:
        """Now and then: write down what has been learned, in a thread of its own."""
        if self._file is None or perf_counter() - self._saved_s < SAVE_EVERY_S:
            return
        self._saved_s = perf_counter()
        threading.Thread(target=self._save, name="keep-alive", daemon=True).start()

    def close(self) -> None:
        """Write down what has been learned."""
        self._save()

    def _learned(self) -> tuple[KeepAliveFit, ...]:
        with self._lock:
            sessions = self._sessions
        return tuple(fit for session in sessions for fit in session.learned())

    def _save(self) -> None:
        if self._file is None:
            return
        try:
            save_fits(self._file, self._learned())
        except OSError as error:
            log.warning("what was learned of connections could not be saved: %s", error.strerror)
