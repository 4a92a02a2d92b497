"""The ledger alone, with connections that are only as real as it needs them."""

import queue
import random
import threading

import pytest

from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.ledger import Ledger
from monitor.transport.tracing import CURRENT, Record
from tests.fakes.pooled import assert_adds_up, assert_at_rest


class FakeConnection:
    """A connection with a switch for being alive."""

    count = 0

    def __init__(self, ledger: Ledger) -> None:
        FakeConnection.count += 1
        self.ledger = ledger
        self.is_leased = False
        self.is_tainted = False
        self.is_up = True
        self.entry: SocketEntry | None = SocketEntry(FakeConnection.count, peer=None, address_family=None)
        ledger.account.opened_socket(self.entry)

    def lease(self, record: Record) -> None:
        self.is_leased = True

    def is_alive(self) -> bool:
        return self.is_up

    def retire(self, cause: CloseCause) -> None:
        entry, self.entry = self.entry, None
        if entry is not None:
            self.ledger.account.closed_socket(entry, cause)
        self.ledger.release(self)


class FakePool:
    pool: object | None = object()


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


def made(pool: FakePool, *, maxsize: int = 3, is_blocking: bool = False, max_idle_s: float | None = None) -> Ledger:
    account = OriginAccount(venue="venue", scheme="https", host="venue.test:443")
    ledger = Ledger(account, maxsize=maxsize, is_blocking=is_blocking, max_idle_s=max_idle_s)
    for _ in range(maxsize):
        ledger.put(None)  # as urllib3 does with a new queue
    ledger.bind(pool)
    return ledger


def lease(ledger: Ledger) -> FakeConnection:
    """What a pool does: take an idle connection or open one."""
    CURRENT.record = Record.detached()
    try:
        connection = ledger.get(block=False)
    except queue.Empty:
        connection = None
    if connection is None:
        connection = FakeConnection(ledger)
        connection.is_leased = True
        CURRENT.record.pending_lease = None
    CURRENT.record = None
    assert isinstance(connection, FakeConnection)
    return connection


def test_newest_idle_connection_is_used_first(pool: FakePool) -> None:
    ledger = made(pool)
    first, second = lease(ledger), lease(ledger)
    ledger.put(first)
    ledger.put(second)

    assert lease(ledger) is second
    assert lease(ledger) is first
    assert (ledger.account.reused, ledger.account.attempts) == (2, 4)


def test_dead_connections_are_passed_over_until_a_live_one(pool: FakePool) -> None:
    ledger = made(pool)
    connections = [lease(ledger) for _ in range(3)]
    for connection in connections:
        ledger.put(connection)
    connections[2].is_up = connections[1].is_up = False

    assert lease(ledger) is connections[0]
    stats = ledger.account.stats()
    assert (stats.reused, stats.idle, stats.active) == (1, 0, 1)
    assert stats.closed == {CloseCause.STALE: 2}
    assert_adds_up(stats)


def test_idle_for_too_long_is_expired(pool: FakePool) -> None:
    ledger = made(pool, max_idle_s=0.0)
    ledger.put(lease(ledger))
    lease(ledger)

    assert ledger.account.stats().closed == {CloseCause.EXPIRED: 1}


def test_fresh_is_fresh_though_others_are_idle(pool: FakePool) -> None:
    ledger = made(pool)
    ledger.put(lease(ledger))
    CURRENT.record = Record.detached()
    CURRENT.record.is_fresh_required = True
    with pytest.raises(queue.Empty):
        ledger.get(block=False)
    CURRENT.record = None

    assert ledger.qsize() == 1


def test_surplus_is_discarded(pool: FakePool) -> None:
    ledger = made(pool, maxsize=2)
    for connection in [lease(ledger) for _ in range(5)]:
        ledger.put(connection)

    stats = ledger.account.stats()
    assert (stats.idle, stats.discarded, stats.peak_active) == (2, 3, 5)
    assert_at_rest(stats)


def test_error_path_gives_the_lease_back_once(pool: FakePool) -> None:
    ledger = made(pool)
    connection = lease(ledger)
    connection.retire(CloseCause.ERROR)
    ledger.put(None)
    ledger.put(None)

    assert ledger.account.leased == 0
    assert_at_rest(ledger.account.stats())


def test_lease_that_never_connected_is_a_failed_connect(pool: FakePool) -> None:
    ledger = made(pool)
    CURRENT.record = Record.detached()
    with pytest.raises(queue.Empty):
        ledger.get(block=False)
    ledger.put(None)
    CURRENT.record = None

    stats = ledger.account.stats()
    assert (stats.attempts, stats.connect_failed, ledger.account.leased) == (1, 1, 0)
    assert_at_rest(stats)


def test_shut_ledger_keeps_nothing(pool: FakePool) -> None:
    ledger = made(pool)
    idle, busy = lease(ledger), lease(ledger)
    ledger.put(idle)
    ledger.shut()
    ledger.put(busy)

    stats = ledger.account.stats()
    assert stats.closed == {CloseCause.WITH_POOL: 2}
    assert_at_rest(stats)


@pytest.mark.parametrize("how", ["closed", "collected"])
def test_closed_or_collected_pool_drains_to_empty(pool: FakePool, how: str) -> None:
    ledger = made(pool)
    ledger.put(lease(ledger))
    if how == "closed":
        pool.pool = None
    else:
        ledger.bind(FakePool())  # collected at once
    attempts = ledger.account.attempts

    assert ledger.get(block=False) is not None
    with pytest.raises(queue.Empty):
        ledger.get(block=False)
    assert ledger.account.attempts == attempts


def test_garbage_collector_may_close_connections_while_the_books_are_being_read(pool: FakePool) -> None:
    """It runs wherever something is made, on the thread that holds the lock, and may find a forgotten pool."""
    ledger = made(pool)
    connection = lease(ledger)
    ledger.put(connection)
    account = ledger.account

    class Snapping(OriginAccount):
        def _open_cards(self) -> tuple[int, list[ConnectionCard]]:
            cards = super()._open_cards()
            if connection.entry is not None:  # the collector's turn, in the middle of a snapshot
                pool.pool = None
                assert ledger.get(block=False) is connection
                connection.retire(CloseCause.WITH_POOL)
            return cards

    account.__class__ = Snapping
    read: list[PoolStats] = []
    reader = threading.Thread(target=lambda: read.append(account.stats()), daemon=True)
    reader.start()
    reader.join(20)

    assert not reader.is_alive()
    (stats,) = read
    assert_at_rest(stats)
    assert stats.closed == {CloseCause.WITH_POOL: 1}


def test_tainted_connection_is_not_kept(pool: FakePool) -> None:
    ledger = made(pool)
    connection = lease(ledger)
    connection.is_tainted = True
    ledger.put(connection)

    assert ledger.account.stats().closed == {CloseCause.ERROR: 1}


def test_suspect_is_idle_beyond_what_the_host_is_known_to_survive(pool: FakePool) -> None:
    ledger = made(pool)
    ledger.put(lease(ledger))
    ledger.account.survival_s = 1000.0
    assert [card.state for card in ledger.account.stats().connections] == ["idle"]
    ledger.account.survival_s = 0.0

    stats = ledger.account.stats()
    assert stats.suspect == stats.idle == 1
    assert [card.state for card in stats.connections] == ["suspect"]


def test_evicted_pool_leaves_its_counters_to_the_next_one(pool: FakePool) -> None:
    ledger = made(pool)
    ledger.put(lease(ledger))
    ledger.account.count_evicted()
    ledger.shut()
    successor = Ledger(ledger.account, maxsize=3, is_blocking=False, max_idle_s=None)
    successor.bind(pool)
    successor.put(lease(successor))

    stats = successor.account.stats()
    assert (stats.attempts, stats.opened, stats.evicted_pools) == (2, 2, 1)
    assert_at_rest(stats)


def test_random_walk_keeps_the_books(pool: FakePool) -> None:
    rng = random.Random(11)
    ledger = made(pool, maxsize=4)
    held: list[FakeConnection] = []
    for _ in range(3000):
        match rng.randrange(5):
            case 0 | 1:
                held.append(lease(ledger))
            case 2 | 3 if held:
                ledger.put(held.pop(rng.randrange(len(held))))
            case 4 if held:
                held.pop().retire(rng.choice([CloseCause.ERROR, CloseCause.ABANDONED]))
                ledger.put(None)
            case _:
                pass
        if rng.random() < 0.1 and ledger.qsize():
            idle = ledger._idle[rng.randrange(ledger.qsize())]
            assert isinstance(idle, FakeConnection)
            idle.is_up = False
        stats = ledger.account.stats()
        assert_adds_up(stats)
        assert stats.idle == ledger.qsize() <= 4
        assert ledger.account.leased == len(held) == stats.active
    for connection in held:
        ledger.put(connection)
    assert_at_rest(ledger.account.stats())
