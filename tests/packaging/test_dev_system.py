"""What the developer commands ask of the system: packages, how they are installed, and which systems cannot do."""

import os
import sys
from pathlib import Path

import pytest

import dev_commands
import dev_system
from dev_report import Stop
from tests.packaging.conftest import MakeProgram

on_posix = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")


def test_windows_and_macos_need_no_system_packages() -> None:
    for platform in ("win32", "darwin"):
        assert dev_system.needs(platform=platform, environment={}, for_tests=True, for_venv=False) == []


def _packages(environment: dict[str, str], *, for_tests: bool = False, for_venv: bool = False) -> set[str]:
    needs = dev_system.needs(platform="linux", environment=environment, for_tests=for_tests, for_venv=for_venv)
    return {need.package for need in needs}


def test_a_display_asks_for_the_libraries_of_its_windows() -> None:
    bare = _packages({})
    x11 = _packages({"DISPLAY": ":0"})
    wayland = _packages({"WAYLAND_DISPLAY": "wayland-0"})

    assert len(bare) == 6
    assert x11 - bare >= {"libxcb-cursor0", "libxkbcommon-x11-0"}
    assert wayland - x11 == {"libwayland-client0", "libwayland-cursor0", "libwayland-egl1"}
    assert "xvfb" not in wayland


def test_tests_bring_their_own_display() -> None:
    assert _packages({}, for_tests=True) >= {"xvfb", "xauth", "xdotool", "libxcb-cursor0"}


def test_the_venv_package_is_the_one_of_this_python() -> None:
    assert f"python3.{sys.version_info[1]}-venv" in _packages({}, for_venv=True)
    assert not [package for package in _packages({}) if package.endswith("-venv")]


def test_presence_is_found_by_looking() -> None:
    absent = [
        dev_system.Need("library", "libno-such-thing.so.0", "a"),
        dev_system.Need("program", "no-such-program", "b"),
        dev_system.Need("module", "no_such_module", "c"),
    ]
    present = [dev_system.Need("module", "venv", "d"), dev_system.Need("program", sys.executable, "e")]

    assert dev_system.missing(absent + present) == absent


def test_the_apt_line_can_be_pasted() -> None:
    needs = [dev_system.Need("library", "a.so", "liba"), dev_system.Need("program", "b", "liba")]

    assert dev_system.apt_line(needs) == ("sudo apt-get update && sudo apt-get install --no-install-recommends liba")


ABSENT = [dev_system.Need("program", "nowhere-to-be-found", "some-package")]


def test_nothing_runs_when_nothing_is_missing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    dev_system.provide([dev_system.Need("module", "venv", "python3-venv")], log=log)

    assert not log.exists()


def test_a_system_without_apt_is_told_what_to_look_for(
    tmp_path: Path, make_program: MakeProgram, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Stop, match="nowhere-to-be-found") as stop:
        dev_system.provide(ABSENT, log=tmp_path / "log")

    assert stop.value.exit_code == 2
    assert "some-package" in str(stop.value)


@on_posix
@pytest.mark.parametrize("sudo", [None, "exit 1"], ids=["no-sudo", "sudo-refuses"])
def test_without_root_the_line_to_run_is_printed(
    tmp_path: Path, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch, sudo: str | None
) -> None:
    make_program("apt-get", "exit 1")
    if sudo is not None:
        make_program("sudo", sudo)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(Stop) as stop:
        dev_system.provide(ABSENT, log=tmp_path / "log")

    assert stop.value.exit_code == 2
    assert f"    {dev_system.apt_line(ABSENT)}\n" in str(stop.value) + "\n"
    assert not (tmp_path / "log").exists()


@on_posix
def test_sudo_installs_exactly_what_is_missing(
    tmp_path: Path, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    # A stand-in for apt-get that "installs" by putting the program on the path.
    make_program(
        "apt-get",
        f'echo "$@" >>"{calls}"\nprogram="${{0%/*}}/nowhere-to-be-found"\n'
        'case "$*" in *install*) : >"$program"; /bin/chmod +x "$program";; esac',
    )
    make_program("env", 'shift; exec "$@"')
    make_program("sudo", '[ "$1" = -n ] && shift; [ "$1" = true ] && exit 0; exec "$@"')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "stdin", None)
    dev_system.provide(ABSENT, log=tmp_path / "log")

    update, install = calls.read_text("utf-8").splitlines()
    assert update.endswith(" update")
    assert install.endswith(" install --yes --no-install-recommends some-package")


@on_posix
def test_packages_that_did_not_help_are_not_believed(
    tmp_path: Path, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program("apt-get", "exit 0")
    make_program("env", 'shift; exec "$@"')
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(Stop, match="still not found: nowhere-to-be-found"):
        dev_system.provide(ABSENT, log=tmp_path / "log")


LINUX = {"system": "Linux", "machine": "x86_64", "libc": ("glibc", "2.36"), "mac_release": "", "is_64_bit": True}


MAC = {"system": "Darwin", "machine": "arm64", "libc": ("", ""), "mac_release": "14.5", "is_64_bit": True}


WINDOWS = {"system": "Windows", "machine": "AMD64", "libc": ("", ""), "mac_release": "", "is_64_bit": True}


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        (LINUX, None),
        (MAC, None),
        (WINDOWS, None),
        ({**LINUX, "machine": "aarch64", "libc": ("glibc", "2.39")}, None),
        ({**LINUX, "machine": "aarch64"}, "glibc 2.36; Qt needs 2.39"),
        ({**LINUX, "libc": ("glibc", "2.31")}, "glibc 2.31; Qt needs 2.34"),
        ({**LINUX, "libc": ("", "")}, "musl"),
        ({**WINDOWS, "is_64_bit": False}, "32-bit"),
        ({**WINDOWS, "machine": "ARM64"}, "x86-64 one"),
        ({**MAC, "machine": "x86_64"}, "Intel"),
        ({**MAC, "mac_release": "13.6"}, "macOS 14 or later"),
    ],
)
def test_a_system_without_wheels_is_told_so_at_once(facts: dict[str, object], problem: str | None) -> None:
    told = dev_commands.platform_problem(**facts, python=(3, 12))  # type: ignore[arg-type]  # rows of a table

    assert (told is None) == (problem is None)
    assert problem is None or problem in str(told)
