"""Cyclic garbage is collected in the GUI thread only, and the collector is left as it was found."""

import gc
import threading
from collections.abc import Iterator
from typing import ClassVar

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from monitor.qtmodels.gui_garbage import LEAST_REST_S, GuiGarbage
from tests.fakes.fake_clock import FakeClock

pytestmark = pytest.mark.automatic_gc


@pytest.fixture
def collector() -> Iterator[None]:
    """Nothing of earlier tests is left to be collected, and the collector is as it was afterwards."""
    thresholds = gc.get_threshold()
    assert gc.isenabled()
    gc.collect()
    yield
    gc.set_threshold(*thresholds)
    gc.enable()
    gc.unfreeze()


class Cyclic(QObject):
    """An object that only the collector frees; tells in which thread that was."""

    ended_in: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__()
        self.me = self

    def __del__(self) -> None:
        self.ended_in.append(threading.current_thread().name)


def let_a_worker_allocate() -> list[list[object]]:
    """Make far more objects in another thread than the collector waits for, and keep them."""
    kept: list[list[object]] = []
    worker = threading.Thread(target=lambda: kept.extend([] for _ in range(200_000)), name="worker")
    worker.start()
    worker.join()
    return kept


@pytest.fixture
def ended_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ended: list[str] = []
    monkeypatch.setattr(Cyclic, "ended_in", ended)
    return ended


@pytest.mark.usefixtures("collector")
def test_left_alone_a_workers_allocations_destroy_a_qt_object_of_the_gui_there(ended_in: list[str]) -> None:
    """What this is about: if this ever fails, Python does not do so any more and all of it may go."""
    Cyclic()
    let_a_worker_allocate()

    assert ended_in == ["worker"]


@pytest.mark.usefixtures("collector")
def test_a_qt_object_in_a_cycle_is_destroyed_in_the_gui_thread(ended_in: list[str], qtbot: QtBot) -> None:
    garbage = GuiGarbage(interval_ms=20)
    garbage.start()
    try:
        Cyclic()
        kept = let_a_worker_allocate()
        assert len(kept) > gc.get_threshold()[0]
        assert ended_in == []
        # Nothing but the timer's turn of the event loop is left to do it.
        qtbot.waitUntil(lambda: bool(ended_in))
    finally:
        garbage.stop()

    assert ended_in == [threading.main_thread().name]


@pytest.mark.usefixtures("collector")
def test_while_it_is_held_nothing_is_looked_at(ended_in: list[str], qtbot: QtBot) -> None:
    garbage = GuiGarbage(interval_ms=10)
    garbage.hold()
    try:
        Cyclic()
        kept = let_a_worker_allocate()
        qtbot.wait(100)
        assert len(kept) > gc.get_threshold()[0]
        assert ended_in == []
        garbage.start()
        qtbot.waitUntil(lambda: bool(ended_in))
    finally:
        garbage.stop()

    assert ended_in == [threading.main_thread().name]


def collections(garbage: GuiGarbage, looks: int) -> list[int]:
    """Which generations were collected in so many looks."""
    seen: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start":
            seen.append(about["generation"])

    gc.callbacks.append(note)
    try:
        for _ in range(looks):
            garbage.look()
    finally:
        gc.callbacks.remove(note)
    return seen


@pytest.mark.usefixtures("collector")
def test_each_generation_is_collected_when_its_threshold_is_exceeded() -> None:
    clock = FakeClock()
    garbage = GuiGarbage(clock=clock)
    gc.set_threshold(50, 3, 2)
    garbage.start()
    gc.collect()
    try:
        kept: list[list[object]] = []
        seen = []
        for _ in range(40):
            kept.extend([] for _ in range(100))
            seen += collections(garbage, 1)
    finally:
        garbage.stop()

    # Three young ones, then the middle; after two middle ones more, everything once, and then none for a while.
    assert seen[:5] == [0, 0, 0, 0, 1]
    assert seen.count(2) == 1
    assert seen.count(1) >= 5
    assert len(seen) == 40


@pytest.mark.usefixtures("collector")
def test_full_collections_rest_the_longer_the_longer_they_took() -> None:
    clock = FakeClock()

    def slow(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == 2:
            clock.advance(0.05)

    garbage = GuiGarbage(clock=clock)
    gc.set_threshold(1, 1, 1)
    gc.callbacks.append(slow)
    garbage.start()
    try:

        def full_after(seconds: float) -> bool:
            clock.advance(seconds)
            kept: list[list[list[object]]] = []
            seen = []
            for _ in range(20):
                kept.append([[] for _ in range(10)])
                seen += collections(garbage, 1)
            return 2 in seen

        assert full_after(0.0)
        assert garbage.longest_s == pytest.approx(0.05)
        assert not full_after(LEAST_REST_S + 1.0)
        assert not full_after(30.0)
        assert full_after(10.0)
    finally:
        gc.callbacks.remove(slow)
        garbage.stop()


@pytest.mark.usefixtures("collector")
def test_nothing_is_collected_while_nothing_is_due_and_a_threshold_of_zero_says_never() -> None:
    garbage = GuiGarbage()
    garbage.start()
    try:
        gc.set_threshold(10**6, 1, 1)
        assert collections(garbage, 3) == []
        gc.set_threshold(0, 0, 0)
        let_a_worker_allocate()
        assert collections(garbage, 3) == []
    finally:
        garbage.stop()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("was_enabled", [True, False])
def test_stopping_leaves_the_collector_as_it_was_found(was_enabled: bool, ended_in: list[str]) -> None:
    if not was_enabled:
        gc.disable()
    garbage = GuiGarbage()
    for _ in range(2):
        garbage.start()
        garbage.start()
        assert garbage.is_running
        assert not gc.isenabled()
        garbage.settle()
        assert gc.get_freeze_count() > 1_000
        garbage.stop()
        garbage.stop()
        assert gc.isenabled() is was_enabled
        assert gc.get_freeze_count() == 0
    Cyclic()
    let_a_worker_allocate()

    assert ended_in == (["worker"] if was_enabled else [])
    gc.collect()


@pytest.mark.usefixtures("collector")
def test_what_was_there_at_the_start_is_not_looked_at_again(ended_in: list[str]) -> None:
    garbage = GuiGarbage()
    garbage.start()
    try:
        tracked = len(gc.get_objects())
        garbage.settle()
        assert len(gc.get_objects()) < tracked / 100
        Cyclic()
        gc.set_threshold(1, 1, 1)
        kept = let_a_worker_allocate()
        garbage.look()
        assert len(kept) > 1
        assert ended_in == [threading.main_thread().name]
    finally:
        garbage.stop()
    garbage.settle()
    assert gc.get_freeze_count() == 0
