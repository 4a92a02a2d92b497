"""What is logged before the first frame is written after it, redacted and at the level that was asked for."""

import logging
from pathlib import Path

import pytest

from monitor.desktop.early_log import EarlyLog
from monitor.desktop.logs import LOG_FILE_NAME

log = logging.getLogger("monitor.sample")


def test_what_came_early_is_in_the_file_in_order_and_redacted(tmp_path: Path) -> None:
    early = EarlyLog(tmp_path, is_verbose=False)
    log.info("first, with token=s3cret")
    log.debug("too quiet")
    assert not (tmp_path / LOG_FILE_NAME).exists()
    assert early.open().problem is None
    log.info("second")
    early.close()
    log.info("after the end")
    text = (tmp_path / LOG_FILE_NAME).read_text("utf-8")

    assert [line.split(": ", 1)[1] for line in text.splitlines()] == ["first, with token=***", "second"]


def test_a_start_that_fails_early_still_tells_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    early = EarlyLog(tmp_path, is_verbose=True)
    log.debug("a detail")
    early.close()

    assert "a detail" in (tmp_path / LOG_FILE_NAME).read_text("utf-8")
    assert "a detail" in capsys.readouterr().err
    assert early not in logging.getLogger().handlers


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    early = EarlyLog(tmp_path / "file", is_verbose=False)
    problem = early.open().problem
    early.close()

    assert problem is not None
    assert problem.startswith("No log file")
