"""Composition root of the window: builds everything, connects it, and ends it in order."""

import argparse
import gc
import importlib
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.desk.options import DeskOptions
from monitor.desktop.early_log import EarlyLog
from monitor.desktop.paths import AppPaths, find_paths
from monitor.desktop.settings import Settings, load_settings
from monitor.desktop.single_instance import OtherInstanceError, SingleInstance

if TYPE_CHECKING:
    from monitor.desk.desk import Desk
    from monitor.desk.frame import StartFrame
    from monitor.desktop.demo_process import DemoProcess

log = logging.getLogger(__name__)

EXIT_DONE = 0
EXIT_FAILED = 1
DEFAULT_OFFSCREEN_S = 20.0
DEFAULT_SCREENSHOT = Path("demo-output") / "trading-monitor-demo.png"

DEBIAN_PACKAGES = (
    "libgl1 libegl1 libglib2.0-0 libfontconfig1 libxkbcommon0 libdbus-1-3 libxcb-cursor0 libxkbcommon-x11-0 "
    "libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
)


def has_display() -> bool:
    """Whether a window can be shown: always outside Linux, there when a display is named or a platform was chosen."""
    if not sys.platform.startswith("linux"):
        return True
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform:
        return platform != "offscreen"
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run_window(options: argparse.Namespace) -> int:
    """Run the window (or the self-test, or the demo without a screen) until it is closed; return the exit code.

    Blocks. Thread: the main one.
    """
    is_offscreen = not has_display()
    if is_offscreen:
        if not (options.demo or options.self_test or options.screenshot):
            _say(
                "No display was found (neither DISPLAY nor WAYLAND_DISPLAY is set). "
                "Use 'watch --headless' to monitor without a window, or '--demo' to see it work."
            )
            return EXIT_FAILED
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    # What a start makes stays; from the first frame on the window looks after garbage itself.
    gc.disable()
    # Title bars on Wayland where the desktop draws none: Qt's other plugin for them, adwaita, has ended in malloc().
    os.environ.setdefault("QT_WAYLAND_DECORATION", "bradient")
    paths = find_paths()
    logs = EarlyLog(paths.log_dir, is_verbose=options.verbose)
    try:
        settings, problems = load_settings(options.settings or paths.settings_file)
        notes = [text for text in (paths.problem, *problems) if text]
        instance: SingleInstance | None = None
        if not (is_offscreen or _is_scripted(options)):
            instance = SingleInstance.claim(paths.data_dir, token=os.environ.get("XDG_ACTIVATION_TOKEN", ""))
            if instance is None:
                _say("Trading Monitor is already running: its window is shown now.")
                return EXIT_DONE
        try:
            return _run_qt(options, paths, settings, notes, is_offscreen=is_offscreen, instance=instance, logs=logs)
        except Exception as exc:
            if is_offscreen or _is_scripted(options):
                raise
            # Whoever double-clicked has no terminal to read the reason in.
            log.exception("the start failed")
            _show_failure(exc, paths)
            return EXIT_FAILED
        finally:
            if instance is not None:
                instance.close()
    except OtherInstanceError as exc:
        _say(str(exc))
        _show_failure(exc, paths)
        return EXIT_FAILED
    finally:
        logs.close()


def _show_failure(error: Exception, paths: AppPaths) -> None:
    try:
        from monitor.desk.crashes import show_failed_start  # noqa: PLC0415 - needs Qt

        show_failed_start(error, paths.log_dir)
    except ImportError:
        log.exception("no window to tell it in")


def _run_qt(
    options: argparse.Namespace,
    paths: AppPaths,
    settings: Settings,
    notes: Sequence[str],
    *,
    is_offscreen: bool,
    instance: SingleInstance | None,
    logs: EarlyLog,
) -> int:
    started_s = time.perf_counter()
    desk_options = _make_desk_options(options, paths, settings, is_offscreen=is_offscreen)
    try:
        frame = _show_frame(options, settings, instance)
        if (problem := logs.open().problem) is not None:
            notes = [problem, *notes]
        if options.replay is not None:
            return _show_recording(options, settings, frame)
        desk = _make_desk(settings, paths, notes, desk_options, frame)
    except ImportError as exc:
        if exc.name is not None and exc.name.startswith("monitor"):
            raise
        log.exception("Qt cannot be loaded")
        _say(f"The window's libraries cannot be loaded ({exc}). On Debian or Ubuntu: apt-get install {DEBIAN_PACKAGES}")
        return EXIT_FAILED
    if desk is None:
        return EXIT_DONE
    if options.start_marks:
        from monitor.desk.start_marks import DataMark  # noqa: PLC0415 - needs Qt, like the desk

        DataMark(desk)
    if options.self_test:
        from monitor.self_test import run_self_test  # noqa: PLC0415 - needs Qt, like the desk

        return run_self_test(desk)
    exit_code = desk.run()
    if is_offscreen or options.duration is not None:
        for line in desk.summary():
            print(line)  # noqa: T201 - the summary is this mode's product
    log.info("window closed after %.1f s", time.perf_counter() - started_s)
    return exit_code


def _show_frame(options: argparse.Namespace, settings: Settings, instance: SingleInstance | None) -> "StartFrame":
    """The window first, then everything else. Raises ``ImportError``: Qt's libraries are missing."""
    from monitor.desk.plain_imports import leave_features_out  # noqa: PLC0415 - Qt may be missing; say so in words

    leave_features_out()
    from monitor.desk.frame import StartFrame  # noqa: PLC0415 - as above, and quicker by now

    frame = StartFrame(settings, theme=options.theme, size=options.size)
    frame.show()
    if options.start_marks:
        print("start: frame", flush=True)  # noqa: T201 - asked for on the command line
    from monitor.desk.signals import SignalWatch  # noqa: PLC0415 - until now there was nothing to be kept

    SignalWatch(frame.leave, frame)
    log.debug("the window is on screen")
    if instance is not None:
        instance.serve(frame.show_again.emit)
    frame.dress()
    return frame


def _make_desk(
    settings: Settings, paths: AppPaths, notes: Sequence[str], options: DeskOptions, frame: "StartFrame"
) -> "Desk | None":
    """Load the rest in a thread, while the demo exchange starts in its own process; ``None``: the window was closed."""
    if settings.start_with == "ask" and not options.is_scripted and not options.base_urls:
        from monitor.desk.first_question import ask_what_to_watch  # noqa: PLC0415 - once in a profile's life

        settings = ask_what_to_watch(frame, settings, options.settings_file)
        if frame.is_closed:
            return None
    demo: DemoProcess | None = None
    if options.is_demo or (settings.start_with == "demo" and not options.base_urls):
        demo = _launch_demo(options)
    loaded = frame.work_while_shown(
        lambda: importlib.import_module("monitor.desk.loading").load(settings, paths.data_dir, options, demo)
    )
    if loaded is None:
        if demo is not None:
            demo.stop()
        return None
    from monitor.desk.desk import Desk  # noqa: PLC0415 - loaded just now

    return Desk(settings=settings, paths=paths, notes=notes, options=options, frame=frame, loaded=loaded)


def _make_desk_options(
    options: argparse.Namespace, paths: AppPaths, settings: Settings, *, is_offscreen: bool
) -> DeskOptions:
    duration_s: float | None = options.duration
    screenshot: Path | None = options.screenshot
    if is_offscreen:
        duration_s = duration_s or (None if options.self_test else DEFAULT_OFFSCREEN_S)
        screenshot = screenshot or (DEFAULT_SCREENSHOT if options.demo else None)
        if not options.self_test:
            _say(f"No display was found: running offscreen for {duration_s:g} s.")
    return DeskOptions(
        is_demo=options.demo or options.self_test,
        rtt_ms=options.rtt_ms if options.demo else settings.demo_rtt_ms,
        seed=options.seed if options.seed is not None else settings.demo_seed,
        faults=options.faults,
        base_urls=dict(options.base_url or ()),
        ca_file=options.ca_file,
        settings_file=options.settings or paths.settings_file,
        theme=options.theme,
        size=options.size,
        duration_s=duration_s,
        screenshot=screenshot,
        is_scripted=is_offscreen or _is_scripted(options),
    )


def _is_scripted(options: argparse.Namespace) -> bool:
    """Nobody sits in front of it, or it is a trial: no questions, and it may run beside the user's own window."""
    is_trial = options.self_test or options.start_marks or options.duration is not None or options.demo
    return bool(is_trial or options.replay is not None)


def _launch_demo(options: DeskOptions) -> "DemoProcess":
    from monitor.desktop.demo_process import DemoProcess  # noqa: PLC0415 - most starts need none

    demo = DemoProcess(rtt_ms=options.rtt_ms, seed=options.seed, faults=options.faults)
    try:
        demo.launch()
    except OSError:
        log.warning("the demo exchange could not be launched yet", exc_info=True)  # the desk tries again and tells
    return demo


def _show_recording(options: argparse.Namespace, settings: Settings, frame: "StartFrame") -> int:
    read = frame.work_while_shown(lambda: importlib.import_module("monitor.desk.replay").read_replay(options.replay))
    if read is None:
        return EXIT_DONE
    from monitor.desk.replay import show_recording  # noqa: PLC0415 - loaded just now

    problem = show_recording(
        read,
        settings=settings if options.theme is None else replace(settings, theme=options.theme),
        frame=frame,
        size=options.size,
        duration_s=options.duration or (None if has_display() else DEFAULT_OFFSCREEN_S),
        screenshot=options.screenshot,
    )
    if problem is not None:
        _say(problem)
    return EXIT_DONE if problem is None else EXIT_FAILED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - there is no window to say it in
