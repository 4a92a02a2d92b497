"""An X server of a test's own, with a window manager, and what its windows say of themselves."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

NEEDED = ("Xvfb", "openbox", "xprop", "xdotool")
ICONIC, NORMAL = "Iconic", "Normal"


def is_missing() -> bool:
    """Whether this machine lacks what :func:`x_server` starts."""
    return any(shutil.which(name) is None for name in NEEDED)


@dataclass(frozen=True)
class Screen:
    """A display, ``:N``."""

    display: str

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, on that display and on no other."""
        kept = {name: value for name, value in os.environ.items() if name not in {"WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}}
        return {**kept, "DISPLAY": self.display}

    def ask(self, *command: str) -> str:
        """What a program of :data:`NEEDED` prints; empty where it fails, as for a window that is gone."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    def windows(self) -> list[str]:
        """Ids of the windows in the task bar, oldest first."""
        return re.findall(r"0x[0-9a-f]+", self.ask("xprop", "-root", "_NET_CLIENT_LIST"))

    def active(self) -> str:
        """Id of the window that has the focus; empty when none has."""
        found = re.findall(r"0x[0-9a-f]+", self.ask("xprop", "-root", "_NET_ACTIVE_WINDOW"))
        return found[0] if found else ""

    def topmost(self) -> str:
        """Id of the window in front of all others; empty when there is none."""
        found = re.findall(r"0x[0-9a-f]+", self.ask("xprop", "-root", "_NET_CLIENT_LIST_STACKING"))
        return found[-1] if found else ""

    def state(self, window: str) -> str:
        """``Normal`` or ``Iconic``, which is minimised."""
        found = re.search(r"window state: (\w+)", self.ask("xprop", "-id", window, "WM_STATE"))
        return found[1] if found else ""

    def wait_for(self, is_so: Callable[[], bool], seconds: float = 30.0) -> bool:
        """Whether ``is_so`` came true in that time. Blocks."""
        give_up_s = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > give_up_s:
                return False
            time.sleep(0.05)
        return True


@contextmanager
def x_server() -> Iterator[Screen]:
    """Start both and end them again."""
    read_fd, write_fd = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_fd), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write_fd], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write_fd)
    try:
        with os.fdopen(read_fd) as answer:
            screen = Screen(display=f":{answer.readline().strip()}")
        manager = subprocess.Popen(
            ["openbox"], env=screen.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            assert screen.wait_for(lambda: "0x" in screen.ask("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"))
            yield screen
        finally:
            manager.terminate()
            manager.wait(10)
    finally:
        server.terminate()
        server.wait(10)
