"""What goes on while the window is still empty: prices are asked for, and nothing built is lost or used twice."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.desk.loading import EarlyBuild, Loaded, prepare
from monitor.desk.options import DeskOptions
from monitor.desktop.settings import Settings, load_settings
from monitor.polling.results import PollResult, PollSuccess, TaskDone
from tests.fakes.demo_exchange import demo_exchange

DONE = TaskDone(token=7, value=None, failure=None)


def _wait(is_true: Callable[[], bool]) -> bool:
    give_up_s = time.monotonic() + 20.0
    while not is_true() and time.monotonic() < give_up_s:
        time.sleep(0.01)
    return is_true()


def _take(early: EarlyBuild, found: list[TaskDone]) -> bool:
    done = early.take()
    if done is not None:
        found.append(done)
    return bool(found)


def _taken(early: EarlyBuild) -> list[TaskDone]:
    found: list[TaskDone] = []
    assert _wait(lambda: bool(found) or _take(early, found))
    return found


def test_a_result_is_taken_once() -> None:
    early = EarlyBuild(lambda: DONE)
    assert early.take() is None
    early.start()
    early.start()

    assert _taken(early) == [DONE]
    given: list[TaskDone] = []
    early.deliver(given.append)
    assert early.take() is None
    assert given == []


@pytest.mark.parametrize("is_late", [False, True])
def test_a_result_nobody_took_is_delivered_now_or_when_it_is_there(is_late: bool) -> None:
    gate = threading.Event()
    ended = threading.Event()

    def work() -> TaskDone:
        gate.wait(10)
        ended.set()
        return DONE

    given: list[TaskDone] = []
    early = EarlyBuild(work)
    early.start()
    if is_late:
        early.deliver(given.append)
        assert given == []
        gate.set()
    else:
        gate.set()
        assert ended.wait(10)
        early.deliver(given.append)

    assert _wait(lambda: given == [DONE])
    assert early.take() is None


def test_prices_arrive_before_there_is_a_window(tmp_path: Path) -> None:
    with demo_exchange() as exchange:
        options = DeskOptions(
            base_urls=exchange.venues, ca_file=exchange.ca_file, settings_file=tmp_path / "s.json", is_scripted=True
        )
        loaded = prepare(Settings(prewarm_connections=1), tmp_path, options, None, is_early=True)
        results: list[PollResult] = []

        def is_polled() -> bool:
            results.extend(loaded.controller.outbox.drain()[0])
            return any(isinstance(result, PollSuccess) for result in results)

        assert _wait(lambda: _attach(loaded))
        assert _wait(is_polled)
        built = loaded.built
        loaded.attach_if_built()
        assert loaded.built is built
        loaded.controller.stop(5.0)
        loaded.keeper.close()


@pytest.mark.allow_warnings  # that it cannot start is logged
def test_why_nothing_could_be_built_waits_for_the_window(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    options = DeskOptions(base_urls={}, ca_file=tmp_path / "empty.pem", settings_file=tmp_path / "s.json")
    loaded = prepare(Settings(), tmp_path, options, None, is_early=True)
    results: list[PollResult] = []

    def is_told() -> bool:
        loaded.attach_if_built()
        results.extend(loaded.controller.outbox.drain()[0])
        return bool(results)

    assert _wait(is_told)
    (told,) = results
    assert isinstance(told, TaskDone)
    assert told.failure is not None
    assert "empty.pem" in told.failure.user_text
    assert loaded.built is None


def test_a_theme_for_this_run_is_not_kept(tmp_path: Path) -> None:
    options = DeskOptions(base_urls={}, settings_file=tmp_path / "s.json", theme="light")
    loaded = prepare(Settings(theme="dark"), tmp_path, options, None)
    loaded.keeper.keep(loaded.settings)
    loaded.keeper.close()

    assert loaded.settings.theme == "light"
    assert load_settings(tmp_path / "s.json")[0].theme == "dark"


def _attach(loaded: Loaded) -> bool:
    loaded.attach_if_built()
    return loaded.built is not None
