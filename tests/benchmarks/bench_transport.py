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
def server_process(*arguments: str) -> Iterator[tuple[str, str]]:
    """A server in another process: its URL and the file of its certificate authority."""
    root = Path(__file__).parents[2]
    command = [sys.executable, str(root / "tests/fakes/tls_server.py"), *arguments]
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
    """Warm GETs and POSTs, stock and ours; stock GET twice."""
    decode = msgspec.json.Decoder().decode
    headers = {"Content-Type": "application/json"}

    def stock() -> requests.Session:
        session = requests.Session()
        session.verify = ca_file
        return session

    def stock_get(session: requests.Session) -> Callable[[], object]:
        target = url + GET.path
        return lambda: session.get(target, timeout=(3.1, 8.0)).json()

    def stock_post(session: requests.Session) -> Callable[[], object]:
        target = url + POST.path
        return lambda: session.post(target, data=BODY, headers=headers, timeout=(3.1, 8.0)).json()

    ours = our_session(url, ssl.create_default_context(cafile=ca_file))
    variants = {
        "stock GET": stock_get(stock()),
        "stock GET again": stock_get(stock()),
        "ours GET": lambda: decode(ours.request(GET).body),
        "stock POST": stock_post(stock()),
        "ours POST": lambda: decode(ours.request(POST, body=BODY, headers=headers).body),
    }
    try:
        return interleave_quietly(variants, control=("stock GET", "stock GET again"), rounds=rounds)
    finally:
        ours.close()


def measure_telemetry(url: str, ca_file: str, rounds: int) -> Interleaved:
    """The same session with and without telemetry, the one without twice; GET, where there is nothing else between."""
    context = ssl.create_default_context(cafile=ca_file)
    off, off_again = (our_session(url, context, is_traced=False) for _ in range(2))
    traced = our_session(url, context)
    variants = {
        "off": lambda: off.request(GET).body,
        "off again": lambda: off_again.request(GET).body,
        "on": lambda: traced.request(GET).body,
    }
    try:
        return interleave_quietly(variants, control=("off", "off again"), rounds=rounds)
    finally:
        for session in (off, off_again, traced):
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


def skip_if_busy(result: Interleaved, control: tuple[str, str]) -> None:
    if not result.is_quiet(control):
        off = result.ratio(control[1], control[0])
        pytest.skip(f"the machine is too busy: two variants that do the same differ by a factor of {off:.3f}")


@pytest.mark.benchmark
def test_transport_costs_less_than_stock_requests() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        result = measure_requests(url, ca_file, rounds=600)
    print("\n" + result.table("stock GET"))
    skip_if_busy(result, ("stock GET", "stock GET again"))

    assert result.ratio("ours GET", "stock GET") <= CPU_BAR
    assert result.ratio("ours POST", "stock POST") <= CPU_BAR


@pytest.mark.benchmark
def test_telemetry_costs_next_to_nothing() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        result = measure_telemetry(url, ca_file, rounds=1500)
    print("\n" + result.table("off"))
    skip_if_busy(result, ("off", "off again"))

    assert result.ratio("on", "off") <= TELEMETRY_BAR


@pytest.mark.benchmark
def test_new_connection_costs_a_fraction_of_stock() -> None:
    with without_ca_variables(), server_process() as (url, ca_file):
        result = measure_connections(url, ca_file, rounds=60)
    print("\n" + result.table("stock"))
    skip_if_busy(result, ("stock", "stock again"))

    assert result.ratio("ours", "stock") <= CONNECTION_BAR


def main() -> None:
    """Print the tables and the ratios that have bars."""
    with without_ca_variables(), server_process() as (url, ca_file):
        warm = measure_requests(url, ca_file, rounds=2000)
        telemetry = measure_telemetry(url, ca_file, rounds=4000)
        cold = measure_connections(url, ca_file, rounds=100)
    print("Warm loopback TLS, small JSON reply")
    print(warm.table("stock GET"))
    print("\nOur session, telemetry off and on")
    print(telemetry.table("off"))
    print("\nA new TLS connection with one request")
    print(cold.table("stock"))
    print(
        f"\nCPU of stock: GET {warm.ratio('ours GET', 'stock GET'):.3f}, "
        f"POST {warm.ratio('ours POST', 'stock POST'):.3f} (bar {CPU_BAR:.2f}); "
        f"control {warm.ratio('stock GET again', 'stock GET'):.3f}"
        f"\ntelemetry on/off: {telemetry.ratio('on', 'off'):.3f} (bar {TELEMETRY_BAR:.2f}); "
        f"control {telemetry.ratio('off again', 'off'):.3f}"
        f"\nnew TLS connection: {cold.ratio('ours', 'stock'):.3f} of stock (bar {CONNECTION_BAR:.2f}); "
        f"control {cold.ratio('stock again', 'stock'):.3f}"
    )


if __name__ == "__main__":
    main()
