"""Two minutes of random faults under the whole window: nothing unhandled, nothing leaked, all back at the end."""

import gc
import logging
import random
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import psutil
import pytest
from PySide6.QtWidgets import QApplication

from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.state.verdict import Verdict
from tests.fakes.demo_exchange import DemoServer, demo_exchange

SOAK_S = 120.0
RECOVERY_S = 40.0
"""The longest own deadline plus the longest back-off after a failure."""

FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "latency", "seconds": 1.5},
    {"kind": "trickle", "bytes_per_s": 4000},
    {"kind": "reset", "fraction": 0.5, "probability": 0.5},
    {"kind": "cut", "fraction": 0.3, "probability": 0.5},
    {"kind": "close_after_reply", "probability": 0.5},
    {"kind": "close_after_reply", "announced": True},
    {"kind": "idle_close", "seconds": 0.1},
    {"kind": "stale_race", "probability": 0.5},
    {"kind": "black_hole", "probability": 0.3},
    {"kind": "black_hole_connect"},
    {"kind": "refuse"},
    {"kind": "rate_limit", "retry_after_s": 2, "probability": 0.3},
    {"kind": "rate_limit", "retry_after_s": None, "probability": 0.2},
    {"kind": "server_error", "status": 503, "probability": 0.5},
    {"kind": "server_error", "status": 502, "probability": 0.5},
    {"kind": "forbidden_html", "probability": 0.5},
    {"kind": "null_body", "probability": 0.5},
    {"kind": "malformed_json"},
    {"kind": "truncated_json"},
    {"kind": "wrong_types"},
    {"kind": "huge_body", "bytes": 50_000_000, "probability": 0.2},
    {"kind": "frozen"},
    {"kind": "clock_skew", "seconds": 90},
    {"kind": "expired_certificate"},
    {"kind": "vanished_instrument", "instrument": "BTCUSDT"},
    {"kind": "vanished_instrument", "instrument": "BTC"},
)


class _Unhandled(logging.Handler):
    """Collects what must not happen: uncaught exceptions of any thread, and failures of the kind ``internal``."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


@pytest.fixture
def unhandled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    handler = _Unhandled()

    def on_exception(kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        handler.found.append(f"{kind.__name__}: {error}")

    def on_thread(args: threading.ExceptHookArgs) -> None:
        handler.found.append(f"{args.exc_type.__name__} in {args.thread}: {args.exc_value}")

    monkeypatch.setattr(sys, "excepthook", on_exception)
    monkeypatch.setattr(threading, "excepthook", on_thread)
    logging.getLogger().addHandler(handler)
    yield handler.found
    logging.getLogger().removeHandler(handler)


def _tcp_sockets() -> int:
    return len([one for one in psutil.Process().net_connections("tcp") if one.status != psutil.CONN_LISTEN])


def _desk(exchange: DemoServer, folder: Path) -> Desk:
    for name in ("config", "data", "cache", "log"):
        (folder / name).mkdir()
    return Desk(
        settings=Settings(read_timeout_s=3.0, deadline_s=5.0),
        paths=AppPaths(
            config_dir=folder / "config", data_dir=folder / "data", cache_dir=folder / "cache", log_dir=folder / "log"
        ),
        notes=(),
        options=DeskOptions(
            base_urls=exchange.venues,
            ca_file=exchange.ca_file,
            settings_file=folder / "config" / "settings.json",
            is_scripted=True,
            size=(1280, 720),
        ),
    )


@pytest.mark.soak
@pytest.mark.xdist_group("waiting")
@pytest.mark.timeout(400)
@pytest.mark.allow_warnings  # faults are meant to be logged
def test_two_minutes_of_random_faults_leave_nothing_behind(
    qapp: QApplication, tmp_path: Path, unhandled: list[str]
) -> None:
    del qapp  # the desk takes the application over
    chance = random.Random(20_261_123)
    threads_before = set(threading.enumerate())
    sockets_before = _tcp_sockets()
    with demo_exchange(rtt_ms=10) as exchange:
        desk = _desk(exchange, tmp_path)
        desk.open()
        end_s = time.monotonic() + SOAK_S
        injected = 0
        while time.monotonic() < end_s:
            fault = dict(chance.choice(FAULTS))
            fault["duration_s"] = chance.uniform(1.0, 5.0)
            if chance.random() < 0.7:
                fault["venue"] = chance.choice(tuple(exchange.venues))
            exchange.add_fault(**fault)
            injected += 1
            desk.work_for(chance.uniform(0.5, 3.0))
        exchange.clear_faults()
        board = desk.controller.board
        give_up_s = time.monotonic() + RECOVERY_S
        while time.monotonic() < give_up_s and not all(
            board.venue(name).verdict(time.perf_counter()) is Verdict.LIVE for name in board.venue_names
        ):
            desk.work_for(0.2)
        verdicts = {name: board.venue(name).verdict(time.perf_counter()) for name in board.venue_names}
        failed = {name: dict(board.venue(name).failed_by_kind) for name in board.venue_names}
        transports = {name: runtime.transport for name, runtime in desk.controller.runtimes.items()}
        desk.window.close()
        desk.controller.stop()
        desk.close()
        pools = {name: transport.pool_stats() for name, transport in transports.items()}
    gc.collect()
    leaked = [thread.name for thread in threading.enumerate() if thread not in threads_before and thread.is_alive()]

    assert injected > 40
    assert set(verdicts.values()) == {Verdict.LIVE}, f"not recovered: {verdicts}, failures {failed}"
    assert any(failed.values()), "the faults never reached the app"
    assert unhandled == []
    assert leaked == []
    assert _tcp_sockets() <= sockets_before
    for name, stats in pools.items():
        for pool in stats:
            assert pool.active == 0, f"{name}: a lease was never given back"
            assert pool.opened == sum(pool.closed.values()) + pool.idle, f"{name}: {pool}"
