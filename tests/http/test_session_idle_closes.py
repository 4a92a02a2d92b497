"""Ten thousand requests against a server that ends kept-alive connections at any moment, also just as we send."""

import os
import random
import threading
from time import perf_counter

from monitor.domain.errors import MonitorError
from tests.fakes.pooled import BODY, GET, POST, assert_adds_up, assert_at_rest, session_to, the_pool
from tests.fakes.tls_server import Received, ServerConnection, drop, reset, serving

REQUESTS = int(os.environ.get("TRADING_MONITOR_IDLE_CLOSE_REQUESTS", "10000"))
THREADS = 4


def test_closing_idle_connections_costs_no_request_in_ten_thousand() -> None:
    rng = random.Random(3)
    lock = threading.Lock()
    kept: list[ServerConnection] = []

    def behave(received: Received) -> None:
        with lock:
            fate = rng.random()
        if received.number > 1 and fate < 0.02:  # the close and the request crossed on the way
            (drop if fate < 0.01 else reset)(received)
            return
        received.reply()
        if fate > 0.98:
            received.connection.close()
        elif received.number == 1:
            with lock:
                kept.append(received.connection)

    with serving(behave=behave) as server:
        session = session_to(server)
        is_over = threading.Event()
        failed: list[BaseException] = []
        unhealthy: list[BaseException] = []

        def close_now_and_then() -> None:
            mine = random.Random(4)
            while not is_over.wait(mine.uniform(0.0, 0.02)):
                with lock:
                    victim = kept.pop(mine.randrange(len(kept))) if kept else None
                with server._lock:  # as the server's own close_idle(): never while a request is served
                    if victim is not None and victim.is_idle:
                        victim.shut_down()

        def keep_house() -> None:
            while not is_over.wait(0.01):
                try:
                    session.prewarm(THREADS + 2)
                    session.housekeeper.tick(perf_counter())
                    assert_adds_up(the_pool(session))
                except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
                    unhealthy.append(error)

        def work() -> None:
            for number in range(REQUESTS // THREADS):
                try:
                    session.request(POST if number % 2 else GET, body=BODY if number % 2 else None)
                except MonitorError as error:
                    failed.append(error)

        helpers = [threading.Thread(target=close_now_and_then), threading.Thread(target=keep_house)]
        workers = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in helpers + workers:
            thread.start()
        for worker in workers:
            worker.join(150)
        is_over.set()
        for helper in helpers:
            helper.join(30)
        stats = the_pool(session)
        session.close()

        assert failed == []
        assert unhealthy == []
        assert_at_rest(stats, accepts=server.accepts)
        assert stats.healed > REQUESTS // 100
        assert stats.attempts == REQUESTS // THREADS * THREADS + stats.healed
        assert stats.prewarmed > 0
