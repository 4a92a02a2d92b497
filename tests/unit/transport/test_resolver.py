import socket
import threading

import pytest

from monitor.transport.resolver import LAST_GOOD_S, AddressInfo, Resolved, Resolver, interleaved
from tests.fakes.fake_clock import FakeClock

HERE: AddressInfo = (int(socket.AF_INET), int(socket.SOCK_STREAM), 0, "", ("192.0.2.1", 443))
THERE: AddressInfo = (int(socket.AF_INET), int(socket.SOCK_STREAM), 0, "", ("192.0.2.2", 443))
SIX: AddressInfo = (int(socket.AF_INET6), int(socket.SOCK_STREAM), 0, "", ("2001:db8::1", 443, 0, 0))
SIX_TOO: AddressInfo = (int(socket.AF_INET6), int(socket.SOCK_STREAM), 0, "", ("2001:db8::2", 443, 0, 0))


class Book:
    """A look-up that says what it is told to and counts."""

    def __init__(self, *addresses: AddressInfo) -> None:
        self.addresses: list[AddressInfo] | None = list(addresses)
        """``None``: there is no such name."""
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[AddressInfo]:
        self.asked += 1
        if self.addresses is None:
            raise socket.gaierror(socket.EAI_AGAIN, "no resolver")
        return self.addresses


def test_addresses_come_from_the_lookup() -> None:
    asked: list[tuple[str, int]] = []

    def lookup(host: str, port: int) -> list[AddressInfo]:
        asked.append((host, port))
        return [HERE]

    resolver = Resolver(lookup)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((HERE,), False)
    assert resolver.resolve("192.0.2.1", 443, 5.0) == Resolved((HERE,), None)
    assert asked == [("venue.test", 443), ("192.0.2.1", 443)]


def test_literal_address_needs_no_thread() -> None:
    threads: list[threading.Thread] = []

    def lookup(host: str, port: int) -> list[AddressInfo]:
        threads.append(threading.current_thread())
        return [HERE]

    Resolver(lookup).resolve("::1", 443, 5.0)
    assert threads == [threading.current_thread()]


def test_failure_reaches_everyone_who_waits() -> None:
    go_on = threading.Event()
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[AddressInfo]:
        asked.append(host)
        go_on.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    resolver = Resolver(lookup)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            resolver.resolve("venue.test", 443, 10.0)
        except socket.gaierror as error:
            errors.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    with pytest.raises(TimeoutError):
        resolver.resolve("venue.test", 443, 0.01)
    go_on.set()
    for worker in workers:
        worker.join(10)

    assert len(errors) == 4
    assert len({id(error) for error in errors}) == 4
    assert asked == ["venue.test"]


def test_name_that_no_dns_can_hold_is_unknown() -> None:
    with pytest.raises(socket.gaierror):
        Resolver().resolve("x" * 70 + ".test", 443, 10.0)


def test_answer_is_remembered_for_its_time_and_no_longer() -> None:
    clock, book = FakeClock(), Book(HERE)
    resolver = Resolver(book, ttl_s=45.0, patience_s=30.0, clock=clock)

    assert resolver.resolve("venue.test", 443, 5.0).is_cached is False
    clock.advance(44.9)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((HERE,), True)
    assert book.asked == 1
    assert resolver.resolve("venue.test", 8443, 5.0).is_cached is False  # another port, another answer

    book.addresses = [THERE]
    clock.advance(0.2)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((THERE,), False)


def test_without_a_time_nothing_is_remembered() -> None:
    book = Book(HERE)
    resolver = Resolver(book)
    assert [resolver.resolve("venue.test", 443, 5.0).is_cached for _ in range(2)] == [False, False]

    book.addresses = None
    with pytest.raises(socket.gaierror):
        resolver.resolve("venue.test", 443, 5.0)


def test_last_good_answer_stands_in_for_a_failing_resolver_but_not_for_ever() -> None:
    clock, book = FakeClock(), Book(HERE)
    resolver = Resolver(book, ttl_s=45.0, patience_s=30.0, clock=clock)
    resolver.resolve("venue.test", 443, 5.0)

    book.addresses = None
    clock.advance(60.0)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((HERE,), True)
    assert book.asked == 2
    assert resolver.resolve("venue.test", 443, 5.0).is_cached is True
    assert book.asked == 2  # a resolver that has just failed is left alone for a moment
    clock.advance(5.0)
    resolver.resolve("venue.test", 443, 5.0)
    assert book.asked == 3

    clock.advance(LAST_GOOD_S - 65.0)
    with pytest.raises(socket.gaierror):
        resolver.resolve("venue.test", 443, 5.0)


def test_last_good_answer_stands_in_for_a_resolver_that_hangs() -> None:
    clock = FakeClock()
    go_on = threading.Event()
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[AddressInfo]:
        asked.append(host)
        if len(asked) == 1:
            return [HERE]
        go_on.wait(10)
        return [THERE]

    resolver = Resolver(lookup, ttl_s=45.0, patience_s=30.0, clock=clock)
    resolver.resolve("venue.test", 443, 5.0)
    clock.advance(50.0)
    assert resolver.resolve("venue.test", 443, 0.01) == Resolved((HERE,), True)
    go_on.set()
    # The answer that came too late for that one serves the next.
    assert resolver.resolve("venue.test", 443, 10.0).addresses == (THERE,)
    assert len(asked) == 2


def test_doubted_addresses_are_asked_for_again_but_still_stand_in() -> None:
    clock, book = FakeClock(), Book(HERE)
    resolver = Resolver(book, ttl_s=45.0, patience_s=30.0, clock=clock)
    resolver.resolve("venue.test", 443, 5.0)

    book.addresses = [THERE]
    resolver.doubt("venue.test", 443)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((THERE,), False)
    book.addresses = None
    resolver.doubt("venue.test", 443)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((THERE,), True)


def test_forgotten_answers_do_not_come_back() -> None:
    clock = FakeClock()
    go_on, is_asked = threading.Event(), threading.Event()
    answers = iter([[HERE], [THERE]])

    def lookup(host: str, port: int) -> list[AddressInfo]:
        answer = next(answers)
        if answer == [HERE]:
            is_asked.set()
            go_on.wait(10)
        return answer

    resolver = Resolver(lookup, ttl_s=45.0, patience_s=30.0, clock=clock)
    early: list[Resolved] = []
    worker = threading.Thread(target=lambda: early.append(resolver.resolve("venue.test", 443, 10.0)))
    worker.start()
    assert is_asked.wait(10)
    resolver.forget()
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((THERE,), False)
    go_on.set()
    worker.join(10)

    assert early == [Resolved((HERE,), False)]
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((THERE,), True)


def test_families_take_turns() -> None:
    assert interleaved([SIX, SIX_TOO, HERE, THERE]) == (SIX, HERE, SIX_TOO, THERE)
    assert interleaved([HERE, SIX, SIX_TOO]) == (HERE, SIX, SIX_TOO)
    assert interleaved([]) == ()
    assert Resolver(Book(SIX, SIX_TOO, HERE)).resolve("venue.test", 443, 5.0).addresses == (SIX, HERE, SIX_TOO)


def test_address_that_answered_goes_first_while_it_is_listed() -> None:
    clock, book = FakeClock(), Book(SIX, HERE)
    resolver = Resolver(book, ttl_s=45.0, patience_s=30.0, clock=clock)
    resolver.resolve("venue.test", 443, 5.0)
    resolver.worked("venue.test", 443, HERE)

    assert resolver.resolve("venue.test", 443, 5.0).addresses == (HERE, SIX)
    clock.advance(50.0)
    assert resolver.resolve("venue.test", 443, 5.0) == Resolved((HERE, SIX), False)
    clock.advance(550.0)
    assert resolver.resolve("venue.test", 443, 5.0).addresses == (SIX, HERE)

    resolver.worked("venue.test", 443, HERE)
    book.addresses = [SIX, THERE]
    resolver.doubt("venue.test", 443)
    assert resolver.resolve("venue.test", 443, 5.0).addresses == (SIX, THERE)


def test_only_ipv4_where_that_is_wanted() -> None:
    book = Book(SIX, HERE)
    resolver = Resolver(book, is_ipv4_only=True)
    assert resolver.resolve("venue.test", 443, 5.0).addresses == (HERE,)
    book.addresses = [SIX]
    with pytest.raises(socket.gaierror):
        resolver.resolve("venue.test", 443, 5.0)
