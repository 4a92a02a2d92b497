"""Tests that mostly wait run in a second process, beside the others.

``@pytest.mark.beside`` on a test or a module. The second process is a plain pytest that is told which tests to run; its
reports come over as lines of literals and are told here, at the end of the run, as if the tests had run here. Where
only such tests are chosen, there is nothing to run beside, and they run as any other.
"""

import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MARKER = "beside: mostly waits; runs in a second process beside the others"
_REPORTS = "MONITOR_TESTS_REPORTS"
"""Name of the variable that tells the second process where its reports go."""


class ReportsToFile:
    """In the second process: writes every report to ``file``."""

    def __init__(self, file: Path, config: pytest.Config) -> None:
        self._file = file
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One line, whole. JSON would make lists of tuples."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._file.open("a", encoding="utf-8") as reports:
            reports.write(repr(data) + "\n")


class Beside:
    """In the first process: starts the second one before the first test and passes its reports on."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._items: list[pytest.Item] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: Iterator[str] = iter(())

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put what the second process runs last; trylast: after others have deselected."""
        waiting = [item for item in items if item.get_closest_marker("beside") is not None]
        if len(waiting) < len(items):
            self._items = waiting
            items[:] = [item for item in items if item not in waiting] + waiting

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Start the second process."""
        if not self._items or session.config.option.collectonly or session.testsfailed:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="beside-")
        reports = Path(self._folder.name, "reports")
        reports.touch()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        with Path(self._folder.name, "output").open("wb") as output:
            self._process = subprocess.Popen(
                [*command, *(item.nodeid for item in self._items)],
                cwd=self._config.rootpath,
                env={**os.environ, _REPORTS: str(reports)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._lines = self._follow(reports, self._process)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Tell what the second process reports of ``item``; waits for it."""
        if self._process is None or item not in self._items:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports_of(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_unconfigure(self) -> None:
        """End the second process, which is still there only when this one was interrupted."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    def _reports_of(self, item: pytest.Item) -> Iterator[Any]:
        for line in self._lines:
            report = self._config.hook.pytest_report_from_serializable(config=self._config, data=ast.literal_eval(line))
            assert report.nodeid == item.nodeid
            yield report
            if report.when == "teardown":
                return
        assert self._folder is not None
        said = Path(self._folder.name, "output").read_text(encoding="utf-8", errors="replace")
        yield pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed",
            longrepr=f"the second process ended without a report of this test; it said:\n{said[-4_000:]}",
            when="call",
        )

    @staticmethod
    def _follow(reports: Path, process: subprocess.Popen[bytes]) -> Iterator[str]:
        """Lines as they come, until the process has ended."""
        with reports.open(encoding="utf-8") as file:
            text = ""
            while True:
                is_over = process.poll() is not None
                text += file.read()
                *whole, text = text.split("\n")
                yield from whole
                if is_over:
                    return
                time.sleep(0.05)


def register(config: pytest.Config) -> None:
    """Take part in this run, in the role of this process."""
    config.addinivalue_line("markers", MARKER)
    reports = os.environ.get(_REPORTS)
    plugin = Beside(config) if reports is None else ReportsToFile(Path(reports), config)
    config.pluginmanager.register(plugin, "beside")
