"""The whole app at rest: CPU of the window's process and of its demo exchange on the default plan, window visible.

Run it alone for figures (``python tests/benchmarks/bench_app.py``), under Xvfb where there is no screen. A share of a
core is CPU seconds / seconds, of whole processes, so what else the machine does shows up little in it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
WARM_UP_S = 15.0
MEASURED_S = 45.0
MAX_SHARE = 0.10
"""Of one core, app and demo exchange together."""


@dataclass(frozen=True)
class AppCost:
    """Shares of one core, and resident memory of the app in MB at the start and end of the measured time."""

    app_share: float
    exchange_share: float
    rss_start_mb: float
    rss_end_mb: float

    @property
    def share(self) -> float:
        """Both together."""
        return self.app_share + self.exchange_share

    def table(self) -> str:
        """The figures as text."""
        return "\n".join(
            [
                f"app (window visible, default plan)  {self.app_share:6.1%} of a core",
                f"demo exchange (its own process)     {self.exchange_share:6.1%} of a core",
                f"together                            {self.share:6.1%} of a core, bar {MAX_SHARE:.0%}",
                f"resident memory                     {self.rss_start_mb:.0f} -> {self.rss_end_mb:.0f} MB",
            ]
        )


def measure(*, warm_up_s: float = WARM_UP_S, measured_s: float = MEASURED_S) -> AppCost:
    """Start the app on the demo exchange, on a screen if there is one or can be made, and watch it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        command = [sys.executable, "-m", "monitor", "--demo", "--duration", str(warm_up_s + measured_s + 30)]
        command += ["--size", "1280x720"]
        environment = {**os.environ, "HOME": home, "PYTHONPATH": str(ROOT)}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "QT_QPA_PLATFORM"):
            environment.pop(name, None)
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24"]
        is_screen_made = not os.environ.get("DISPLAY") and shutil.which("xvfb-run") is not None
        process = subprocess.Popen(
            [*(screen if is_screen_made else []), *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            time.sleep(warm_up_s)
            app, exchange = _find(process.pid)
            rss_start = app.memory_info().rss
            app_start, exchange_start, wall_start = _cpu_s(app), _cpu_s(exchange), time.perf_counter()
            time.sleep(measured_s)
            wall_s = time.perf_counter() - wall_start
            return AppCost(
                app_share=(_cpu_s(app) - app_start) / wall_s,
                exchange_share=(_cpu_s(exchange) - exchange_start) / wall_s,
                rss_start_mb=rss_start / 1e6,
                rss_end_mb=app.memory_info().rss / 1e6,
            )
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.terminate()
            process.terminate()
            process.wait(timeout=20)


def _find(pid: int) -> tuple[psutil.Process, psutil.Process]:
    """The app's process and its demo exchange's, below ``pid``."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    by_command = {" ".join(one.cmdline()): one for one in family}
    app = next(one for line, one in by_command.items() if " -m monitor --demo" in line and "xvfb-run" not in line)
    exchange = next(one for line, one in by_command.items() if "monitor.simulator" in line)
    return app, exchange


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@pytest.mark.benchmark
@pytest.mark.skipif(sys.platform == "win32", reason="sessions of processes are POSIX")
def test_the_whole_app_stays_within_a_tenth_of_a_core() -> None:
    cost = measure(warm_up_s=12.0, measured_s=20.0)
    print("\n" + cost.table())

    assert cost.share <= MAX_SHARE


if __name__ == "__main__":
    print(measure().table())
