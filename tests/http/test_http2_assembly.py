"""Which transport a venue gets, by the settings."""

import sys
from pathlib import Path

import pytest

from monitor.assembly import AssemblyError, assemble
from monitor.desktop.settings import Settings
from monitor.transport.http2.session import Http2Session
from monitor.transport.interface import Endpoint
from monitor.transport.session import PooledSession
from tests.fakes.h2_server import serving_h2

BOOK = Endpoint(name="bitunix.depth", method="GET", path="/api/v1/futures/market/depth")


def test_venue_set_to_http2_speaks_it_and_the_others_do_not(tmp_path: Path) -> None:
    with serving_h2() as server:
        ca_file = tmp_path / "ca.pem"
        server.authority.cert_pem.write_to_path(str(ca_file))
        runtimes = assemble(
            ["bitunix", "hyperliquid"],
            Settings(http2_venues=("bitunix",)),
            base_urls={"bitunix": server.url, "hyperliquid": server.url},
            ca_file=ca_file,
        )
        transport = runtimes["bitunix"].transport
        assert isinstance(transport, Http2Session)
        assert transport.request(BOOK).traces[0].http_version == "2"
        assert isinstance(runtimes["hyperliquid"].transport, PooledSession)
        for runtime in runtimes.values():
            runtime.transport.close()


def test_http11_is_the_default_and_what_a_proxy_gets() -> None:
    through_proxy = Settings(http2_venues=("bitunix",), proxies={"https": "http://127.0.0.1:9"})
    for settings in (Settings(), through_proxy):
        runtime = assemble(["bitunix"], settings)["bitunix"]
        assert isinstance(runtime.transport, PooledSession)
        runtime.transport.close()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "monitor.transport.http2.session", None)
    with pytest.raises(AssemblyError, match=r"trading-monitor\[http2\]"):
        assemble(["bitunix"], Settings(http2_venues=("bitunix",)))
