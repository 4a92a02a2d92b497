import socket
import threading

import pytest

from monitor.transport.resolver import AddressInfo, Resolved, Resolver

HERE: AddressInfo = (int(socket.AF_INET), int(socket.SOCK_STREAM), 0, "", ("192.0.2.1", 443))


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
