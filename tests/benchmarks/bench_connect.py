"""What makes a cold start faster, each against the same without it in one interleaved run on loopback.

Resumed against full TLS handshakes (the TLS phase of the trace for the wall, the whole request for the CPU), a
remembered address against asking the system, and the staggered connect against one address after the other when the
first does not answer. And what it costs to have no cold start: keeping a connection warm, per hour, against letting it
be opened anew.

``python tests/benchmarks/bench_connect.py`` prints the tables; as a test (marker ``benchmark``) it holds the bars.
"""

import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.dialing import STAGGER_S, Dialing
from monitor.transport.interface import Endpoint
from monitor.transport.policy import AllowedRequest
from monitor.transport.resolver import AddressInfo, Resolver
from monitor.transport.rounds import EVERY_S
from monitor.transport.session import PooledSession
from tests.benchmarks.bench_transport import server_process, skip_if_busy, without_ca_variables
from tests.benchmarks.harness import Interleaved, interleave, interleave_quietly
from tests.fakes.listeners import address_info, deaf_listener, listener

CLOSING = Endpoint(name="bench.close", method="GET", path="/api/close")
"""The server ends every connection with its reply, so every request opens one."""

GET = Endpoint(name="bench.get", method="GET", path="/api/v1/tickers")
RECORD_BYTES = 22
"""Header and tag of a TLS 1.3 record, around each request and each reply."""
SERVER_IDLE_S = 60.0
RETIRED_AT = 0.8
"""Part of what a host allows after which the app gives a connection up; it is kept warm before that."""
SELDOM_S = 75.0
"""A poll interval that outlives the host's sockets."""

RESUMED_WALL_BAR = 0.95
RESUMED_CPU_BAR = 0.97
DNS_BAR = 0.5
"""Of asking a resolver that takes 5 ms; in practice it is one on the network."""
SLOW_RESOLVER_S = 0.005
SEQUENTIAL_TIMEOUT_S = 3.1
"""What a dead first address costs without the stagger: the connect timeout, just past the second lost SYN."""


def make_session(
    url: str, context: ssl.SSLContext, *, resolver: Resolver | None = None, resumes: bool
) -> PooledSession:
    """A session whose budget is real but never used up."""
    return PooledSession(
        venue="bench",
        base_url=url,
        allowed=(AllowedRequest(method="GET", path_prefix="/api/"),),
        budget=WeightBudget(BudgetRule(venue="bench", limit=10**9, window_s=1.0), time.monotonic),
        config=TransportConfig(tls_resumption=resumes),
        ssl_context=context,
        resolver=resolver,
    )


def measure_handshakes(url: str, ca_file: str, rounds: int) -> tuple[Interleaved, dict[str, float]]:
    """Whole cold requests, and the median TLS phase of each variant in seconds."""
    phases: dict[str, list[float]] = {}

    def opening(name: str, *, resumes: bool) -> tuple[PooledSession, Callable[[], None]]:
        session = make_session(url, ssl.create_default_context(cafile=ca_file), resumes=resumes)
        session.request(CLOSING)
        phases[name] = []

        def run() -> None:
            trace = session.request(CLOSING).traces[0]
            if trace.is_resumed is not resumes or trace.tls_s is None:
                raise RuntimeError(f"{name}: is_resumed is {trace.is_resumed}")
            phases[name].append(trace.tls_s)

        return session, run

    made = {name: opening(name, resumes=name == "resumed") for name in ("full handshake", "full again", "resumed")}
    try:
        result = interleave_quietly(
            {name: run for name, (_, run) in made.items()},
            control=("full handshake", "full again"),
            rounds=rounds,
            warm_up=5,
        )
    finally:
        for session, _ in made.values():
            session.close()
    return result, {name: statistics.median(values) for name, values in phases.items()}


def measure_look_ups(url: str, ca_file: str, rounds: int) -> dict[str, float]:
    """Median DNS phase in seconds of a cold request by name, for each way to look it up; variants take turns."""
    port = int(url.rpartition(":")[2])
    here = address_info("127.0.0.1", port)

    def slow(host: str, port: int) -> list[AddressInfo]:
        time.sleep(SLOW_RESOLVER_S)
        return [here]

    context = ssl.create_default_context(cafile=ca_file)
    sessions = {
        name: make_session(f"https://localhost:{port}", context, resolver=resolver, resumes=True)
        for name, resolver in {
            "system, asked": Resolver(is_ipv4_only=True),
            "system, cached": Resolver(is_ipv4_only=True, ttl_s=3600.0),
            "5 ms resolver, asked": Resolver(slow),
            "5 ms resolver, cached": Resolver(slow, ttl_s=3600.0),
        }.items()
    }
    phases: dict[str, list[float]] = {name: [] for name in sessions}
    try:
        for number in range(rounds + 1):
            for name, session in sessions.items():
                trace = session.request(CLOSING).traces[0]
                if number and trace.dns_s is not None and trace.is_dns_cached is name.endswith("cached"):
                    phases[name].append(trace.dns_s)
    finally:
        for session in sessions.values():
            session.close()
    return {name: statistics.median(values) for name, values in phases.items()}


def measure_dead_first_address(rounds: int) -> dict[str, float]:
    """Median seconds to connect when the first of two addresses does not answer."""

    def sequential(addresses: list[AddressInfo]) -> socket.socket:
        failure: OSError = OSError()
        for address in addresses:
            try:
                return Dialing([address], SEQUENTIAL_TIMEOUT_S, float("inf")).connect().sock
            except OSError as error:
                failure = error
        raise failure

    def staggered(addresses: list[AddressInfo]) -> socket.socket:
        return Dialing(addresses, SEQUENTIAL_TIMEOUT_S, float("inf")).connect().sock

    took: dict[str, list[float]] = {"sequential": [], "staggered": []}
    for _ in range(rounds):
        for name, connect in {"sequential": sequential, "staggered": staggered}.items():
            with deaf_listener() as dead, listener() as alive:
                port = int(alive.getsockname()[1])
                started_s = perf_counter()
                connect([address_info("127.0.0.1", dead), address_info("127.0.0.1", port)]).close()
                took[name].append(perf_counter() - started_s)
    return {name: statistics.median(values) for name, values in took.items()}


@dataclass(frozen=True)
class WarmCost:
    """One question on a kept connection, and one connection: CPU here in seconds, bytes both ways."""

    question_cpu_s: float
    question_bytes: int
    connection_cpu_s: float
    connection_bytes: int


def measure_keeping_warm(url: str, ca_file: str, rounds: int) -> WarmCost:
    """A warm request against the part of a cold one that opens its connection, resumed as the app does it."""
    context = ssl.create_default_context(cafile=ca_file)
    warm, cold = (make_session(url, context, resumes=True) for _ in range(2))
    try:
        # The first one brings the ticket.
        cold.request(CLOSING)
        result = interleave_quietly(
            {
                "warm": lambda: warm.request(GET),
                "warm again": lambda: warm.request(GET),
                "cold": lambda: cold.request(CLOSING),
            },
            control=("warm", "warm again"),
            rounds=rounds,
        )
        trace = warm.request(GET).traces[0]
    finally:
        warm.close()
        cold.close()
    question_s = result.median_us("warm") / 1e6
    return WarmCost(
        question_cpu_s=question_s,
        question_bytes=(trace.request_bytes or 0) + (trace.response_bytes or 0) + RECORD_BYTES * 2,
        connection_cpu_s=result.median_us("cold") / 1e6 - question_s,
        connection_bytes=handshake_bytes(url, ca_file),
    )


def handshake_bytes(url: str, ca_file: str) -> int:
    """Bytes of a resumed TLS handshake in both directions, tickets included; TCP's own are not among them."""
    context = ssl.create_default_context(cafile=ca_file)
    _, ticket = shake_hands(url, context, None)
    size, _ = shake_hands(url, context, ticket)
    return size


def shake_hands(url: str, context: ssl.SSLContext, ticket: ssl.SSLSession | None) -> tuple[int, ssl.SSLSession | None]:
    """Connect, ask once, and return the bytes that were neither request nor reply, and the ticket for the next time."""
    host, _, port = url.removeprefix("https://").partition(":")
    arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(arriving, leaving, server_hostname=host, session=ticket)
    request = f"GET {GET.path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    reply = bytearray()
    steps: tuple[Callable[[], object], ...] = (
        tls.do_handshake,
        lambda: tls.write(request),
        # TLS 1.3 sends its tickets before the first reply.
        lambda: reply.extend(tls.read(65_536)),
    )
    moved = 0
    with socket.create_connection((host, int(port)), 5.0) as sock:
        for step in steps:
            is_done = False
            while not is_done:
                is_done = True
                try:
                    step()
                except ssl.SSLWantReadError:
                    is_done = False
                piece = leaving.read()
                sock.sendall(piece)
                moved += len(piece)
                if not is_done:
                    chunk = sock.recv(65_536)
                    arriving.write(chunk)
                    moved += len(chunk)
        session = tls.session
    return moved - len(request) - len(reply) - 2 * RECORD_BYTES, session


def keeping_warm_lines(cost: WarmCost) -> str:
    """What an hour costs, for polls that come more seldom than the host lets a socket idle."""
    limit_s = RETIRED_AT * SERVER_IDLE_S
    # One question between two polls is enough: after it the connection is young until the next.
    asked = 3600 / SELDOM_S * (limit_s - min(2 * EVERY_S, limit_s / 2) < SELDOM_S)
    polls = 3600 / SELDOM_S
    rows = (
        ("let it be opened anew", 0.0, polls, "2 round trips each"),
        ("open another in time", 0.0, polls, "none"),
        ("keep it warm", asked, 0.0, "none"),
    )
    lines = [
        f"An hour of polls every {SELDOM_S:g} s where sockets may idle {SERVER_IDLE_S:g} s",
        f"{'':24}{'questions':>10}{'handshakes':>11}{'kB':>8}{'CPU ms':>9}  polls wait longer by",
    ]
    for name, questions, handshakes, waits in rows:
        size = questions * cost.question_bytes + handshakes * cost.connection_bytes
        cpu_s = questions * cost.question_cpu_s + handshakes * cost.connection_cpu_s
        lines.append(f"{name:24}{questions:10.0f}{handshakes:11.0f}{size / 1e3:8.1f}{cpu_s * 1e3:9.1f}  {waits}")
    lines.append(
        f"each: question {cost.question_cpu_s * 1e3:.2f} ms CPU, {cost.question_bytes} B; "
        f"connection {cost.connection_cpu_s * 1e3:.2f} ms CPU, {cost.connection_bytes} B"
    )
    return "\n".join(lines)


def measure_one_address(rounds: int) -> Interleaved:
    """What our way to connect costs where there is nothing to race, against the socket module's own."""
    with listener() as alive:
        port = int(alive.getsockname()[1])

        def theirs() -> None:
            socket.create_connection(("127.0.0.1", port), 3.1).close()
            alive.accept()[0].close()

        def ours() -> None:
            Dialing([address_info("127.0.0.1", port)], 3.1, perf_counter() + 12.0).connect().sock.close()
            alive.accept()[0].close()

        return interleave({"create_connection": theirs, "ours": ours}, rounds=rounds)


def lines(title: str, seconds: dict[str, float], baseline: str) -> str:
    """A small table: milliseconds and ratio to ``baseline``."""
    width = max(len(name) for name in seconds)
    rows = [
        f"{name:{width}}  {value * 1e3:9.3f} ms  {value / seconds[baseline]:6.3f}" for name, value in seconds.items()
    ]
    return "\n".join([title, *rows])


@pytest.mark.benchmark
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumed_handshake_is_cheaper(version: str) -> None:
    with without_ca_variables(), server_process(version) as (url, ca_file):
        result, phases = measure_handshakes(url, ca_file, rounds=80)
    print("\n" + result.table("full handshake"))
    print(lines("TLS phase", phases, "full handshake"))
    skip_if_busy(result, ("full handshake", "full again"))

    assert phases["resumed"] / phases["full handshake"] <= RESUMED_WALL_BAR
    assert result.ratio("resumed", "full handshake") <= RESUMED_CPU_BAR


@pytest.mark.benchmark
def test_remembered_address_takes_no_time() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        phases = measure_look_ups(url, ca_file, rounds=40)
    print("\n" + lines("DNS phase", phases, "5 ms resolver, asked"))

    assert phases["5 ms resolver, cached"] / phases["5 ms resolver, asked"] <= DNS_BAR


@pytest.mark.benchmark
@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="a full backlog answers differently on Windows")
def test_dead_first_address_costs_the_stagger() -> None:
    took = measure_dead_first_address(rounds=2)
    print("\n" + lines("A dead first address", took, "sequential"))

    assert took["staggered"] / took["sequential"] <= 0.5


@pytest.mark.benchmark
def test_keeping_warm_costs_less_than_opening_anew() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        cost = measure_keeping_warm(url, ca_file, rounds=150)
    print("\n" + keeping_warm_lines(cost))

    assert cost.question_cpu_s / cost.connection_cpu_s < 1.0
    assert cost.question_bytes < cost.connection_bytes


def main() -> None:
    """Print the tables."""
    with without_ca_variables():
        for version in ("1.3", "1.2"):
            with server_process(version) as (url, ca_file):
                result, phases = measure_handshakes(url, ca_file, rounds=400)
            print(f"A new TLS {version} connection with one request")
            print(result.table("full handshake"))
            print(lines("  TLS phase alone", phases, "full handshake") + "\n")
        with server_process() as (url, ca_file):
            print(lines("DNS phase of a cold request", measure_look_ups(url, ca_file, rounds=200), "system, asked"))
            print("\n" + keeping_warm_lines(measure_keeping_warm(url, ca_file, rounds=400)))
    dead = measure_dead_first_address(rounds=3)
    print("\n" + lines(f"A dead first address (stagger {STAGGER_S * 1e3:g} ms)", dead, "sequential"))
    print("\nOne address, nothing to race")
    print(measure_one_address(rounds=2000).table("create_connection"))


if __name__ == "__main__":
    main()
