"""Toasts: few, plain, counted, and the gravest in sight."""

from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from monitor.widgets.theme import DARK
from monitor.widgets.toasts import MAX_TOASTS, ToastStack


def test_same_toast_again_raises_a_count(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    stack = ToastStack(over, DARK)
    stack.notify("a", "warning", "it failed")
    stack.notify("a", "error", "it failed again", count=3)
    (toast,) = stack.toasts()

    assert toast.text == "it failed again  × 3"


def test_a_long_toast_has_room_for_every_line(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    over.show()
    stack = ToastStack(over, DARK)
    stack.notify("a", "error", "Bitunix does not know this API key: it is mistyped, expired or deleted. " * 3)
    QApplication.processEvents()
    (toast,) = stack.toasts()
    label = toast.findChildren(QLabel)[0]

    assert label.height() >= label.heightForWidth(label.width())
    assert label.height() > 4 * label.fontMetrics().height()
    assert stack.rect().contains(toast.geometry())


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
