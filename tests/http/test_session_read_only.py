"""Nothing but what is on the read-only list ever touches a socket, whoever asks."""

import ssl

import pytest
import requests
from msgspec.structs import replace

from monitor.domain.errors import ReadOnlyViolation
from monitor.transport.interface import Endpoint
from monitor.transport.session import PooledSession
from tests.fakes.pooled import ALLOWED, GET, POST, roomy_budget, session_to
from tests.fakes.tls_server import LoopbackServer, Received, serving

PATHS = [
    "/exchange",
    "/info/",
    "/info2",
    "/INFO",
    "info",
    "",
    "/",
    "//evil.test/api/x",
    "/api/../exchange",
    "/api/./x",
    "/api/%2e%2e/exchange",
    "/api/..%2fexchange",
    "/api//x",
    "/api/x/../../exchange",
    "/api\\..\\exchange",
    "/api/x?y=1",
    "/api/x#y",
    "/api/x y",
    "/api/x\r\nHost: evil.test",
    "/api/x;y",
    "/api/\u2025/x",
    "https://evil.test/api/x",
    "http://evil.test/info",
    "@evil.test/api/x",
    ":80@evil.test/api/x",
    ".evil.test/api/x",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_path_off_the_list_is_refused(server: LoopbackServer, session: PooledSession, method: str, path: str) -> None:
    with pytest.raises(ReadOnlyViolation):
        session.request(Endpoint(name="venue.odd", method=method, path=path))

    assert server.accepts == 0
    assert session.pool_stats() == ()


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "get", "post", "GET ", "POST\r\n", ""])
@pytest.mark.parametrize("path", ["/api/v1/tickers", "/info"])
def test_method_off_the_list_is_refused(server: LoopbackServer, session: PooledSession, method: str, path: str) -> None:
    with pytest.raises(ReadOnlyViolation):
        session.request(Endpoint(name="venue.odd", method=method, path=path))

    assert server.accepts == 0


def test_allowed_path_with_the_other_method_is_refused(server: LoopbackServer, session: PooledSession) -> None:
    for endpoint in (replace(GET, method="POST"), replace(POST, method="GET")):
        with pytest.raises(ReadOnlyViolation):
            session.request(endpoint)
    assert server.accepts == 0


def test_get_with_a_body_is_refused(server: LoopbackServer, session: PooledSession) -> None:
    with pytest.raises(ReadOnlyViolation):
        session.request(GET, body=b"{}")
    assert server.accepts == 0


@pytest.mark.parametrize(
    "name", ["Host", "X-HTTP-Method-Override", "x-method-override", "Transfer-Encoding", "Content-Length", "Connection"]
)
def test_header_that_changes_the_request_is_refused(server: LoopbackServer, session: PooledSession, name: str) -> None:
    with pytest.raises(ReadOnlyViolation):
        session.request(GET, headers={name: "PUT"})
    assert server.accepts == 0


def test_parameters_cannot_leave_the_query(server: LoopbackServer, session: PooledSession) -> None:
    targets: list[str] = []

    def note(received: Received) -> None:
        targets.append(received.target)
        received.reply()

    server.behave = note
    session.request(GET, params={"a&b": "/../../exchange?x=1#\r\nHost: evil", "ü": "€"})

    assert targets == ["/api/v1/tickers?a%26b=%2F..%2F..%2Fexchange%3Fx%3D1%23%0D%0AHost%3A+evil&%C3%BC=%E2%82%AC"]


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/exchange"),
        ("DELETE", "/api/v1/tickers"),
        ("PUT", "/info"),
        ("GET", "/info"),
        ("POST", "/info/../exchange"),
        ("POST", "/api/v1/tickers"),
        ("GET", "/"),
        ("GET", "/api/%2e%2e/exchange"),
    ],
)
def test_inner_session_refuses_too(server: LoopbackServer, session: PooledSession, method: str, target: str) -> None:
    """Whoever gets hold of the requests session inside can send nothing else with it."""
    with pytest.raises(ReadOnlyViolation):
        session._session.request(method, server.url + target)
    assert server.accepts == 0


def test_inner_session_refuses_other_places(server: LoopbackServer, session: PooledSession) -> None:
    with serving() as other:
        for url in (
            other.url + "/api/x",
            server.url.replace("127.0.0.1", "localhost") + "/api/x",
            server.url.replace("https://", "https://user:word@") + "/api/x",
            server.url.replace("https", "http") + "/api/x",
            server.url + "@127.0.0.1:" + str(other.port) + "/api/x",
            f"https://127.0.0.1:{other.port}/?{server.url}/api/x",
        ):
            with pytest.raises(ReadOnlyViolation):
                session._session.get(url)
        assert (server.accepts, other.accepts) == (0, 0)


def test_inner_session_works_for_what_is_allowed(server: LoopbackServer, session: PooledSession) -> None:
    inner = session._session
    got = inner.get(server.url + GET.path, params={"a": "b"})
    posted = inner.post(server.url + POST.path, json={"type": "meta"}, timeout=5)

    assert got.json()["code"] == posted.json()["code"] == 0
    assert got.headers["content-TYPE"] == "application/json; charset=utf-8"
    assert got.encoding == "utf-8"
    assert server.accepts == 1
    assert session.pool_stats()[0].reused == 1


def test_redirects_are_not_followed_and_cookies_not_kept(server: LoopbackServer, session: PooledSession) -> None:
    seen: list[dict[str, str]] = []

    def redirect(received: Received) -> None:
        seen.append(received.headers)
        received.reply(b"", status=307, headers={"Location": "/exchange", "Set-Cookie": "id=1; Path=/"})

    server.behave = redirect
    for _ in range(2):
        assert session.request(POST, body=b"{}").status == 307
    with pytest.raises(requests.TooManyRedirects):
        session._session.get(server.url + GET.path)

    assert server.served == 3
    assert not [headers for headers in seen if "cookie" in headers]


def test_no_verification_and_other_trust_are_refused(server: LoopbackServer, session: PooledSession) -> None:
    for other in ({"verify": False}, {"verify": "/etc/ssl/certs/ca-certificates.crt"}, {"cert": "client.pem"}):
        with pytest.raises(ValueError, match="trust"):
            session._session.get(server.url + GET.path, **other)
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname = False
    with pytest.raises(ValueError, match="verify"):
        PooledSession(venue="venue", base_url=server.url, allowed=ALLOWED, budget=roomy_budget(), ssl_context=lax)
    assert server.accepts == 0


def test_trust_stays_what_it_was(server: LoopbackServer) -> None:
    """requests would load certifi's roots into any context at every new connection."""
    context = server.client_context()
    before = context.cert_store_stats()
    session = PooledSession(
        venue="venue", base_url=server.url, allowed=ALLOWED, budget=roomy_budget(), ssl_context=context
    )
    session.request(GET)
    session._session.get(server.url + GET.path)
    session.close()

    assert context.cert_store_stats() == before == {"x509": 1, "crl": 0, "x509_ca": 1}
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_environment_is_never_asked(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    session = session_to(server)

    assert session.request(GET).status == 200
    assert session._session.get(server.url + GET.path).status_code == 200
    session.close()


@pytest.mark.parametrize(
    "url",
    ["ftp://x.test", "x.test", "https://", "https://u:p@x.test", "https://x.test/?q", "https://x.test/%2e", "//x"],
)
def test_odd_base_urls_are_refused(server: LoopbackServer, url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        session_to(server, base_url=url)
