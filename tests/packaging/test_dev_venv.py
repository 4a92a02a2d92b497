"""The virtual environment of the developer commands: when it is ready, when it is made anew, and one at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dev_report import Stop
from dev_venv import DEV, LOCKS, RUNTIME, VirtualEnvironment, only_one
from tests.packaging.conftest import pretend_complete

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
on_posix = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")


def test_the_stamp_follows_lock_python_and_place(checkout: Path, tmp_path: Path) -> None:
    first = VirtualEnvironment(checkout, (3, 11)).stamp(RUNTIME).name

    assert VirtualEnvironment(checkout, (3, 11)).stamp(RUNTIME).name == first
    assert VirtualEnvironment(checkout, (3, 12)).stamp(RUNTIME).name != first
    assert VirtualEnvironment(checkout, (3, 11)).stamp(DEV).name != first
    (checkout / LOCKS[RUNTIME]).write_bytes(b"# nothing\r\n")
    assert VirtualEnvironment(checkout, (3, 11)).stamp(RUNTIME).name == first
    (checkout / LOCKS[RUNTIME]).write_text("# something\n", "utf-8")
    assert VirtualEnvironment(checkout, (3, 11)).stamp(RUNTIME).name != first
    (checkout / LOCKS[RUNTIME]).write_text("# nothing\n", "utf-8")
    moved = checkout.rename(tmp_path / "elsewhere")
    assert VirtualEnvironment(moved, (3, 11)).stamp(RUNTIME).name != first


def test_an_environment_is_ready_only_with_stamp_and_python(checkout: Path) -> None:
    venv = VirtualEnvironment(checkout, (3, 11))

    assert not venv.is_ready(RUNTIME)
    assert venv.why_again() is None
    pretend_complete(venv, RUNTIME)
    assert venv.is_ready(RUNTIME)
    assert not venv.is_ready(DEV)
    venv.python.unlink()
    assert not venv.is_ready(RUNTIME)
    assert "is gone" in str(venv.why_again())
    venv.stamp(RUNTIME).unlink()
    assert "not finished" in str(venv.why_again())


def test_a_changed_lock_is_the_reason_given(checkout: Path) -> None:
    venv = VirtualEnvironment(checkout, (3, 11))
    pretend_complete(venv, RUNTIME)
    (checkout / LOCKS[RUNTIME]).write_text("# something\n", "utf-8")

    assert not venv.is_ready(RUNTIME)
    assert "has changed" in str(venv.why_again())


def test_a_checkout_without_its_lock_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="the checkout is not complete"):
        VirtualEnvironment(tmp_path, (3, 11)).is_ready(RUNTIME)


@on_posix
def test_an_environment_that_is_a_link_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (checkout / ".venv").symlink_to(other)

    with pytest.raises(Stop, match="is a link"):
        VirtualEnvironment(checkout).prepare(RUNTIME, log=tmp_path / "log")
    assert other.is_dir()


@on_posix
def test_a_half_made_environment_is_made_anew_and_works(checkout: Path, tmp_path: Path) -> None:
    """Make a real one, in a folder whose name has a space, over the remains of one that was interrupted."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    remains = checkout / ".venv" / "remains"
    remains.touch()
    (checkout / "monitor").mkdir()
    (checkout / "monitor" / "__main__.py").write_text("import sys\nprint('started', sys.argv[1:])\n", "utf-8")
    (tmp_path / "monitor").mkdir()
    (tmp_path / "monitor" / "__main__.py").write_text("print('the wrong one')\n", "utf-8")
    venv = VirtualEnvironment(checkout, first_imports="import monitor")
    venv.prepare(RUNTIME, log=tmp_path / "log")

    assert venv.is_ready(RUNTIME)
    assert not venv.is_ready(DEV)
    assert not remains.exists()
    launcher = checkout / ".venv" / "bin" / "trading-monitor"
    started = subprocess.run([launcher, "a b"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert started.stdout == "started ['a b']\n"
    # The test tools go on top: nothing that is there is lost.
    venv.prepare(DEV, log=tmp_path / "log")
    assert venv.is_ready(RUNTIME)
    assert venv.is_ready(DEV)
    assert launcher.exists()


@on_posix
def test_a_failed_installation_leaves_no_stamp(checkout: Path, tmp_path: Path) -> None:
    venv = VirtualEnvironment(checkout)
    pretend_complete(venv, RUNTIME)
    # A pip that fails: the "Python" of this environment.
    venv.python.write_text("#!/bin/sh\necho no network >&2\nexit 1\n", "utf-8")
    venv.python.chmod(0o755)

    with pytest.raises(Stop, match="no network"):
        venv.prepare(DEV, log=tmp_path / "log")
    assert not venv.is_ready(RUNTIME)
    assert "not finished" in str(venv.why_again())


def test_two_runs_do_not_prepare_at_once(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    script = (
        f"import sys, pathlib; sys.path.insert(0, {str(PACKAGING)!r}); import dev_venv\n"
        f"with dev_venv.only_one(pathlib.Path({str(lock)!r})):\n"
        "    print('in', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as second,
    ):
        assert first.stdout is not None
        assert second.stdout is not None
        lines = {first.stdout.readline(), second.stdout.readline()}
        # Whichever came first is in; when it was the second, it is out by now and nobody had to wait.
        first.communicate()
        lines.add(second.stdout.readline())

    assert "in\n" in lines
    with only_one(lock):
        lines.add("in again\n")
    assert first.returncode == second.returncode == 0
