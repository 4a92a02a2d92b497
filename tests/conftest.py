"""Guards that hold for every test: no thread left behind, no unexpected warning in the log, no screen needed."""

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator

import hypothesis
import pytest

from monitor.desktop.logs import LIBRARIES_KEPT_QUIET

if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# How long an example takes depends on the machine, and says nothing of what it shows.
hypothesis.settings.register_profile("monitor", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("monitor")

_GRACE_S = 3.0
"""A thread that was told to end may need this long on a busy machine."""

_started_by: dict[int, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "allow_warnings: WARNING records in the log are expected and not checked")
    config.addinivalue_line("markers", "automatic_gc: leaves Python's garbage collector as Python has it")
    config.addinivalue_line("markers", "allow_threads: threads may outlive the test; say why beside the marker")
    # Under pytest-xdist its plugin tells of it in the workers only.
    config.addinivalue_line("markers", 'xdist_group("waiting"): mostly waits; runs in a process of its own')


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two groups for two processes: what mostly waits, and everything else, in order and alone with its processor."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("working"))


class _Warnings(logging.Handler):
    """Keeps what was logged at WARNING or above."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _unexpected_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that logs a warning nobody asked for. A test that uses ``caplog`` looks at the log itself."""
    handler = _Warnings()
    root = logging.getLogger()
    root.addHandler(handler)
    yield
    root.removeHandler(handler)
    is_checked = "caplog" not in request.fixturenames and request.node.get_closest_marker("allow_warnings") is None
    if is_checked and handler.lines:
        pytest.fail("unexpected warnings in the log:\n" + "\n".join(handler.lines), pytrace=False)


@pytest.fixture(autouse=True)
def _log_levels() -> Iterator[None]:
    """Put the levels back that a command of the program set: here it is not at the end of its process."""
    loggers = [logging.getLogger(), logging.getLogger("monitor"), *map(logging.getLogger, LIBRARIES_KEPT_QUIET)]
    before = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.fixture(autouse=True, scope="session")
def _remember_who_starts_threads() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        original = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            caller = traceback.extract_stack(limit=2)[0]
            _started_by[id(thread)] = f"{caller.filename}:{caller.lineno}"
            original(thread)

        patch.setattr(threading.Thread, "start", start)
        yield


@pytest.fixture(autouse=True)
def _dangling_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test whose threads are still alive, and name the line that started them.

    Threads of wider fixtures were there before the test and are not its own.
    """
    before = set(threading.enumerate())
    yield
    if request.node.get_closest_marker("allow_threads") is not None:
        return
    give_up_s = time.monotonic() + _GRACE_S
    dangling = [thread for thread in threading.enumerate() if thread not in before]
    for thread in dangling:
        if thread.is_alive() and not isinstance(thread, threading._DummyThread):
            thread.join(max(0.0, give_up_s - time.monotonic()))
    alive = [
        f"{thread.name}, started at {_started_by.get(id(thread), '?')}"
        for thread in dangling
        if thread.is_alive() and not isinstance(thread, threading._DummyThread)
    ]
    if alive:
        pytest.fail("threads still alive after the test:\n" + "\n".join(alive), pytrace=False)
