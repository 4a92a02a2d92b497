"""Opening connections before they are needed, all at the same time."""

import threading
from time import perf_counter

from monitor.transport.pools import TracedHTTPPool


def open_missing(pool: TracedHTTPPool, count: int, *, connect_timeout_s: float, timeout_s: float) -> int:
    """Open what is missing to ``count`` connections in ``pool``, each in a thread of its own; returns how many opened.

    One after the other would not do: each would find the one before it idle. Blocks up to ``timeout_s``.
    """
    places = pool.ledger.reserve(count)
    deadline_s = perf_counter() + timeout_s
    opened: list[bool] = []

    def work() -> None:
        opened.append(pool.open_ahead(connect_timeout_s=connect_timeout_s, deadline_s=deadline_s))

    workers = [threading.Thread(target=work, name="open ahead", daemon=True) for _ in range(places)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(deadline_s - perf_counter(), 0.0))
    return sum(opened)
