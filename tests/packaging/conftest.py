"""Programs and checkouts for the tests of the developer commands."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dev_venv import LOCKS, VirtualEnvironment

MakeProgram = Callable[[str, str], Path]


@pytest.fixture
def make_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProgram:
    """Return a function that puts a shell script on the otherwise empty path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name: str, body: str) -> Path:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{body}\n", "utf-8")
        program.chmod(0o755)
        return program

    return make


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with two lock files that ask for nothing."""
    root = tmp_path / "check out"
    root.mkdir()
    for lock in LOCKS.values():
        (root / lock).write_text("# nothing\n", "utf-8")
    return root


def pretend_complete(venv: VirtualEnvironment, kind: str) -> None:
    venv.python.parent.mkdir(parents=True)
    venv.python.touch()
    venv.stamp(kind).touch()
