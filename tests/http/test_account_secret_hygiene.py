"""Unique secrets go through everything that can go wrong on a real socket; then every text there is is searched."""

import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.logs import configure_logging
from monitor.domain.credentials import CredentialError, Credentials
from monitor.domain.errors import Failure, MonitorError
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.accounts import AccountClient
from monitor.exchanges.bitunix.account import BitunixAccount
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from monitor.exchanges.registry import VENUES
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.session import PooledSession
from monitor.transport.tls import make_ssl_context
from tests.fakes.account_server import AccountVenue, expected_sign
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.tls_server import LoopbackServer, Received, drop, reset, serving

# Words are of no form that a redaction rule knows, so that only not saying them helps; digits are what venues give out.
KEY = "Unique-Planted-Key-Zebra-77"
SECRET = "Unique-Planted-Secret-Okapi-88"
HEX_KEY = "7e57c0de4b1d5eed" * 2
HEX_SECRET = "7e575ec4e7b0a710" * 2
ADDRESS = "0x" + "7e57ADd4" * 5

pytestmark = pytest.mark.allow_warnings


@pytest.fixture(autouse=True)
def _levels() -> Iterator[None]:
    """Everything that can log, logs everything."""
    names = ("", "monitor", "urllib3", "requests", "http", "asyncio", "keyring")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


class Echo(AccountVenue):
    """Sends back whatever it was sent, in the form of ``status`` and ``content_type``."""

    def __init__(
        self, body: Callable[[str], bytes], *, status: int = 200, content_type: str = "application/json"
    ) -> None:
        super().__init__(secret=SECRET)
        self._body = body
        self._status = status
        self._content_type = content_type

    def __call__(self, received: Received) -> None:
        self.note(received)
        said = " ".join([received.body.decode(), *received.headers.values(), SECRET, HEX_SECRET]).replace('"', "'")
        received.reply(self._body(said), status=self._status, headers={"Content-Type": self._content_type})


def _message(code: int) -> Callable[[str], bytes]:
    return lambda said: f'{{"code":{code},"data":null,"msg":"{said}"}}'.encode()


class _Disturbed(AccountVenue):
    """Answers after having failed the first request on every connection but the first in some way."""

    def __init__(self, disturbance: Callable[[Received], None]) -> None:
        super().__init__(secret=SECRET)
        self._disturbance = disturbance
        self._served = 0

    def __call__(self, received: Received) -> None:
        self._served += 1
        self.note(received)
        if self._served % 2 == 0:
            self._disturbance(received)
        else:
            received.reply(b'{"code":0,"data":[],"msg":"Success"}' if received.method == "GET" else b'"default"')


DISTURBANCES: dict[str, Callable[[], AccountVenue]] = {
    "echo in an unknown code": lambda: Echo(_message(99_999)),
    "echo in a signature error": lambda: Echo(_message(10_007)),
    "echo in a rate limit": lambda: Echo(_message(10_006)),
    "echo in a page with 403": lambda: Echo(
        lambda said: f"<html>{said}</html>".encode(), status=403, content_type="text/html"
    ),
    "echo in a 422": lambda: Echo(lambda said: said.encode(), status=422, content_type="text/plain"),
    "echo in a 429": lambda: Echo(lambda said: said.encode(), status=429, content_type="text/plain"),
    "echo in a 500": lambda: Echo(lambda said: said.encode(), status=500, content_type="text/plain"),
    "echo in data": lambda: Echo(lambda said: f'{{"code":0,"data":"{said}"}}'.encode()),
    "echo in broken data": lambda: Echo(lambda said: f'{{"code":0,"data":"{said}'.encode()),
    "echo as a repeated key": lambda: Echo(
        lambda said: f'{{"code":0,"data":{{"{said[:50]}":1,"{said[:50]}":2}}}}'.encode()
    ),
    "no JSON": lambda: Echo(lambda said: said.encode()),
    "dropped connections": lambda: _Disturbed(drop),
    "reset connections": lambda: _Disturbed(reset),
}


def client_of(server: LoopbackServer, tmp_path: Path, credentials: Credentials) -> tuple[AccountClient, PooledSession]:
    ca_file = tmp_path / "ca.pem"
    server.authority.cert_pem.write_to_path(str(ca_file))
    venue = credentials.account.venue
    rule = BudgetRule(venue=venue, limit=100_000, window_s=1.0, cap_fraction=1.0)
    clock = FakeClock()
    session = PooledSession(
        venue=venue,
        base_url=server.url,
        allowed=VENUES[venue].allowed,
        budget=WeightBudget(rule, clock),
        config=TransportConfig(read_timeout_s=5.0, deadline_s=10.0),
        ssl_context=make_ssl_context(ca_file),
    )
    # A pause that the venue asks for passes at once.
    make = BitunixAccount if venue == "bitunix" else HyperliquidAccount
    return make(session, credentials, pause=clock.advance), session


INPUTS = {
    "bitunix, words": {"api_key": KEY, "secret": SECRET},
    "bitunix, digits": {"api_key": HEX_KEY, "secret": HEX_SECRET},
    "hyperliquid": {"address": ADDRESS},
}


def credentials_of(which: str) -> Credentials:
    venue = which.partition(",")[0]
    return ACCOUNT_VENUES[venue].make_credentials("main", INPUTS[which])


@contextmanager
def everything_logged(folder: Path, texts: list[str]) -> Iterator[None]:
    """Adds the whole log to ``texts`` in the end: as it is written, and what it would be without redaction."""
    raw_log, redacted_log = io.StringIO(), io.StringIO()
    setup = configure_logging(folder, stream=redacted_log, is_verbose=True)
    raw = logging.StreamHandler(raw_log)
    logging.getLogger().addHandler(raw)
    for name in ("", "monitor", "urllib3", "requests", "http", "keyring"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    setup.close()
    logging.getLogger().removeHandler(raw)
    texts += [raw_log.getvalue(), redacted_log.getvalue()]


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("which", INPUTS)
def test_no_text_anywhere_holds_what_signed_or_named_the_account(
    which: str, disturbance: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts: list[str] = []
    behave = DISTURBANCES[disturbance]()
    credentials = credentials_of(which)
    log = logging.getLogger("monitor.test")
    with everything_logged(tmp_path / "log", texts), serving(behave=behave) as server:
        client, session = client_of(server, tmp_path, credentials)
        reads = [client.fetch_snapshot, client.fetch_open_orders, client.fetch_fills, client.fetch_funding]
        for read in [*reads, client.fetch_order_history]:
            try:
                texts.append(repr(read()))
            except MonitorError as error:
                log.exception("read failed")
                log.debug("%r %s", error, Failure.from_error(error))
                texts += [*traceback.format_exception(error), repr(error), error.detail, repr(error.traces)]
        texts.append(repr(client.check()))
        texts += [repr(session.pool_stats()), repr(session.budget_state()), repr(vars(session)), repr(vars(client))]
        session.close()
    for value in (credentials, credentials.values, client):
        with pytest.raises((TypeError, AttributeError)) as caught:
            pickle.dumps(value)
        texts += traceback.format_exception(caught.value)

    captured = capfd.readouterr()
    texts += [captured.out, captured.err]
    texts += [path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()]
    everything = "\n".join(texts).lower()
    hidden = [text.removeprefix("0x") for text in INPUTS[which].values()]
    assert server.served > 0
    assert "monitor" in everything
    assert [text for text in hidden if text.lower() in everything] == []
    assert [text for text in (*behave.signatures, *behave.nonces) if text in everything] == []
    assert bool(behave.signatures) is which.startswith("bitunix")


def test_a_request_repeated_after_a_stale_connection_is_signed_right_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    venue = AccountVenue(secret=SECRET)
    wrong: list[str] = []
    texts: list[str] = []

    def checked(received: Received) -> None:
        if received.headers["sign"] != expected_sign(received, key=KEY, secret=SECRET):
            wrong.append(received.target)
        venue.note(received)
        received.reply(b'{"code":0,"data":[]}')

    def unseen(received: Received) -> None:
        venue.note(received)
        drop(received)

    with everything_logged(tmp_path / "log", texts), serving(behave=checked) as server:
        client, session = client_of(server, tmp_path, credentials_of("bitunix, words"))
        first = next(job for job in client.poll_jobs() if job.endpoint == "bitunix.positions")
        first.fetch()
        server.script.append(unseen)
        healed = first.fetch()
        texts += [repr(healed), repr(vars(session)), repr(vars(client))]
        session.close()

    assert [trace.is_healed for trace in healed.traces] == [True, False]
    assert wrong == []
    # The venue never answered the second, so its signature and nonce may be used again.
    assert len(venue.signatures) == 3
    assert venue.signatures[1] == venue.signatures[2] != venue.signatures[0]
    captured = capfd.readouterr()
    texts += [captured.out, captured.err, *(file.read_text() for file in (tmp_path / "log").iterdir())]
    everything = "\n".join(texts).lower()
    assert "urllib3" in everything, "the log was at DEBUG"
    assert [text for text in (KEY, SECRET, *venue.signatures, *venue.nonces) if text.lower() in everything] == []


def test_the_keyrings_failures_say_nothing_either(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keyring = FakeKeyring()
    store = CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for error in (RuntimeError(SECRET), ValueError({"secret": SECRET}), OSError(5, SECRET)):
            keyring.error = error
            with pytest.raises(CredentialError) as caught:
                store.add(credentials_of("bitunix, words"))
            logging.getLogger("monitor.test").error("failed", exc_info=caught.value)
            texts += [*traceback.format_exception(caught.value), repr(caught.value), caught.value.detail]

    texts += [caplog.text, *(path.read_text() for path in tmp_path.rglob("*") if path.is_file())]
    assert SECRET not in "\n".join(texts)
    assert KEY not in "\n".join(texts)
