"""The crash dialog: copyable, one for many, and none where nobody looks."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from monitor.crash import CrashReport
from monitor.desk.crashes import DeskCrashes
from monitor.widgets.about_dialog import versions
from monitor.widgets.crash_dialog import CrashDialog


@pytest.fixture
def parent(qapp: QApplication, qtbot: object) -> QWidget:
    return QWidget()


def test_report_is_copied_as_it_is_shown(parent: QWidget) -> None:
    opened: list[bool] = []
    dialog = CrashDialog(
        "Something went wrong.", "line 1\nline 2", open_logs=lambda: opened.append(True), parent=parent
    )

    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == "line 1\nline 2"
    assert "Copied" in dialog.copy_button.text()
    next(button for button in dialog.findChildren(QPushButton) if "log" in button.text()).click()
    assert opened == [True]
    assert any("read it before you pass it on" in label.text() for label in dialog.findChildren(QLabel))


def test_many_crashes_share_one_dialog_that_blocks_nothing(parent: QWidget) -> None:
    crashes = DeskCrashes(parent, open_logs=lambda: None, is_scripted=False)

    for n in range(3):
        crashes.show(CrashReport(f"Failure {n}", f"details {n}"))
    dialog = crashes.dialog
    assert dialog is not None
    assert not dialog.isModal()
    assert len(parent.findChildren(CrashDialog)) == 1
    shown = dialog.report.toPlainText()
    assert shown.index("details 2") < shown.index("details 0")
    dialog.close()
    crashes.show(CrashReport("Failure 3", "details 3"))
    assert crashes.dialog is not None
    assert crashes.dialog.report.toPlainText() == "details 3"
    crashes.dialog.close()


def test_a_run_without_a_person_gets_no_dialog(parent: QWidget) -> None:
    crashes = DeskCrashes(parent, open_logs=lambda: None, is_scripted=True)
    crashes.show(CrashReport("Failure", "details"))

    assert crashes.dialog is None


def test_about_names_what_the_program_is_made_of(qapp: QApplication) -> None:
    rows = dict(versions())

    for name in ("Built from", "Python", "Qt", "PySide6", "OpenSSL", "urllib3", "requests"):
        assert rows[name] not in {"", "–"}, name
    assert rows["OpenSSL"][0].isdigit()
