"""``--self-test``: does everything this installation needs work here? One line per check, exit code 1 if one failed."""

import logging
import ssl
import time
from collections.abc import Callable

import msgspec
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QWidget

from monitor.assembly import assemble
from monitor.desk.desk import Desk
from monitor.desktop.keyring_probe import probe_keyring
from monitor.desktop.paths import resource_path
from monitor.domain.credentials import CredentialError, CredentialProblem
from monitor.domain.errors import ConnectFailed, ErrorKind, MonitorError
from monitor.exchanges.registry import VENUES
from monitor.transport.tls import make_ssl_context, trust_store_name

log = logging.getLogger(__name__)

START_TIMEOUT_S = 40.0
"""The demo exchange's start on a slow disk, plus a first poll."""


class CheckFailedError(Exception):
    """A check found something wrong; the text is for the user."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check: ``run`` returns a detail worth showing, or raises ``CheckFailedError``."""

    name: str
    run: Callable[[], str]


def run_self_test(desk: Desk) -> int:
    """Open ``desk`` on the demo exchange, run every check, print a line for each; return 0, or 1 if one failed.

    Blocks for some seconds. Thread: GUI.
    """
    test = SelfTest(desk)
    desk.open()
    failures = 0
    try:
        for check in test.checks():
            try:
                print(f"ok    {check.name}: {check.run()}", flush=True)  # noqa: T201 - the product of this mode
            except CheckFailedError as exc:
                failures += 1
                print(f"FAIL  {check.name}: {exc}", flush=True)  # noqa: T201 - as above
    finally:
        desk.window.close()
        desk.close()
    print("self-test passed" if not failures else f"self-test failed: {failures}", flush=True)  # noqa: T201 - as above
    return 1 if failures else 0


class SelfTest:
    """The checks, in the order in which they make sense. Thread: GUI."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def checks(self) -> tuple[Check, ...]:
        """Every check; later ones rely on earlier ones."""
        return (
            Check(name="resources", run=self.resources),
            Check(name="folders", run=self.folders),
            Check(name="window", run=self.window),
            Check(name="trust store", run=self.trust_store),
            Check(name="TLS and prices", run=self.prices),
            Check(name="TLS refusal", run=self.refusal),
            Check(name="price plot", run=self.price_plot),
            Check(name="latency plot", run=self.latency_plot),
            Check(name="keyring", run=self.keyring),
        )

    def resources(self) -> str:
        """Every drawing of ours is there and can be drawn."""
        files = sorted(resource_path("").rglob("*.svg"))
        if not files:
            raise CheckFailedError(f"nothing found in {resource_path('')}")
        broken = [file.name for file in files if not QSvgRenderer(str(file)).isValid()]
        if broken:
            raise CheckFailedError(f"cannot be drawn: {', '.join(broken)}")
        return f"{len(files)} drawings"

    def folders(self) -> str:
        """Settings and logs can be kept."""
        paths = self._desk.paths
        if paths.problem is not None:
            raise CheckFailedError(paths.problem)
        return "settings, data and logs can be written"

    def window(self) -> str:
        """The window is on screen."""
        self._wait(lambda: self._desk.window.charts.price_plot is not None, "the window was not painted")
        return f"{self._desk.window.width()} x {self._desk.window.height()} on {self._desk.platform_name}"

    def trust_store(self) -> str:
        """There are certificate authorities to trust, and whose."""
        try:
            context = make_ssl_context(None)
            store = trust_store_name()
        except OSError as exc:
            raise CheckFailedError(f"the certificate store cannot be read: {exc}") from exc
        if context.verify_mode != ssl.CERT_REQUIRED:
            raise CheckFailedError("certificates would not be verified")
        return f"{store}; {ssl.OPENSSL_VERSION}"

    def prices(self) -> str:
        """Every venue's prices arrive over verified TLS."""
        board = self._desk.controller.board
        self._wait(
            lambda: all(board.venue(name).age(time.perf_counter()) is not None for name in VENUES),
            "no prices arrived from the demo exchange",
        )
        versions = {
            card.tls_version
            for name in VENUES
            for pool in board.venue(name).pools
            for card in pool.connections
            if card.tls_version
        }
        if not versions:
            raise CheckFailedError("prices arrived, but not over TLS")
        return f"{', '.join(VENUES)} over {', '.join(sorted(versions))}"

    def refusal(self) -> str:
        """A certificate that nobody vouches for is refused."""
        controller = self._desk.controller
        urls = {name: runtime.base_url for name, runtime in controller.runtimes.items()}
        name = next(iter(urls))
        stranger = assemble([name], controller.settings, base_urls=urls)[name]
        try:
            stranger.client.fetch_quotes()
        except ConnectFailed as exc:
            if exc.kind is ErrorKind.TLS:
                return "an unknown certificate authority is refused"
            raise CheckFailedError(f"refused for another reason: {exc}") from exc
        except MonitorError as exc:
            raise CheckFailedError(f"refused for another reason: {exc}") from exc
        finally:
            stranger.transport.close()
        raise CheckFailedError("a certificate nobody vouches for was accepted")

    def price_plot(self) -> str:
        """One frame of the price plot has something on it."""
        return _drawn(self._desk.window.charts.price_plot)

    def latency_plot(self) -> str:
        """One frame of the latency plot has something on it."""
        return _drawn(self._desk.window.charts.latency_plot)

    def keyring(self) -> str:
        """Whether accounts can be kept here; public data needs none, so an absent or locked one is told, not failed."""
        try:
            return f"{probe_keyring()}: written, read and deleted"
        except CredentialError as exc:
            if exc.problem is CredentialProblem.NOT_KEPT:
                raise CheckFailedError(str(exc)) from exc
            return f"not available, accounts cannot be stored: {exc}"

    def _wait(self, is_true: Callable[[], bool], otherwise: str) -> None:
        give_up_s = time.perf_counter() + START_TIMEOUT_S
        while not is_true():
            if time.perf_counter() > give_up_s:
                raise CheckFailedError(f"{otherwise} within {START_TIMEOUT_S:.0f} s")
            self._desk.work_for(0.05)


def _drawn(plot: QWidget | None) -> str:
    if plot is None:
        raise CheckFailedError("it was not loaded")
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    colors = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 5)}
    if len(colors) < 3:
        raise CheckFailedError("the frame is empty")
    return f"{image.width()} x {image.height()} pixels"
