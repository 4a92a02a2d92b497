"""The private edge of urllib3 that the telemetry stands on; a new release that moves it fails here, with a name."""

import functools
import gc
import importlib.metadata
import importlib.util
import os
import queue
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from requests import Request, Session
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, poolmanager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import wait_for_read

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import OriginAccount
from monitor.transport.adapter import ReadOnlyAdapter
from monitor.transport.config import TransportConfig
from monitor.transport.connections import TracedHTTPConnection, TracedHTTPSConnection
from monitor.transport.ledger import Ledger
from monitor.transport.policy import AllowedRequest, Origin, ReadOnlyPolicy
from monitor.transport.pools import PoolSupport, TracedHTTPPool
from monitor.transport.replies import TracedReply
from monitor.transport.resolver import Resolver
from tests.fakes.pooled import assert_at_rest, eventually
from tests.fakes.tls_server import LoopbackServer, Received, serving


def test_urllib3_is_what_it_says_it_is() -> None:
    """A fork replaces the package on disk and leaves the metadata alone."""
    assert vars(urllib3)["__version__"] == importlib.metadata.version("urllib3")
    assert importlib.util.find_spec("urllib3_future") is None


@pytest.mark.parametrize("kind", [HTTPConnection, HTTPSConnection])
def test_new_conn_opens_the_socket_for_connect(kind: type[HTTPConnection]) -> None:
    here, there = socket.socketpair()
    calls: list[object] = []

    class Stop(Exception):
        pass

    class Probe(kind):  # type: ignore[misc, valid-type]  # both classes in turn
        def _new_conn(self) -> socket.socket:
            calls.append((self._dns_host, self.timeout, self.source_address, self.socket_options))
            if isinstance(self, HTTPSConnection):
                raise Stop
            return here

    probe = Probe("name.test", 80, timeout=3.0)
    try:
        probe.connect()
        assert probe.sock is here
    except Stop:
        assert kind is HTTPSConnection
    finally:
        probe.close()
        here.close()
        there.close()

    assert calls == [("name.test", 3.0, None, HTTPConnection.default_socket_options)]


def test_our_connection_raises_the_three_documented_errors() -> None:
    account = OriginAccount(venue="venue", scheme="http", host="name.test:80")
    ledger = Ledger(account, maxsize=1, is_blocking=False, max_idle_s=None)

    def failing_with(error: OSError) -> TracedHTTPConnection:
        def lookup(host: str, port: int) -> list[Any]:
            raise error

        return TracedHTTPConnection("name.test", 80, ledger=ledger, resolver=Resolver(lookup))

    with pytest.raises(NameResolutionError):
        failing_with(socket.gaierror(socket.EAI_NONAME, "no")).connect()
    with pytest.raises(ConnectTimeoutError):
        failing_with(TimeoutError("late")).connect()
    refused = TracedHTTPConnection("127.0.0.1", 1, ledger=ledger, resolver=Resolver())
    with pytest.raises(NewConnectionError):
        refused.connect()

    assert account.stats().connect_failed == 3


def test_connection_that_only_shook_hands_is_alive_until_it_is_closed() -> None:
    """TLS 1.3 sends session tickets after the handshake: readable, and urllib3 takes that for dropped."""
    with serving() as server:
        ledger = Ledger(
            OriginAccount(venue="venue", scheme="https", host="x"), maxsize=1, is_blocking=False, max_idle_s=None
        )
        connection = TracedHTTPSConnection(
            "127.0.0.1",
            server.port,
            timeout=20.0,
            ledger=ledger,
            resolver=Resolver(),
            ssl_context=server.client_context(),
        )
        connection.connect()
        assert connection.sock is not None
        assert wait_for_read(connection.sock, 10.0)  # the tickets
        assert [connection.is_alive() for _ in range(3)] == [True] * 3

        assert eventually(lambda: server.close_idle() == 1)
        assert eventually(lambda: not connection.is_alive())
        connection.close()


class MinimalQueue:
    """Nothing but what a urllib3 pool may call."""

    def __init__(self, maxsize: int) -> None:
        self._items: list[object] = []
        self.calls: list[tuple[str, object]] = []
        self.maxsize_given = maxsize

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        self.calls.append(("get", block))
        if not self._items:
            raise queue.Empty
        return self._items.pop()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        self.calls.append(("put", item))
        self._items.append(item)

    def qsize(self) -> int:
        return len(self._items)


@pytest.mark.parametrize("kind", [HTTPConnectionPool, HTTPSConnectionPool])
def test_pool_fills_and_drains_its_queue_as_the_ledger_expects(kind: type[HTTPConnectionPool]) -> None:
    class Probe(kind):  # type: ignore[misc, valid-type]  # both classes in turn
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.QueueCls = functools.partial(MinimalQueue)
            super().__init__(*args, **kwargs)

    pool = Probe("name.test", maxsize=3)
    mine = pool.pool
    assert isinstance(mine, MinimalQueue)
    assert mine.maxsize_given == 3
    assert mine.calls == [("put", None)] * 3
    pool.close()

    assert pool.pool is None
    assert mine.calls[3:] == [("get", False)] * 4


def test_our_pool_classes_stay_ours() -> None:
    before = dict(poolmanager.pool_classes_by_scheme)
    adapter = adapter_for((), None)

    assert poolmanager.pool_classes_by_scheme == before
    assert PoolManager().pool_classes_by_scheme == before
    adapter.close()


def test_connection_classes_keep_the_protocol() -> None:
    for name in ("connect", "send", "getresponse", "close", "is_connected", "response_class"):
        assert hasattr(HTTPConnection, name), name
    assert TracedHTTPSConnection.__mro__.index(TracedHTTPConnection) < TracedHTTPSConnection.__mro__.index(
        HTTPSConnection
    )
    assert TracedHTTPConnection.response_class is TracedReply


ALLOWED = (AllowedRequest(method="GET", path_prefix="/api/"),)


def adapter_for(
    servers: tuple[LoopbackServer, ...], accounts: dict[str, OriginAccount] | None, **config: Any
) -> ReadOnlyAdapter:
    """An adapter that may talk to several origins, as one session never does."""

    def account_for(scheme: str, host: str, port: int) -> OriginAccount:
        assert accounts is not None
        key = f"{scheme}://{host}:{port}"
        return accounts.setdefault(key, OriginAccount(venue="venue", scheme=scheme, host=f"{host}:{port}"))

    context = servers[0].client_context() if servers else None
    for server in servers[1:]:
        server.authority.configure_trust(context)
    return ReadOnlyAdapter(
        policy=ReadOnlyPolicy(tuple(Origin.parse(server.url) for server in servers), ALLOWED),
        config=TransportConfig(**config),
        ssl_context=context,
        support=PoolSupport(account_for=account_for, resolver=Resolver(), max_idle_s=None),
    )


@pytest.fixture
def three() -> Iterator[tuple[LoopbackServer, ...]]:
    with serving() as first, serving() as second, serving() as third:
        yield first, second, third


def get(adapter: ReadOnlyAdapter, server: LoopbackServer) -> None:
    with Session() as plain:
        prepared = plain.prepare_request(Request("GET", server.url + "/api/x"))
    assert adapter.send(prepared, timeout=(20.0, 20.0)).content


@pytest.mark.parametrize("kept", [1, 2])
def test_evicted_pools_are_counted_and_close_their_sockets(three: tuple[LoopbackServer, ...], kept: int) -> None:
    """Three origins in turn and room for fewer: no reuse at all, and counters that say so."""
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three, accounts, pool_connections=kept)
    for _ in range(4):
        for server in three:
            get(adapter, server)

    for server in three:
        stats = accounts[server.url].stats()
        assert_at_rest(stats, accepts=4)
        assert (stats.attempts, stats.reused) == (4, 0)
        assert stats.evicted_pools >= 3
        assert stats.closed[CloseCause.WITH_POOL] == stats.evicted_pools
        assert eventually(lambda server=server: server.open_connections <= 1)  # type: ignore[misc]  # mypy cannot type a lambda's default
    adapter.close()
    for server in three:
        assert_at_rest(accounts[server.url].stats(), accepts=4)
        assert eventually(lambda server=server: server.open_connections == 0)  # type: ignore[misc]  # mypy cannot type a lambda's default
        assert accounts[server.url].stats().evicted_pools <= 4


def test_enough_room_reuses_all(three: tuple[LoopbackServer, ...]) -> None:
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three, accounts, pool_connections=3)
    for _ in range(4):
        for server in three:
            get(adapter, server)

    assert [accounts[server.url].stats().reused for server in three] == [3, 3, 3]
    assert [accounts[server.url].stats().evicted_pools for server in three] == [0, 0, 0]
    adapter.close()


def test_request_in_flight_on_an_evicted_pool_finishes(three: tuple[LoopbackServer, ...]) -> None:
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three, accounts, pool_connections=1)
    arrived, go_on = threading.Event(), threading.Event()

    def hold(received: Received) -> None:
        arrived.set()
        go_on.wait(10)
        received.reply()

    three[0].behave = hold
    worker = threading.Thread(target=get, args=(adapter, three[0]))
    worker.start()
    assert arrived.wait(10)
    get(adapter, three[1])
    go_on.set()
    worker.join(10)

    stats = accounts[three[0].url].stats()
    assert_at_rest(stats, accepts=1)
    assert stats.closed == {CloseCause.WITH_POOL: 1}
    adapter.close()


def test_telemetry_keeps_no_pool_alive(three: tuple[LoopbackServer, ...]) -> None:
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three[:1], accounts)
    get(adapter, three[0])
    pool = next(iter(adapter.poolmanager.pools.keys()))
    reference = weakref.ref(adapter.poolmanager.pools[pool])
    assert isinstance(reference(), TracedHTTPPool)
    adapter.close()
    gc.collect()

    assert reference() is None
    assert eventually(lambda: three[0].open_connections == 0)


def test_evicted_pool_closes_its_sockets_although_somebody_holds_it(three: tuple[LoopbackServer, ...]) -> None:
    """urllib3 alone would wait until it is collected."""
    adapter = adapter_for(three, {}, pool_connections=1)
    held = adapter.poolmanager.connection_from_url(three[0].url)
    assert held.urlopen("GET", "/api/x", retries=False).status == 200
    get(adapter, three[1])

    assert eventually(lambda: three[0].open_connections == 0)
    assert isinstance(held, TracedHTTPPool)
    assert held.ledger.account.stats().closed == {CloseCause.WITH_POOL: 1}
    adapter.close()


def test_pool_used_without_the_adapter_is_counted_too(three: tuple[LoopbackServer, ...]) -> None:
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three[:1], accounts, pool_maxsize=1, pool_block=True)
    pool = adapter.poolmanager.connection_from_url(three[0].url)
    for _ in range(3):
        assert pool.urlopen("GET", "/api/x", retries=False).status == 200

    stats = next(iter(accounts.values())).stats()
    assert_at_rest(stats, accepts=1)
    assert (stats.attempts, stats.reused, stats.idle) == (3, 2, 1)
    adapter.close()


@pytest.mark.parametrize("is_blocking", [False, True])
def test_interpreter_ends_although_nobody_closed_the_session(is_blocking: bool, tmp_path: Path) -> None:
    """At exit urllib3 empties the queues of pools that are still alive."""
    program = """
import sys
from pathlib import Path
from monitor.transport.tls import make_ssl_context
from tests.fakes.pooled import GET, PATIENT, ALLOWED, roomy_budget
from monitor.transport.session import PooledSession
from dataclasses import replace

config = replace(PATIENT, pool_maxsize=2, pool_block=sys.argv[3] == "True")
session = PooledSession(venue="venue", base_url=sys.argv[1], allowed=ALLOWED, budget=roomy_budget(), config=config,
                        ssl_context=make_ssl_context(Path(sys.argv[2])))
print(session.request(GET).status)
"""
    with serving() as server:
        ca_file = tmp_path / "ca.pem"
        server.authority.cert_pem.write_to_path(str(ca_file))
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", program, server.url, str(ca_file), str(is_blocking)],
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (done.stdout, done.stderr, done.returncode) == ("200\n", "", 0)
        assert eventually(lambda: server.open_connections == 0)


def test_pool_found_by_the_garbage_collector_may_close_while_its_books_are_being_read(
    three: tuple[LoopbackServer, ...],
) -> None:
    """The collector runs wherever something is made, also in the middle of a snapshot; its thread holds the lock."""
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three[:1], accounts)
    get(adapter, three[0])
    (account,) = accounts.values()
    pools = adapter.poolmanager.pools
    pools.dispose_func = None  # nobody tells the ledger; only the finalizer does

    def collect() -> None:
        with account.lock:
            pools.clear()
            gc.collect()

    worker = threading.Thread(target=collect, daemon=True)
    worker.start()
    worker.join(20)

    assert not worker.is_alive()
    assert account.stats().closed == {CloseCause.WITH_POOL: 1}
    assert_at_rest(account.stats(), accepts=1)
    adapter.close()


def test_response_closed_early_is_abandoned_and_ends_its_lease(three: tuple[LoopbackServer, ...]) -> None:
    accounts: dict[str, OriginAccount] = {}
    adapter = adapter_for(three[:1], accounts, pool_maxsize=1, pool_block=True)
    with Session() as plain:
        prepared = plain.prepare_request(Request("GET", three[0].url + "/api/x"))
    for _ in range(3):
        adapter.send(prepared, stream=True, timeout=20.0).close()
    dropped = adapter.send(prepared, stream=True, timeout=20.0)
    del dropped  # never closed, only forgotten
    gc.collect()
    get(adapter, three[0])  # would wait for ever if a lease had leaked

    stats = accounts[three[0].url].stats()
    assert_at_rest(stats, accepts=5)
    assert stats.closed == {CloseCause.ABANDONED: 4}
    adapter.close()
