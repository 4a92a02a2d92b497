"""Runs the demo exchange as a program: one line when ready, a clean end on signals or when standard input ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence

from monitor.simulator.demo_accounts import published
from monitor.simulator.faults import FaultError
from monitor.simulator.options import SimulatorConfig, parse_options
from monitor.simulator.server import DemoExchange


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped. Return 0 for a clean end, 1 when it cannot listen, 2 for wrong arguments or a bad fault
    file."""
    config = parse_options(sys.argv[1:] if argv is None else argv)
    try:
        asyncio.run(_run(config))
    except KeyboardInterrupt:
        pass  # where the loop has no signal handlers (Windows), Ctrl+C arrives here
    except FaultError as exc:
        _complain(f"{config.faults_file}: {exc}")
        return 2
    except BrokenPipeError:
        raise  # nobody reads our address; the command line ends quietly
    except OSError as exc:
        _complain(str(exc))
        return 1
    return 0


def _complain(text: str) -> None:
    sys.stderr.write(f"trading-monitor simulate: {text}\n")


async def _run(config: SimulatorConfig) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # as on Windows, whose loops take no signals
            loop.add_signal_handler(number, stop.set)
    if config.exit_with_stdin:
        threading.Thread(target=_wait_for_stdin, args=(loop, stop), name="stdin", daemon=True).start()
    exchange = DemoExchange(config)
    try:
        ready = await exchange.start()
        _announce(ready, is_json=config.is_json)
        await stop.wait()
    finally:
        await exchange.stop()


def _wait_for_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # The parent holds the other end of the pipe: it ends when the parent does, however that dies.
    with contextlib.suppress(OSError, ValueError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)


def _told(account: Mapping[str, object]) -> str:
    inputs = account["inputs"]
    assert isinstance(inputs, dict)  # noqa: S101  # made by published()
    typed = ", ".join(f"{field} {text}" for field, text in inputs.items())
    return f"{account['venue']} {account['name']!r} ({account['about']}): {typed}"


def _announce(ready: dict[str, object], *, is_json: bool) -> None:
    line = json.dumps(ready)
    if not is_json:
        sys.stderr.write(
            "Demo exchange with made-up prices; Ctrl+C ends it. Trust the certificate in ca_file to use it.\n"
            "Accounts with made-up money; their credentials are worth nothing anywhere else:\n"
        )
        for account in published():
            sys.stderr.write(f"  {_told(account)}\n")
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
