"""Toasts: few, plain, counted, and the gravest in sight."""

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import DARK
from monitor.widgets.toasts import MAX_TOASTS, ToastStack
from tests.qt.conftest import WindowFactory


def test_same_toast_again_raises_a_count(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    stack = ToastStack(over, DARK)
    stack.notify("a", "warning", "it failed")
    stack.notify("a", "error", "it failed again", count=3)
    (toast,) = stack.toasts()

    assert toast.text == "it failed again  × 3"


def test_a_long_toast_is_one_line_and_its_tooltip_has_all_of_it(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    over.show()
    stack = ToastStack(over, DARK)
    text = "Bitunix does not know this API key: it is mistyped, expired or deleted. Make a new one, paste both parts."
    stack.notify("a", "error", text)
    QApplication.processEvents()
    (toast,) = stack.toasts()
    (label,) = toast.findChildren(ElidedLabel)

    assert toast.height() < 2 * toast.fontMetrics().height()
    assert toast.accessibleName() == text
    assert " ".join(QTextDocumentFragment.fromHtml(label.toolTip()).toPlainText().split()) == text
    assert stack.rect().contains(toast.geometry())


@pytest.mark.parametrize("width", [960, 1280, 1680])
def test_notices_lie_beside_the_menus_and_over_nothing_else(
    window_factory: WindowFactory, qtbot: QtBot, width: int
) -> None:
    window = window_factory(seconds=5).window
    window.resize(width, 720)
    window.show()
    for number in range(MAX_TOASTS):
        window.toasts.notify(str(number), "error", f"Bitunix: bitunix.depth failed: Bitunix is unavailable ({number})")
    QApplication.processEvents()
    bar = window.menuBar()
    menus = [bar.actionGeometry(action) for action in bar.actions()]

    assert bar.rect().contains(window.toasts.geometry())
    for toast in window.toasts.toasts():
        place = QRect(toast.mapTo(bar, QPoint(0, 0)), toast.size())
        assert bar.rect().contains(place)
        assert not any(place.intersects(menu) for menu in menus)
        assert toast.width() > 150


def test_a_graver_notice_is_not_hidden_by_a_lesser_one(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    stack = ToastStack(over, DARK)
    stack.notify("a", "error", "no connection")
    stack.notify("a", "warning", "polls were missed")

    assert [toast.text for toast in stack.toasts()] == ["no connection"]


def test_toasts_are_few_plain_and_inside(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    over.show()
    stack = ToastStack(over, DARK)
    for number in range(10):
        stack.notify(str(number), "info", f"<b>{number}</b>\n" + "long " * 500)

    assert [toast.identity for toast in stack.toasts()] == ["7", "8", "9"]
    assert len(stack.toasts()) == MAX_TOASTS
    assert stack.toasts()[0].text.startswith("<b>7</b> long")
    assert over.rect().contains(stack.geometry())
