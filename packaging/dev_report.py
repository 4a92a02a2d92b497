"""What the developer commands say: steps with their duration, and errors as sentences."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

# A download over a slow line is silent for minutes; a line now and then shows that it is alive.
HEARTBEAT_S = 10.0
# How much of a failed step's output is shown; the rest is in the log. pip's lines can be very long.
TAIL_LINES = 8
MAX_WIDTH = 160
# Time a child gets to end by itself after Ctrl-C, which the terminal sends to it as well.
INTERRUPT_GRACE_S = 15.0


class Stop(Exception):
    """Ends the command with a sentence for the person at the terminal.

    ``exit_code`` is 1 when a step failed and 2 when the person has to do something first.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def say(text: str) -> None:
    """Print one line at once, also when the output goes to a file."""
    print(text, flush=True)


def run_step(
    title: str,
    command: Sequence[str],
    *,
    log: Path,
    advice: str,
    environment: Mapping[str, str] | None = None,
    heartbeat_s: float = HEARTBEAT_S,
) -> str:
    """Run ``command`` with its output in ``log``, tell title and duration, and return the output.

    Blocks until the command ends; says every ``heartbeat_s`` seconds what it is doing. ``environment`` replaces the
    process's own, None keeps it. Raises Stop with the end of the output and ``advice`` when the command fails.
    """
    say(f"- {title}")
    started_s = time.perf_counter()
    with log.open("ab") as output:
        begin = output.tell()
        output.write(f"$ {' '.join(command)}\n".encode("utf-8", "backslashreplace"))
        output.flush()
        try:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        except OSError as error:
            raise Stop(f"{command[0]} does not start: {error.strerror}.") from error
        try:
            while True:
                try:
                    exit_code = process.wait(timeout=heartbeat_s)
                    break
                except subprocess.TimeoutExpired:
                    say(f"  {time.perf_counter() - started_s:.0f} s so far: {_last_line(log, begin)}")
        except KeyboardInterrupt:
            _end_after_interrupt(process)
            raise
    text = _read_from(log, begin).partition("\n")[2]
    if exit_code:
        tail = "\n".join(f"    {line[:MAX_WIDTH]}" for line in text.strip().splitlines()[-TAIL_LINES:])
        raise Stop(f"This step failed (exit code {exit_code}). It said:\n{tail}\n{advice}\nAll of it is in {log}.")
    say(f"  done in {time.perf_counter() - started_s:.1f} s")
    return text


def run_visible(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run ``command`` with its output on the terminal, block until it ends, return its exit code."""
    process = subprocess.Popen(command, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        _end_after_interrupt(process)
        raise


def become(command: Sequence[str]) -> int:
    """Go on as ``command``. Where the system cannot replace a process, wait for it and return its exit code."""
    if os.name == "posix":
        os.execv(command[0], list(command))  # noqa: S606  no shell is what is wanted
    # Ctrl-C belongs to the child: it reaches every process of the console.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, check=False).returncode


def _end_after_interrupt(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=INTERRUPT_GRACE_S)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()


def _read_from(log: Path, begin: int) -> str:
    with log.open("rb") as written:
        written.seek(begin)
        return written.read().decode("utf-8", "replace")


def _last_line(log: Path, begin: int) -> str:
    lines = _read_from(log, begin).strip().splitlines()
    return lines[-1].strip()[:100] if len(lines) > 1 else "no output yet"
