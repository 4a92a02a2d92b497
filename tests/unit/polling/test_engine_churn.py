"""Commands from many threads at once: nothing is lost, nothing doubled, nothing left behind."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.polling.engine import PollEngine
from monitor.polling.outbox import Outbox
from monitor.polling.plan import PollPlan
from monitor.polling.results import PollResult, PollSuccess
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job

KEYS = tuple(f"bitunix.depth:{number}" for number in range(12))
PLANS = 150


class Fetches:
    """Counts fetches per key and how many of one key ever ran at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: Counter[str] = Counter()
        self.made: Counter[str] = Counter()
        self.overlaps: list[str] = []

    def job(self, key: str, cadence_s: float) -> PollJob:
        def fetch() -> Fetched[Payload]:
            with self.lock:
                self.made[key] += 1
                self.running[key] += 1
                if self.running[key] > 1:
                    self.overlaps.append(key)
            time.sleep(random.uniform(0.0, 0.004))
            with self.lock:
                self.running[key] -= 1
            return make_fetched(now_s=time.perf_counter(), now=datetime.now(UTC))

        return make_job(fetch, key=key, cadence_s=cadence_s)


def test_plans_pauses_and_refreshes_from_many_threads_leave_a_consistent_engine() -> None:
    chance = random.Random(5)
    outbox = Outbox(capacity=1_000_000)
    fetches = Fetches()
    engine = PollEngine(outbox=outbox, transports={"bitunix": SilentTransport()})
    orders: list[Callable[[], object]] = [engine.pause, engine.resume, engine.poll_now, engine.refresh]
    is_over = threading.Event()
    mistakes: list[BaseException] = []

    def disturb(seed: int) -> None:
        mine = random.Random(seed)
        try:
            while not is_over.wait(0.001):
                mine.choice(orders)()
        except BaseException as error:
            mistakes.append(error)
            raise

    disturbers = [threading.Thread(target=disturb, args=(seed,), name=f"disturb-{seed}") for seed in range(4)]
    for thread in disturbers:
        thread.start()
    chosen: tuple[str, ...] = ()
    for epoch in range(1, PLANS + 1):
        chosen = tuple(chance.sample(KEYS, 5))
        jobs = tuple(fetches.job(key, chance.choice([0.002, 0.02])) for key in chosen)
        engine.apply_plan(PollPlan(epoch=epoch, jobs=jobs))
        time.sleep(0.003)
    is_over.set()
    for thread in disturbers:
        thread.join(10.0)
    engine.resume()
    engine.poll_now()
    outcome = _wait_for_all(outbox, chosen)

    assert engine.stop(10.0) is True
    results = [*outcome, *outbox.drain()[0]]
    assert mistakes == []
    assert fetches.overlaps == []
    assert Counter(result.key for result in results if isinstance(result, PollSuccess)) == fetches.made
    for result in results:
        assert isinstance(result, PollSuccess)
        assert result.planned >= result.made >= 1


def _wait_for_all(outbox: Outbox, keys: tuple[str, ...]) -> list[PollResult]:
    """Everything up to the moment when each key answered under the last plan."""
    seen: list[PollResult] = []
    missing = set(keys)
    give_up_s = time.monotonic() + 20.0
    while missing:
        assert time.monotonic() < give_up_s, f"never polled again: {missing}"
        items, dropped = outbox.drain()
        assert dropped == 0
        seen += items
        missing -= {item.key for item in items if isinstance(item, PollSuccess) and item.plan_epoch == PLANS}
        time.sleep(0.005)
    return seen
