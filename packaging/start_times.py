"""How long the program takes to its first frame and to its first price, beside floors timed in the same run.

    python packaging/start_times.py [--rounds N] [--size-only]

Every round starts each program once, in turn, so that what else the machine does falls on all of them alike. The
floors are ``packaging/floors``, bundled by ``packaging/build.py``; the exchange asked is the demo one, on loopback.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from build_venv import build_python
from bundle_facts import BUILD, ROOT, bundle_executable, bundle_folder

FLOORS = BUILD / "floors"
FRAME, DATA = "start: frame", "start: data"
TIMEOUT_S = 60.0
RTT_MS = 20.0
PATHS = {"bitunix": "/api/v1/futures/market/tickers"}
SIZE_BAR, FRAME_BAR, DATA_BAR = 1.15, 1.6, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One program that is timed until it prints ``mark``."""

    name: str
    command: tuple[str, ...]
    mark: str


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below ``folder``; links count as what they are."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if not file.is_dir())


def time_start(start: Start, environment: Mapping[str, str]) -> float:
    """Start the program and return the seconds until its mark; it ends by itself.

    Raises:
        SystemExit: it ended or hung without its mark.
    """
    began_s = time.perf_counter()
    process = subprocess.Popen(
        start.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(environment), cwd=ROOT
    )
    took_s: float | None = None
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        for line in process.stdout:
            if line.strip() == start.mark:
                took_s = time.perf_counter() - began_s
                break
        if start.mark == FRAME and took_s is not None:
            process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    if took_s is None:
        raise SystemExit(f"{start.name} did not say {start.mark!r}: {' '.join(start.command)}")
    return took_s


@contextmanager
def demo_exchange() -> Iterator[tuple[Mapping[str, str], str]]:
    """The demo exchange of the bundle: (base URL by venue, certificate file)."""
    command = [str(bundle_executable()), "simulate", "--port", "0", "--json", "--exit-with-stdin", f"--rtt-ms={RTT_MS}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        ready = json.loads(process.stdout.readline())
        yield ready["venues"], ready["ca_file"]
    finally:
        process.communicate(timeout=TIMEOUT_S)


def measure(rounds: int) -> dict[str, float]:
    """Median seconds of each start over ``rounds`` interleaved rounds and an unmeasured one. Needs a display."""
    with demo_exchange() as (venues, ca_file), tempfile.TemporaryDirectory() as home:
        venue, path = next(iter(PATHS.items()))
        request = (venues[venue] + path, ca_file)
        program = [f"--base-url={name}={url}" for name, url in venues.items()]
        program += [f"--ca-file={ca_file}", "--start-marks", f"--settings={home}/settings.json"]
        python = str(build_python())
        starts = []
        for kind, ours, hello, plot in (
            (
                "bundle",
                [str(bundle_executable())],
                [str(FLOORS / "hello" / "hello")],
                [str(FLOORS / "empty_plot" / "empty_plot")],
            ),
            (
                "source",
                [python, "-m", "monitor"],
                [python, str(ROOT / "packaging" / "floors" / "hello.py")],
                [python, str(ROOT / "packaging" / "floors" / "empty_plot.py")],
            ),
        ):
            starts += [
                Start(name=f"{kind} hello", command=tuple(hello), mark=FRAME),
                Start(name=f"{kind} frame", command=(*ours, *program), mark=FRAME),
                Start(name=f"{kind} plot", command=(*plot, *request), mark=DATA),
                Start(name=f"{kind} data", command=(*ours, *program), mark=DATA),
            ]
        environment = {**os.environ, "HOME": home, "XDG_RUNTIME_DIR": home}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            environment.pop(name, None)
        # Bytecode is kept, as everywhere but on build machines: from the second start on nothing is compiled again.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(home) / "bytecode")
        times: dict[str, list[float]] = {start.name: [] for start in starts}
        for _ in range(rounds + 1):
            for start in starts:
                times[start.name].append(time_start(start, environment))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def report(medians: Mapping[str, float]) -> Sequence[tuple[str, float, float, str]]:
    """Lines of (what, ratio, bar, the two figures)."""
    ours, floor = folder_bytes(bundle_folder()), folder_bytes(FLOORS / "same_libraries")
    rows = [("size of the bundle", ours / floor, SIZE_BAR, f"{ours / 1e6:.0f} MB, floor {floor / 1e6:.0f} MB")]
    for kind in ("bundle", "source"):
        for what, mine, base, bar in (
            ("first frame", "frame", "hello", FRAME_BAR),
            ("first price on the plot", "data", "plot", DATA_BAR),
        ):
            if f"{kind} {mine}" in medians:
                a, b = medians[f"{kind} {mine}"], medians[f"{kind} {base}"]
                rows.append((f"{what}, {kind}", a / b, bar, f"{a:.3f} s, floor {b:.3f} s"))
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 when a bar was missed."""
    parser = argparse.ArgumentParser(prog="start_times.py", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (9)")
    parser.add_argument("--size-only", action="store_true", help="start nothing")
    options = parser.parse_args(arguments)
    if not options.size_only and sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            raise SystemExit("A start is timed on a display: install xvfb, or pass --size-only.")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run(command, check=False).returncode
    rows = report({} if options.size_only else measure(options.rounds))
    for what, ratio, bar, figures in rows:
        print(f"{what:34} {ratio:5.2f}  (bar {bar:4.2f})  {'ok' if ratio <= bar else 'MISSED':6}  {figures}")
    return 0 if all(ratio <= bar for _, ratio, bar, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
