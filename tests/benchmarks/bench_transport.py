"""What a request costs through our session, as a ratio to stock requests in the same interleaved run.

The server is a process of its own on loopback TLS. Stock is ``requests.Session().get/post(...).json()`` with
``verify`` set to the same certificate authority; ours decodes with msgspec and has all telemetry on.

``python tests/benchmarks/bench_transport.py`` prints the table; as a test (marker ``benchmark``) it holds the bars.
"""

import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import msgspec
import pytest
import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Endpoint
from monitor.transport.policy import AllowedRequest
from monitor.transport.session import PooledSession
from tests.benchmarks.harness import Interleaved, interleave_quietly

CPU_BAR = 0.60
TELEMETRY_BAR = 1.07
CONNECTION_BAR = 0.15

GET = Endpoint(name="bench.get", method="GET", path="/api/v1/tickers")
POST = Endpoint(name="bench.post", method="POST", path="/info")
BODY = b'{"type":"allMids"}'

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@contextlib.contextmanager
def server_process() -> Iterator[tuple[str, str]]:
    """A server in another process: its URL and the file of its certificate authority."""
    root = Path(__file__).parents[2]
    command = [sys.executable, str(root / "tests/fakes/tls_server.py")]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        try:
            yield started["url"], started["ca_file"]
        finally:
            process.stdin.close()
            process.wait(10)


@contextlib.contextmanager
def without_ca_variables() -> Iterator[None]:
    """Stock requests prefers these variables to its own ``verify``."""
    kept = {name: os.environ.pop(name) for name in _CA_VARIABLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def our_session(url: str, context: ssl.SSLContext, *, is_traced: bool = True) -> PooledSession:
    """A session whose budget is real but never used up."""
    return PooledSession(
        venue="bench",
        base_url=url,
        allowed=(AllowedRequest(method="GET", path_prefix="/api/"), AllowedRequest(method="POST", path="/info")),
        budget=WeightBudget(BudgetRule(venue="bench", limit=10**9, window_s=0.5), time.monotonic),
        config=TransportConfig(is_traced=is_traced),
        ssl_context=context,
    )


def measure_requests(url: str, ca_file: str, rounds: int) -> Interleaved:
    """Warm GETs and POSTs, stock and ours, with and without telemetry, each plain one twice."""
    context = ssl.create_default_context(cafile=ca_file)
    decode = msgspec.json.Decoder().decode

    def stock() -> requests.Session:
        session = requests.Session()
        session.verify = ca_file
        return session

    def stock_get(session: requests.Session) -> Callable[[], object]:
        target = url + GET.path
        return lambda: session.get(target, timeout=(3.1, 8.0)).json()

    def stock_post(session: requests.Session) -> Callable[[], object]:
        target = url + POST.path
        headers = {"Content-Type": "application/json"}
        return lambda: session.post(target, data=BODY, headers=headers, timeout=(3.1, 8.0)).json()

    def our_get(session: PooledSession) -> Callable[[], object]:
        return lambda: decode(session.request(GET).body)

    def our_post(session: PooledSession) -> Callable[[], object]:
        headers = {"Content-Type": "application/json"}
        return lambda: decode(session.request(POST, body=BODY, headers=headers).body)

    traced = our_session(url, context)
    plain, plain_again = (our_session(url, context, is_traced=False) for _ in range(2))
    variants = {
        "stock GET": stock_get(stock()),
        "stock GET again": stock_get(stock()),
        "ours GET": our_get(traced),
        "ours GET, no telemetry": our_get(plain),
        "ours GET, no telemetry again": our_get(plain_again),
        "stock POST": stock_post(stock()),
        "ours POST": our_post(traced),
        "ours POST, no telemetry": our_post(plain),
    }
    try:
        return interleave_quietly(variants, control=("stock GET", "stock GET again"), rounds=rounds)
    finally:
        for session in (traced, plain, plain_again):
            session.close()


def measure_connections(url: str, ca_file: str, rounds: int) -> Interleaved:
    """A new TLS connection and one request on it; both sides trust certifi's roots and the server's authority.

    The server ends every connection with its reply, so every request opens one; the sessions stay.
    """
    endpoint = Endpoint(name="bench.close", method="GET", path="/api/close")
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle.pem"
        bundle.write_text(certifi.contents() + Path(ca_file).read_text())

        def stock() -> Callable[[], object]:
            session = requests.Session()
            session.verify = str(bundle)
            return lambda: session.get(url + endpoint.path, timeout=(3.1, 8.0)).json()

        ours = our_session(url, ssl.create_default_context(cafile=str(bundle)))
        variants = {"stock": stock(), "stock again": stock(), "ours": lambda: ours.request(endpoint).body}
        try:
            return interleave_quietly(variants, control=("stock", "stock again"), rounds=rounds, warm_up=3)
        finally:
            ours.close()


@pytest.mark.benchmark
def test_transport_costs_less_than_stock_requests() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        result = measure_requests(url, ca_file, rounds=600)
    print("\n" + result.table("stock GET"))
    if not result.is_quiet(("stock GET", "stock GET again")):
        pytest.skip("the machine is too busy: stock against stock is off by more than 0.03")

    assert result.ratio("ours GET", "stock GET") <= CPU_BAR
    assert result.ratio("ours POST", "stock POST") <= CPU_BAR
    if not result.is_quiet(("ours GET, no telemetry", "ours GET, no telemetry again")):
        pytest.skip("the machine is too busy: our session against itself is off by more than 0.03")
    assert result.ratio("ours GET", "ours GET, no telemetry") <= TELEMETRY_BAR
    assert result.ratio("ours POST", "ours POST, no telemetry") <= TELEMETRY_BAR


@pytest.mark.benchmark
def test_new_connection_costs_a_fraction_of_stock() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        result = measure_connections(url, ca_file, rounds=60)
    print("\n" + result.table("stock"))
    if not result.is_quiet(("stock", "stock again")):
        pytest.skip("the machine is too busy: stock against stock is off by more than 0.03")

    assert result.ratio("ours", "stock") <= CONNECTION_BAR


def main() -> None:
    """Print both tables and the ratios that have bars."""
    with without_ca_variables(), server_process() as (url, ca_file):
        warm = measure_requests(url, ca_file, rounds=2000)
        cold = measure_connections(url, ca_file, rounds=100)
    print("Warm loopback TLS, small JSON reply")
    print(warm.table("stock GET"))
    print("\nA new TLS connection with one request")
    print(cold.table("stock"))
    print(
        f"\nGET: {warm.ratio('ours GET', 'stock GET'):.3f} of stock, "
        f"POST: {warm.ratio('ours POST', 'stock POST'):.3f} (bar {CPU_BAR:.2f})"
        f"\ntelemetry on/off: GET {warm.ratio('ours GET', 'ours GET, no telemetry'):.3f}, "
        f"POST {warm.ratio('ours POST', 'ours POST, no telemetry'):.3f} (bar {TELEMETRY_BAR:.2f})"
        f"\nnew TLS connection: {cold.ratio('ours', 'stock'):.3f} of stock (bar {CONNECTION_BAR:.2f})"
        f"\ncontrols: {warm.ratio('stock GET again', 'stock GET'):.3f}, "
        f"{warm.ratio('ours GET, no telemetry again', 'ours GET, no telemetry'):.3f}, "
        f"{cold.ratio('stock again', 'stock'):.3f}"
    )


if __name__ == "__main__":
    main()
