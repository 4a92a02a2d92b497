"""The developer commands: the line that starts them, their steps, and the checks they run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dev
import dev_commands
import dev_report
from dev_report import Stop
from dev_venv import DEV, VirtualEnvironment
from tests.packaging.conftest import MakeProgram, pretend_complete

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
on_posix = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")


# The command line


@pytest.mark.parametrize(
    ("arguments", "exit_code"), [([], 2), (["--help"], 0), (["-h"], 0), (["help"], 0), (["demos"], 2)]
)
def test_help_is_printed_when_there_is_nothing_to_do(arguments: list[str], exit_code: int) -> None:
    result = subprocess.run(
        [sys.executable, PACKAGING / "dev.py", *arguments], capture_output=True, text=True, check=False, timeout=60
    )

    assert result.returncode == exit_code
    assert "usage: python3 packaging/dev.py COMMAND" in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_each_command_of_the_help_exists() -> None:
    commands = re.findall(r"^  ([a-z]+) ", dev.USAGE, re.MULTILINE)

    assert tuple(commands) == dev.COMMANDS


@pytest.mark.parametrize(("version", "why"), [((3, 9), "too old"), ((3, 14), "newer than")])
def test_a_python_that_does_not_fit_is_named_with_the_way_out(version: tuple[int, int], why: str) -> None:
    text = dev.wrong_python(version)

    assert f"Python {version[0]}.{version[1]}" in text
    assert why in text
    assert "Install Python 3.11, 3.12 or 3.13" in text


@on_posix
def test_the_newest_python_that_really_starts_is_found(make_program: MakeProgram) -> None:
    make_program("python3.13", "echo 'not installed' >&2; exit 127")
    fitting = make_program("python3.12", "echo 3 12")
    make_program("python3.11", "echo 3 11")

    assert dev.find_python(dev.version_of) == str(fitting)


@on_posix
def test_no_other_python_is_found_where_there_is_none(make_program: MakeProgram) -> None:
    make_program("python3.12", "echo 3 8")

    assert dev.find_python(dev.version_of) is None


def test_readme_and_ci_name_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## Two commands\n")[2]
    block = re.search(r"```[a-z]*\n(.*?)```", section, re.DOTALL)

    assert block is not None
    commands = block[1].splitlines()
    assert commands == ["python3 packaging/dev.py demo", "python3 packaging/dev.py test"]
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8")


# Steps and checks


def test_a_failed_step_shows_the_end_of_its_output_and_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]

    with pytest.raises(Stop, match=r"exit code 3\)(.|\n)*the reason(.|\n)*Try again\.") as stop:
        dev_report.run_step("Doing it", command, log=tmp_path / "log", advice="Try again.")
    assert stop.value.exit_code == 1
    assert capsys.readouterr().out == "- Doing it\n"


def test_a_long_step_tells_what_it_is_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = "import time; print('downloading', flush=True); time.sleep(1)"
    output = dev_report.run_step(
        "Doing it", [sys.executable, "-c", script], log=tmp_path / "log", advice="", heartbeat_s=0.2
    )

    assert output == "downloading\n"
    told = capsys.readouterr().out
    assert "so far: downloading" in told
    assert re.search(r"done in \d+\.\d s\n$", told)


def test_a_program_that_does_not_start_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="does not start"):
        dev_report.run_step("Doing it", [str(tmp_path / "nothing")], log=tmp_path / "log", advice="")


@on_posix
@pytest.mark.parametrize(
    ("fails", "exit_code", "last_line"),
    [
        ("nothing", 0, "ran pytest --numprocesses=2 --dist=loadgroup --durations=10 -k some"),
        ("mypy", 4, "Failed: mypy"),
        ("pytest", 4, "Failed: pytest"),
    ],
)
def test_all_checks_run_and_pytest_has_the_last_word(
    checkout: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fails: str,
    exit_code: int,
    last_line: str,
) -> None:
    venv = VirtualEnvironment(checkout)
    pretend_complete(venv, DEV)
    venv.python.write_text(f'#!/bin/sh\nshift\necho "ran $*"\n[ "$1" != {fails} ] || exit 4\n', "utf-8")
    venv.python.chmod(0o755)
    monkeypatch.chdir(checkout)
    code = dev_commands.run_checks(venv, ["-k", "some"])

    lines = capfd.readouterr().out.splitlines()
    assert code == exit_code
    assert lines[-1] == last_line
    assert [line for line in lines if line.startswith("ran ")] == [
        "ran ruff check",
        "ran ruff format --check",
        "ran mypy",
        "ran pytest --numprocesses=2 --dist=loadgroup --durations=10 -k some",
    ]
