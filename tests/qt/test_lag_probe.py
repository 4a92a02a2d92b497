"""The probe of the client's own delay: it must notice that the interpreter was held."""

import time

from pytestqt.qtbot import QtBot

from monitor.qtmodels.lag_probe import LagProbe
from tests.qt.conftest import WindowFactory


def hold_the_interpreter(seconds: float) -> None:
    """Sort in one call of C code, which keeps the lock, until ``seconds`` have been held in a row."""
    values = [float(number % 9_973) for number in range(200_000)]
    size = len(values)
    while True:
        began_s = time.perf_counter()
        sorted(values)
        if time.perf_counter() - began_s >= seconds:
            return
        values = values + values[:size]


def test_a_held_interpreter_shows_as_delay(qtbot: QtBot) -> None:
    probe = LagProbe()
    probe.start()
    probe.start()
    qtbot.waitUntil(lambda: probe.read().total >= 5)
    before = probe.read().figures()
    hold_the_interpreter(0.15)
    seen = probe.delays.total
    qtbot.waitUntil(lambda: probe.read().total > seen + 1)
    probe.stop()

    assert before.n >= 5
    worst_s = probe.delays.figures().worst_s
    assert worst_s is not None
    assert worst_s > 0.1


def test_a_stopped_probe_writes_nothing_more(qtbot: QtBot) -> None:
    probe = LagProbe(0.001)
    probe.start()
    qtbot.waitUntil(lambda: probe.read().total >= 1)
    probe.stop()
    total = probe.read().total
    qtbot.wait(20)

    assert probe.read().total == total


def test_the_status_bar_shows_both_delays(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.window.show()
    qtbot.waitUntil(lambda: s.window.status.lag_label.probe.read().total >= 3)
    s.show_now()

    assert "client +" in s.window.status.lag_label.text
    assert "interpreter lock" in s.window.status.lag_label.toolTip()
    assert "±" in s.window.status.clock_label.text
