"""A factory of sample windows that closes what it made, and widgets that live until their test has ended."""

import gc
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.credential_bench import CredentialBench
from tests.fakes.sample_window import SampleWindow, make_window

WindowFactory = Callable[..., SampleWindow]

_KEPT = pytest.StashKey[list[QWidget]]()


@pytest.fixture(scope="package", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """Widgets that are garbage by the end are collected before other tests start threads."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _garbage_of_the_gui_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect garbage between tests only, which is in the GUI thread.

    A window that a test is done with is cyclic garbage, and whichever thread allocates next may collect it: a poller
    of a later test, for instance, whose deleting a widget ends the process. A soak cleans up as it goes, and
    ``automatic_gc`` marks the tests that are about the collector itself.
    """
    if any(request.node.get_closest_marker(name) is not None for name in ("soak", "automatic_gc")):
        yield
        return
    # What the last test made is young: it was not collected while it ran.
    gc.collect(0)
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def qtbot(qtbot: QtBot, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """pytest-qt's, but what is added stays referenced until it was closed and deleted.

    pytest-qt holds widgets weakly and paints once more after the test's function has returned. A plot that is only
    cyclic garbage by then can be collected between two items of its own painting, which aborts the process.
    """
    kept = request.node.stash[_KEPT] = []
    add = qtbot.addWidget

    def add_and_keep(widget: QWidget, **options: object) -> None:
        kept.append(widget)
        add(widget, **options)  # type: ignore[arg-type]  # passed through to a typed function

    monkeypatch.setattr(qtbot, "addWidget", add_and_keep)
    return qtbot


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """Let go of widgets only after pytest-qt, whose own hook runs within this one, has closed them.

    Windows that a test built through the desk are kept for good, closed: the cyclic garbage collector would take one
    apart in the middle of a later test, attributes first, while Qt still calls into it.
    """
    yield
    if _KEPT in item.stash:
        QCoreApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete))
        del item.stash[_KEPT]
    app = QApplication.instance()
    if isinstance(app, QApplication):
        _windows.update(widget for widget in app.topLevelWidgets() if isinstance(widget, QMainWindow))


_windows: set[QMainWindow] = set()


@pytest.fixture
def window_factory(qapp: QApplication) -> Iterator[WindowFactory]:
    """``window_factory(**options of make_window)`` gives a window that is not shown yet."""
    made: list[SampleWindow] = []

    def make(**options: object) -> SampleWindow:
        sample = make_window(qapp, **options)  # type: ignore[arg-type]  # passed through to a typed function
        made.append(sample)
        return sample

    yield make
    for sample in made:
        sample.pump.stop()
        sample.window.close()
        sample.window.deleteLater()
    QCoreApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete))


@pytest.fixture
def credential_bench(tmp_path: Path) -> Iterator[CredentialBench]:
    made = CredentialBench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def credential_dialog(credential_bench: CredentialBench, qtbot: QtBot) -> CredentialDialog:
    made = CredentialDialog(credential_bench.service, hides_amounts=False)
    qtbot.addWidget(made)
    made.show()
    return made
