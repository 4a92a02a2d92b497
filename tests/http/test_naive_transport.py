"""The client without a pool: one connection per request, as unsafe as nothing else in here."""

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from monitor.domain.errors import ConnectFailed, ErrorKind, MonitorError, PayloadError, ReadOnlyViolation, TimedOut
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Endpoint
from monitor.transport.naive import NaiveTransport
from tests.fakes.pooled import ALLOWED, BODY, GET, PATIENT, POST, roomy_budget, traces_of
from tests.fakes.tls_server import SMALL_JSON, LoopbackServer, Received, drop


@pytest.fixture
def ca_file(server: LoopbackServer, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    server.authority.cert_pem.write_to_path(str(file))
    return file


def naive_to(server: LoopbackServer, ca_file: Path | None, config: TransportConfig = PATIENT) -> NaiveTransport:
    return NaiveTransport(
        venue="venue", base_url=server.url, allowed=ALLOWED, budget=roomy_budget(), config=config, ca_file=ca_file
    )


def test_every_request_opens_a_connection_and_is_timed_as_a_cold_one(server: LoopbackServer, ca_file: Path) -> None:
    naive = naive_to(server, ca_file)
    replies = [naive.request(GET), naive.request(POST, body=BODY, headers={"Content-Type": "application/json"})]
    replies += [naive.request(GET, params={"symbol": "BTCUSDT"}) for _ in range(3)]

    assert [reply.body for reply in replies] == [SMALL_JSON] * 5
    assert server.accepts == naive.opened == 5
    for reply in replies:
        (trace,) = reply.traces
        assert trace.is_cold is True
        assert trace.total_s == pytest.approx(reply.received_mono_s - reply.requested_mono_s)
        assert (trace.dns_s, trace.tcp_s, trace.tls_s) == (None, None, None)
    assert len({reply.traces[0].request_id for reply in replies}) == 5


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(name="x", method="POST", path="/api/v1/tickers"),
        Endpoint(name="x", method="GET", path="/info"),
        Endpoint(name="x", method="DELETE", path="/api/v1/tickers"),
        Endpoint(name="x", method="POST", path="/exchange"),
        Endpoint(name="x", method="GET", path="/api/../exchange"),
    ],
)
def test_what_is_not_on_the_read_only_list_touches_no_socket(
    server: LoopbackServer, ca_file: Path, endpoint: Endpoint
) -> None:
    with pytest.raises(ReadOnlyViolation):
        naive_to(server, ca_file).request(endpoint)

    assert server.accepts == 0


def test_a_redirect_is_not_followed(server: LoopbackServer, ca_file: Path) -> None:
    def elsewhere(received: Received) -> None:
        received.reply(b"{}", status=302, headers={"Location": f"{server.url}/exchange"})

    server.script.append(elsewhere)

    assert naive_to(server, ca_file).request(GET).status == 302
    assert server.served == 1


def test_neither_proxies_of_the_environment_nor_passwords_of_netrc_are_used(
    server: LoopbackServer, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n", "utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    seen: list[dict[str, str]] = []

    def remember(received: Received) -> None:
        seen.append({name.lower(): value for name, value in received.headers.items()})
        received.reply()

    server.script.append(remember)
    naive_to(server, ca_file).request(GET)

    assert server.accepts == 1
    assert "authorization" not in seen[0]
    assert "requests" in seen[0]["user-agent"], "stock settings otherwise"


def test_an_authority_nobody_named_is_not_trusted(server: LoopbackServer) -> None:
    with pytest.raises(ConnectFailed) as caught:
        naive_to(server, None).request(GET)

    assert caught.value.kind is ErrorKind.TLS
    assert traces_of(caught.value)[0].is_cold is None


def test_a_drop_is_an_error_and_nothing_is_repeated(server: LoopbackServer, ca_file: Path) -> None:
    server.script.append(drop)
    naive = naive_to(server, ca_file)
    with pytest.raises(MonitorError) as caught:
        naive.request(GET)

    assert caught.value.kind is ErrorKind.DROPPED
    assert (server.accepts, naive.opened) == (1, 0)
    assert server.url not in str(caught.value) + caught.value.detail
    assert caught.value.__context__ is None


def test_silence_times_out(server: LoopbackServer, ca_file: Path) -> None:
    def say_nothing(received: Received) -> None:
        received.connection.ended.wait(5.0)

    server.script.append(say_nothing)
    naive = naive_to(server, ca_file, replace(PATIENT, read_timeout_s=0.2))
    with pytest.raises(TimedOut):
        naive.request(GET)


def test_a_body_that_is_no_json_fails_as_it_would_for_a_naive_client(server: LoopbackServer, ca_file: Path) -> None:
    server.script.append(lambda received: received.reply(b"<html>hello</html>"))
    with pytest.raises(PayloadError):
        naive_to(server, ca_file).request(GET)


def test_a_body_beyond_its_limit_is_not_read_to_the_end(server: LoopbackServer, ca_file: Path) -> None:
    small = structs.replace(GET, max_reply_bytes=100)
    with pytest.raises(MonitorError) as caught:
        naive_to(server, ca_file).request(small)

    assert caught.value.kind is ErrorKind.TOO_LARGE


def test_nobody_listening_is_a_failed_connection(server: LoopbackServer, ca_file: Path) -> None:
    naive = naive_to(server, ca_file)
    server.stop()
    with pytest.raises(ConnectFailed) as caught:
        naive.request(GET)

    assert caught.value.kind is ErrorKind.CONNECT
