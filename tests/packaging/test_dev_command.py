"""The developer commands: what they look for, when they rebuild, and what they say."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dev
import dev_commands
import dev_report
import dev_system
from dev_report import Stop
from dev_venv import DEV, LOCKS, RUNTIME, VirtualEnvironment, only_one

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
on_posix = pytest.mark.skipif(os.name != "posix", reason="programs are shell scripts here")
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


def _pretend_complete(venv: VirtualEnvironment, kind: str) -> None:
    venv.python.parent.mkdir(parents=True)
    venv.python.touch()
    venv.stamp(kind).touch()


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


# The system


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


# The virtual environment


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
    _pretend_complete(venv, RUNTIME)
    assert venv.is_ready(RUNTIME)
    assert not venv.is_ready(DEV)
    venv.python.unlink()
    assert not venv.is_ready(RUNTIME)
    assert "is gone" in str(venv.why_again())
    venv.stamp(RUNTIME).unlink()
    assert "not finished" in str(venv.why_again())


def test_a_changed_lock_is_the_reason_given(checkout: Path) -> None:
    venv = VirtualEnvironment(checkout, (3, 11))
    _pretend_complete(venv, RUNTIME)
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
    _pretend_complete(venv, RUNTIME)
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
    [("nothing", 0, "ran pytest --durations=10 -k some"), ("mypy", 4, "Failed: mypy"), ("pytest", 4, "Failed: pytest")],
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
    _pretend_complete(venv, DEV)
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
        "ran pytest --durations=10 -k some",
    ]
