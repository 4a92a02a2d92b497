"""What nobody caught: told once per place, with a report that may be passed on."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.crash import QUIET_S, CrashHooks, CrashReport, crash_details
from tests.fakes.command_line import ROOT
from tests.fakes.fake_clock import FakeClock

KEY = "0123456789abcdef" * 4
PROXY = "http://me:pass@word@proxy.example:8080"


def fail(text: str) -> BaseException:
    def go_wrong() -> None:
        raise ValueError(text)

    with pytest.raises(ValueError) as caught:
        go_wrong()
    return caught.value


@pytest.mark.allow_warnings
def test_one_place_is_told_once_in_a_while() -> None:
    clock = FakeClock()
    reports: list[CrashReport] = []
    hooks = CrashHooks(reports.append, clock=clock)

    for _ in range(3):
        error = fail("wrong")
        hooks.on_exception(type(error), error, error.__traceback__)
    assert len(reports) == 1
    clock.advance(QUIET_S)
    error = fail("wrong")
    hooks.on_exception(type(error), error, error.__traceback__)
    assert len(reports) == 2
    assert "ValueError" in reports[0].text


def test_a_report_has_versions_and_traceback_but_no_secret_and_no_user_name() -> None:
    details = crash_details(fail(f"api_key={KEY} over {PROXY} in {ROOT}/x"), thread="main", home=ROOT.parent)

    assert "Trading Monitor" in details
    assert "Python 3." in details
    assert "raise ValueError(text)" in details
    assert KEY not in details
    assert "word@proxy" not in details
    assert str(ROOT.parent) not in details
    assert f"~/{ROOT.name}" in details


@pytest.mark.allow_warnings
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_worker_thread_reports_its_own_name() -> None:
    reports: list[CrashReport] = []
    hooks = CrashHooks(reports.append)
    before = threading.excepthook
    threading.excepthook = hooks.on_thread_exception
    try:
        worker = threading.Thread(target=lambda: 1 / 0, name="poll books")
        worker.start()
        worker.join()
    finally:
        threading.excepthook = before

    assert "Thread poll books" in reports[0].details
    assert "ZeroDivisionError" in reports[0].text


def test_an_interrupt_is_no_crash() -> None:
    code = (
        "import sys; from monitor.crash import CrashHooks; hooks = CrashHooks(lambda report: print('told')); "
        "hooks.install(); raise KeyboardInterrupt"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=Path(ROOT), capture_output=True, text=True, check=False)

    assert "told" not in result.stdout
    assert "KeyboardInterrupt" in result.stderr
