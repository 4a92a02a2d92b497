"""A window that was killed comes back with what it had shown; what came before counts nowhere."""

import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.qtmodels.request_model import RequestColumn
from monitor.qtmodels.request_words import is_earlier
from monitor.state.latency import MarkKind
from tests.fakes.command_line import ROOT, addresses_of
from tests.fakes.demo_exchange import DemoServer, demo_exchange

BTC = ("bitunix", "BTCUSDT")


def _start_window(exchange: DemoServer, home: Path) -> subprocess.Popen[bytes]:
    variables = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(home)}
    command = [sys.executable, "-m", "monitor", *addresses_of(exchange), "--duration=300"]
    command += [f"--screenshot={home / 'picture.png'}", f"--settings={home / 'settings.json'}"]
    with (home / "errors.txt").open("wb") as errors:
        return subprocess.Popen(
            command, cwd=home, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )


def _rows(file: Path) -> int:
    if not file.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as reader:
            (count,) = reader.execute("SELECT count(*) FROM reply").fetchone()
        reader.close()
    except sqlite3.OperationalError:
        return 0
    return int(count)


def _wait(condition: Callable[[], bool], seconds: float, work: Callable[[float], None] = time.sleep) -> bool:
    give_up_s = time.monotonic() + seconds
    while time.monotonic() < give_up_s:
        if condition():
            return True
        work(0.1)
    return condition()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
@pytest.mark.allow_warnings  # a poll cut off at the end is logged
def test_a_killed_window_comes_back_with_what_it_had_shown(qapp: QApplication, tmp_path: Path) -> None:
    del qapp  # the desk takes the application over
    file = tmp_path / "trading-monitor" / "history.db"
    with demo_exchange() as exchange:
        first = _start_window(exchange, tmp_path)
        try:
            assert _wait(lambda: _rows(file) >= 12, 60.0), (tmp_path / "errors.txt").read_text()
        finally:
            first.kill()
            first.wait(10)
        shown_before = _rows(file)
        desk = Desk(
            settings=Settings(),
            paths=AppPaths(config_dir=tmp_path, data_dir=file.parent, cache_dir=tmp_path, log_dir=tmp_path),
            notes=(),
            options=DeskOptions(
                base_urls=exchange.venues,
                ca_file=exchange.ca_file,
                settings_file=tmp_path / "second.json",
                is_scripted=True,
            ),
        )
        desk.open()
        board = desk.controller.board
        venue = board.venue("bitunix")
        assert _wait(lambda: board.has_past and venue.made >= 3, 30.0, desk.work_for)
        desk.work_for(0.5)
        now_s = time.perf_counter()
        series = board.series(BTC)
        assert series is not None
        times, values = series.points(*series.index_range(-math.inf, math.inf))
        marks = venue.latency.marks(MarkKind.WARM, -math.inf, now_s)
        counted = venue.latency.summary(-math.inf, now_s, False).n + venue.latency.summary(-math.inf, now_s, True).n
        own = [trace for trace in board.requests.items if trace.venue == "bitunix" and trace.error_kind is None]
        model = desk.window.requests.model
        oldest = model.trace_at(model.rowCount() - 1)
        oldest_time = model.data(model.index(model.rowCount() - 1, RequestColumn.TIME))
        desk.window.close()
        desk.close()

    before = times < board.started_mono_s
    assert 2 <= before.sum() <= shown_before + 2
    assert -300.0 < times[0] - board.started_mono_s < 0.0, "times of the other run are on the clock of this one"
    # The line breaks between the runs, and goes on after the gap.
    assert math.isnan(values[before][-1])
    assert not math.isnan(values[~before][0])
    assert list(times) == sorted(times)
    assert marks.times_s.min() < board.started_mono_s < marks.times_s.max()
    assert counted == len(own), "what came before is in no figure"
    assert venue.made + venue.missed <= venue.planned + 1
    assert is_earlier(oldest)
    assert oldest_time.startswith("◂")
