"""A factory of sample windows that closes what it made."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from tests.fakes.sample_window import SampleWindow, make_window

WindowFactory = Callable[..., SampleWindow]


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
