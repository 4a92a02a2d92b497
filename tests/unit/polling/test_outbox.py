import threading

import pytest

from monitor.polling.outbox import Gate, Outbox
from monitor.polling.results import TaskDone


def _result(token: int) -> TaskDone:
    return TaskDone(token=token, value=None, failure=None)


def test_drain_returns_everything_in_order_and_once() -> None:
    outbox = Outbox(capacity=10)
    for token in range(5):
        outbox.put(_result(token))

    items, dropped = outbox.drain()

    assert [item.token for item in items if isinstance(item, TaskDone)] == [0, 1, 2, 3, 4]
    assert dropped == 0
    assert list(outbox.drain()[0]) == []


def test_a_full_outbox_drops_the_oldest_and_says_so_once() -> None:
    outbox = Outbox(capacity=3)
    for token in range(8):
        outbox.put(_result(token))

    items, dropped = outbox.drain()

    assert [item.token for item in items if isinstance(item, TaskDone)] == [5, 6, 7]
    assert dropped == 5
    assert outbox.drain()[1] == 0


def test_eight_writers_lose_nothing_that_is_not_counted() -> None:
    outbox = Outbox(capacity=64)
    writers, per_writer = 8, 2_000
    barrier = threading.Barrier(writers + 1)

    def write(first: int) -> None:
        barrier.wait()
        for token in range(first, first + per_writer):
            outbox.put(_result(token))

    threads = [threading.Thread(target=write, args=(number * per_writer,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    seen: list[int] = []
    dropped_total = 0
    while any(thread.is_alive() for thread in threads):
        items, dropped = outbox.drain()
        seen += [item.token for item in items if isinstance(item, TaskDone)]
        dropped_total += dropped
    items, dropped = outbox.drain()
    seen += [item.token for item in items if isinstance(item, TaskDone)]
    dropped_total += dropped

    assert len(seen) == len(set(seen))
    assert len(seen) + dropped_total == writers * per_writer
    for number in range(writers):
        of_writer = [token for token in seen if token // per_writer == number]
        assert of_writer == sorted(of_writer)


def test_nothing_passes_a_gate_that_was_shut() -> None:
    outbox = Outbox()
    gate = Gate(outbox)

    assert gate.put(_result(1)) is True
    gate.close()

    assert gate.put(_result(2)) is False
    assert len(outbox.drain()[0]) == 1


def test_an_outbox_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Outbox(capacity=0)
