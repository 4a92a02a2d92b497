"""Which protocol a host chooses when it is offered HTTP/2: one handshake of its own per host and day, nothing sent."""

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable

from monitor.transport.accounts import OriginAccount

log = logging.getLogger(__name__)

OFFERED = ("h2", "http/1.1")
_REPEAT_AFTER_S = 86_400.0
_SPACING_S = 1.0
_TIMEOUT_S = 5.0
_CLOSE_PATIENCE_S = 1.0
_Asked = tuple[OriginAccount, str, int]


def chosen_protocols(host: str, port: int, context: ssl.SSLContext, timeout_s: float = _TIMEOUT_S) -> tuple[str, ...]:
    """What ``host`` chooses of what ``context`` offers: one ALPN name, or none when it makes no choice.

    Blocks up to about ``timeout_s`` after the name look-up. Raises ``OSError``: no handshake came about.
    """
    with (
        socket.create_connection((host, port), timeout_s) as sock,
        context.wrap_socket(sock, server_hostname=host) as tls,
    ):
        chosen = tls.selected_alpn_protocol()
    return (chosen,) if chosen else ()


class ProtocolProbe:
    """Asks hosts for their choice on a thread of its own, at most one a second, each at most once a day.

    ``make_context`` builds a context that verifies; it is called once, on that thread. It must be nobody else's:
    urllib3 rewrites what a context offers at each connect. The answer goes to the account's ``offered_protocols``; the
    connection is nobody's and counted nowhere. Nothing is raised: a host that does not answer is not known.
    ``delay_s``: the first requests of a start are left alone for this long. Thread: any; ``want`` does not block.
    """

    def __init__(
        self,
        make_context: Callable[[], ssl.SSLContext],
        *,
        delay_s: float = 5.0,
        spacing_s: float = _SPACING_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_context = make_context
        self._delay_s = delay_s
        self._spacing_s = spacing_s
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_s: dict[tuple[str, int], float] = {}
        self._waiting: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._context: ssl.SSLContext | None = None

    def want(self, account: OriginAccount, host: str, port: int) -> None:
        """Have ``host`` asked for ``account``, unless it was within a day or the probe is closed."""
        with self._lock:
            now = self._clock()
            asked_s = self._asked_s.get((host, port))
            if self._stopped.is_set() or (asked_s is not None and now - asked_s < _REPEAT_AFTER_S):
                return
            self._asked_s[host, port] = now
            self._waiting.put((account, host, port))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="protocol probe", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ask nobody any more. Blocks at most :data:`_CLOSE_PATIENCE_S`, for a handshake under way."""
        with self._lock:
            self._stopped.set()
            thread = self._thread
        if thread is not None:
            thread.join(_CLOSE_PATIENCE_S)

    def _run(self) -> None:
        wait_s = self._delay_s
        while not self._stopped.wait(wait_s):
            wait_s = self._spacing_s
            with self._lock:
                try:
                    account, host, port = self._waiting.get_nowait()
                except queue.Empty:
                    self._thread = None
                    return
            self._ask(account, host, port)

    def _ask(self, account: OriginAccount, host: str, port: int) -> None:
        try:
            if self._context is None:
                self._context = self._make_context()
                self._context.set_alpn_protocols(list(OFFERED))
            chosen = chosen_protocols(host, port, self._context)
        except (OSError, ValueError) as error:
            log.info("%s could not be asked for its protocols: %s", account.venue, type(error).__name__)
            return
        log.info("%s chose %s when offered %s", account.venue, chosen or "nothing", OFFERED)
        account.set_offered_protocols(chosen)
