"""Try the finished bundle as a user would meet it: ``python packaging/smoke.py [--root DIR] [--enter COMMAND]``.

Starts the built program under an X server and a keyring daemon of its own: self-test, demo exchange with a screenshot,
history file, a second start, a clean end, which libraries of the machine it uses, and Wayland where weston is there.
With ``--root`` all of it runs in another system tree, for example a fresh one without Python; ``--enter`` is the
command that runs something in there (default ``chroot DIR``). On Windows and macOS the steps that need X11 or the
Secret Service are left out, and said so.
"""

import argparse
import json
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bundle_facts import APP_ID, EXECUTABLE, VERSION, bundle_executable, bundle_folder

TIMEOUT_S = 150.0
SIZE = (1280, 720)
WAYLAND_STARTS = 4
"""A plugin of Qt's that failed did so in some starts only."""

SECRET_SERVICE = "printf smoke | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "  # noqa: S105 - of a throw-away keyring
SELF_TEST_CHECKS = (
    *("resources", "folders", "window", "trust store", "TLS and prices", "TLS refusal"),
    *("price plot", "latency plot", "keyring"),
)
FOREIGN = re.compile(
    r"/(site|dist)-packages/|/python3|libpython|PySide|shiboken|libQt|libicu|openblas|libcrypto|libssl"
)
"""Files of the machine that a bundle must bring along itself."""


WAYLAND = """\
export XDG_RUNTIME_DIR="$(mktemp -d)"
weston --backend=headless-backend.so --socket=smoke --idle-time=0 > "$XDG_RUNTIME_DIR/log" 2>&1 &
compositor=$!
waited=0
until [ -S "$XDG_RUNTIME_DIR/smoke" ] || [ "$waited" -ge 50 ]; do sleep 0.2; waited=$((waited + 1)); done
[ -S "$XDG_RUNTIME_DIR/smoke" ] || cat "$XDG_RUNTIME_DIR/log"
export WAYLAND_DISPLAY=smoke
{commands}
kill "$compositor"
wait "$compositor"
rm -rf "$XDG_RUNTIME_DIR"
"""


class SmokeError(Exception):
    """The bundle does not do what it must; the text says what."""


class SkippedError(Exception):
    """What a step needs is not there; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bundle is tried: on this machine, or in the system tree ``root``, entered with ``enter``."""

    executable: str
    home: Path
    root: Path | None = None
    enter: tuple[str, ...] = ()
    screen: str = "1600x1000"
    environment: dict[str, str] = field(default_factory=dict)

    def inside(self, path: Path) -> str:
        """``path`` as the program sees it."""
        return str(path) if self.root is None else "/" + str(path.relative_to(self.root))

    def has(self, program: str) -> bool:
        """Whether a program is installed there."""
        return shutil.which(program, path=None if self.root is None else f"{self.root}/usr/bin") is not None

    def program_file(self) -> str:
        """The program itself, as it is called there: a package's command is a link to it."""
        if self.root is None:
            return str(Path(self.executable).resolve())
        found = subprocess.run(
            [*self.enter, "readlink", "-f", self.executable], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() or self.executable

    def shell(self, script: str) -> list[str]:
        """The command that runs a POSIX shell script there, in an environment of its own."""
        names = {"HOME": self.inside(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        settings = [f"{name}={value}" for name, value in {**names, **self.environment}.items()]
        return [*self.enter, "env", "-i", *settings, "sh", "-c", script]

    def run(
        self, *arguments: str, has_display: bool = True, has_keyring: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run the program to its end and return what it printed. Raises ``SmokeError``: it hangs."""
        if sys.platform != "linux":
            command = [self.executable, *arguments]
        else:
            script = f"exec {shlex.join([self.executable, *arguments])}"
            if has_keyring:
                script = f"exec dbus-run-session -- sh -c {shlex.quote(SECRET_SERVICE + script)}"
            if has_display:
                script = f"exec xvfb-run -a -s '-screen 0 {self.screen}x24' sh -c {shlex.quote(script)}"
            command = self.shell(script)
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as exc:
            raise SmokeError(f"{' '.join(arguments)} did not end within {TIMEOUT_S:.0f} s") from exc


def said(result: subprocess.CompletedProcess[str]) -> str:
    """The end of what a program printed, for a failure's text."""
    return f"exit {result.returncode}\n{(result.stdout + result.stderr)[-1500:]}"


def version(place: Place) -> str:
    """``--version`` names this version and the commit it was built from, without a display."""
    result = place.run("--version", has_display=False)
    if result.returncode or f"{VERSION} (" not in result.stdout:
        raise SmokeError(said(result))
    return result.stdout.strip()


def self_test(place: Place) -> str:
    """``--self-test`` passes every check, the keyring with a real Secret Service."""
    result = place.run("--self-test", has_keyring=True)
    passed = [line.removeprefix("ok").strip() for line in result.stdout.splitlines() if line.startswith("ok ")]
    missing = [name for name in SELF_TEST_CHECKS if not any(line.startswith(f"{name}:") for line in passed)]
    if result.returncode or missing:
        raise SmokeError(f"missing: {', '.join(missing) or 'nothing'}; {said(result)}")
    keyring = next(line for line in passed if line.startswith("keyring:"))
    if sys.platform == "linux" and "written, read and deleted" not in keyring:
        raise SmokeError(f"no secret went through the keyring: {keyring}")
    return f"{len(passed)} checks; {keyring}"


def demo(place: Place) -> str:
    """``--demo`` shows live prices of both venues, leaves a screenshot and a history file, and ends by itself."""
    picture = place.home / "picture.png"
    size = f"{SIZE[0]}x{SIZE[1]}"
    result = place.run("--demo", "--duration", "10", "--size", size, "--screenshot", place.inside(picture))
    if result.returncode or not all(word in result.stdout for word in ("Bitunix", "Hyperliquid", "live")):
        raise SmokeError(said(result))
    head = picture.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n" or struct.unpack(">II", head[16:24]) != SIZE:
        raise SmokeError(f"the screenshot is of {struct.unpack('>II', head[16:24])}, not of {size}")
    histories = [file for file in place.home.rglob("*.db") if file.stat().st_size > 4096]
    if not histories:
        raise SmokeError("no history was recorded")
    return f"{picture.stat().st_size / 1000:.0f} kB of picture, {histories[0].stat().st_size / 1000:.0f} kB of history"


def headless(place: Place) -> str:
    """A command that needs no display gives its versioned document."""
    result = place.run(
        "--demo", "snapshot", "--venue", "bitunix", "--instrument", "BTC-USDT-PERP", "--json", has_display=False
    )
    if result.returncode:
        raise SmokeError(said(result))
    document = json.loads(result.stdout)
    if not str(document["schema"]).startswith("trading-monitor.snapshot/"):
        raise SmokeError(f"an unknown document: {document['schema']}")
    return str(document["schema"])


def without_display(place: Place) -> str:
    """Without a display the program says so in words instead of aborting."""
    result = place.run(has_display=False)
    if result.returncode != 1 or "No display was found" not in result.stdout + result.stderr:
        raise SmokeError(said(result))
    return "says what is missing"


def wayland(place: Place) -> str:
    """The window opens on Wayland without X11, every time, with title bars of its own as on GNOME."""
    if not place.has("weston"):
        raise SkippedError("weston is not installed")
    one = f"{shlex.quote(place.executable)} --self-test; echo exit $?"
    script = WAYLAND.format(commands="\n".join([one] * WAYLAND_STARTS))
    command = place.shell(f"exec dbus-run-session -- sh -c {shlex.quote(script)}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    on_wayland = result.stdout.count(" on wayland\n")
    if result.stdout.count("exit 0\n") != WAYLAND_STARTS or on_wayland != WAYLAND_STARTS:
        raise SmokeError(f"{on_wayland} of {WAYLAND_STARTS} windows on Wayland; {said(result)}")
    return f"{WAYLAND_STARTS} starts of {WAYLAND_STARTS}"


def own_libraries(place: Place) -> str:
    """While it runs, nothing of Python, Qt or OpenSSL comes from the machine."""
    script = f"exec xvfb-run -a sh -c 'exec {shlex.quote(place.executable)} --demo --duration 8'"
    program = place.program_file()
    process = subprocess.Popen(place.shell(script), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(5)
        files = mapped_files(program)
    finally:
        process.wait(TIMEOUT_S)
    if not files:
        raise SmokeError("the program was not found running")
    bundle = str(Path(program).parent)
    foreign = sorted({file for file in files if bundle not in file and FOREIGN.search(file)})
    if foreign:
        raise SmokeError(f"used from the machine: {', '.join(foreign)}")
    shared = {Path(file).name for file in files if bundle not in file and ".so" in file}
    return f"{len(shared)} libraries of the machine, none of Python, Qt or OpenSSL"


def single_instance(place: Place) -> str:
    """A second start says that the first one's window is shown, and a terminated first one ends in order."""
    nowhere = "--base-url bitunix=http://127.0.0.1:9 --base-url hyperliquid=http://127.0.0.1:9"
    program = shlex.quote(place.executable)
    script = (
        f"{program} {nowhere} & first=$!; sleep 6; {program} {nowhere}; echo second $?; "
        "kill $first; wait $first; echo first $?"
    )
    command = place.shell(f"exec xvfb-run -a sh -c {shlex.quote(script)}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if "second 0" not in result.stdout or "first 0" not in result.stdout or "already running" not in result.stderr:
        raise SmokeError(said(result))
    return "the second start shows the first one's window"


def first_question(place: Place) -> str:
    """A session that ends while the first start asks what to watch ends the program in order."""
    program = shlex.join([place.executable, f"--settings={place.inside(place.home / 'unasked.json')}"])
    script = f"timeout --preserve-status --kill-after=20 6 {program}; echo ended $?"
    command = place.shell(f"exec xvfb-run -a sh -c {shlex.quote(script)}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if "ended 0" not in result.stdout:
        raise SmokeError(said(result))
    return "the question of the first start does not hold up the end of a session"


def identity(place: Place) -> str:
    """The window carries the name by which task bars find the desktop entry."""
    program = shlex.join([place.executable, "--demo", "--duration", "8"])
    script = f"command -v xwininfo || exit 3; {program} >/dev/null & sleep 5; xwininfo -root -tree; wait"
    command = place.shell(f"exec xvfb-run -a sh -c {shlex.quote(script)}")
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if result.returncode == 3:
        return "not looked at: xwininfo (x11-utils) is not there"
    if f'("{APP_ID}" ' not in result.stdout:
        raise SmokeError(said(result))
    return f"WM_CLASS begins with {APP_ID}"


def mapped_files(executable: str) -> set[str]:
    """Files that processes of ``executable`` have in memory; from outside another root, with its path before them."""
    files: set[str] = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str((process / "exe").readlink()).endswith(executable):
                lines = (process / "maps").read_text().splitlines()
                files |= {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
        except OSError:
            continue  # it ended, or is not ours
    return {file for file in files if file.startswith("/")}


def steps() -> list[Callable[[Place], str]]:
    """What is tried on this system, in order."""
    everywhere: list[Callable[[Place], str]] = [version, self_test, demo, headless]
    on_linux = [without_display, single_instance, first_question, identity, own_libraries, wayland]
    return [*everywhere, *on_linux] if sys.platform == "linux" else everywhere


def run_steps(steps: Mapping[str, Callable[[], str]]) -> int:
    """Run named steps, print a line for each with what it returned and the seconds it took; return how many failed."""
    failures = 0
    for name, step in steps.items():
        began_s = time.monotonic()
        try:
            print(f"ok    {name}: {step()} ({time.monotonic() - began_s:.0f} s)", flush=True)
        except SkippedError as exc:
            print(f"skip  {name}: {exc}", flush=True)
        except (SmokeError, subprocess.TimeoutExpired) as exc:
            failures += 1
            print(f"FAIL  {name}: {exc}", flush=True)
    return failures


def main(arguments: Sequence[str] | None = None) -> int:
    """Try everything; print a line per step; return 1 if one failed."""
    parser = argparse.ArgumentParser(prog="smoke.py", description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, help="system tree to run in; the bundle is copied to its /opt")
    parser.add_argument("--enter", help="command that runs another in there (default: chroot DIR)")
    parser.add_argument("--executable", help="an installed program instead of the built bundle, as seen in the root")
    options = parser.parse_args(arguments)
    root: Path | None = options.root.resolve() if options.root else None
    if sys.platform == "linux":
        needed = ["xvfb-run", "dbus-run-session", "gnome-keyring-daemon"]
        missing = [
            name for name in needed if shutil.which(name, path=None if root is None else f"{root}/usr/bin") is None
        ]
        if missing:
            raise SystemExit(f"The bundle is tried with {', '.join(missing)}: apt-get install xvfb dbus gnome-keyring.")
    executable: str = options.executable or str(bundle_executable())
    enter: tuple[str, ...] = ()
    if root is not None:
        enter = tuple(shlex.split(options.enter)) if options.enter else ("chroot", str(root))
        if not options.executable:
            target = root / "opt" / EXECUTABLE
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(bundle_folder(), target, symlinks=True)
            executable = f"/opt/{EXECUTABLE}/{EXECUTABLE}"
    with tempfile.TemporaryDirectory(prefix="smoke ü ", dir=None if root is None else root / "tmp") as home:
        place = Place(executable=executable, home=Path(home), root=root, enter=enter)
        failures = run_steps({step.__name__.replace("_", " "): partial(step, place) for step in steps()})
    print("smoke test passed" if not failures else f"smoke test failed: {failures}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
