"""The second step of a start, in a thread, while the empty window is on screen: everything that needs no widget.

What takes time without taking the interpreter goes first: connections are opened and prices asked for while the plots'
libraries are still being imported. Whoever is on the receiving end of :func:`load` owns all of it from then on.
"""

import importlib
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from monitor.desk.build import Built, build
from monitor.desk.http import ConnectionCare
from monitor.desk.keeper import SettingsKeeper
from monitor.desk.options import DeskOptions
from monitor.desktop.keep_alive_store import FILE_NAME as KEEP_ALIVE_NAME
from monitor.desktop.settings import Settings
from monitor.exchanges.registry import VENUES
from monitor.polling.results import TaskDone

if TYPE_CHECKING:
    from monitor.controller import Controller
    from monitor.desktop.demo_process import DemoProcess

WINDOW_MODULES: Final = (
    "monitor.widgets.plot_library",
    "monitor.widgets.price_plot",
    "monitor.widgets.latency_plot",
    "monitor.widgets.chart_content",
    "monitor.widgets.cross_links",
    "monitor.widgets.palette",
    "monitor.widgets.window_dialogs",
    "monitor.widgets.window_layout",
    "monitor.widgets.window_menus",
    "monitor.desk.desk",
)
"""What the window is filled with, plots first: the longest to import, with moments for other threads between them."""


class EarlyBuild:
    """Runs the slow part of a start (``work``: see :func:`monitor.desk.build.build`) in a thread and keeps its result.

    Thread: any; nothing blocks.
    """

    def __init__(self, work: Callable[[], TaskDone]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._done: TaskDone | None = None
        self._put: Callable[[TaskDone], object] | None = None

    def start(self) -> None:
        """Begin. A second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="start", daemon=True)
            self._thread.start()

    def take(self) -> TaskDone | None:
        """The result, once; ``None`` while there is none, and for everybody after the first."""
        with self._lock:
            done, self._done = self._done, None
            return done

    def deliver(self, put: Callable[[TaskDone], object]) -> None:
        """Hand the result, unless it was taken, to ``put``: now, or as soon as it is there, then from its thread."""
        with self._lock:
            self._put = put
            done, self._done = self._done, None
        if done is not None:
            put(done)

    def _run(self) -> None:
        done = self._work()
        with self._lock:
            put = self._put
            if put is None:
                self._done = done
        if put is not None:
            put(done)


class Loaded(msgspec.Struct, kw_only=True):
    """What a desk is made of.

    ``settings`` are those in force; ``demo`` was launched and is perhaps not ready; ``built`` is what polls already.
    """

    settings: Settings
    is_demo: bool
    demo: "DemoProcess | None"
    keeper: SettingsKeeper
    controller: "Controller"
    care: ConnectionCare
    early: EarlyBuild
    built: Built | None = None

    def attach_if_built(self) -> None:
        """Begin to poll, if what polls is ready and does not poll yet."""
        done = None if self.built is not None else self.early.take()
        if done is None:
            return
        if isinstance(done.value, Built):
            self.built = done.value
            self.controller.attach(done.value.runtimes)
        else:
            # Why it could not be made, for the user.
            self.controller.outbox.put(done)


def prepare(
    settings: Settings, data_dir: Path, options: DeskOptions, demo: "DemoProcess | None", *, is_early: bool = False
) -> Loaded:
    """Make it all; with ``is_early``, begin to build what polls before numpy is imported for what keeps prices.

    Any thread, but the one that calls owns the result.
    """
    keeper = SettingsKeeper(options.settings_file, own_theme=settings.theme, run_theme=options.theme)
    if options.theme is not None:
        settings = replace(settings, theme=options.theme)
    is_demo = options.is_demo or (settings.start_with == "demo" and not options.base_urls)
    care = ConnectionCare(None if is_demo else data_dir / KEEP_ALIVE_NAME, asks_protocols=True)
    early = EarlyBuild(partial(build, settings, options, demo=demo, is_demo=is_demo, care=care))
    if is_early:
        early.start()
    from monitor.controller import Controller  # noqa: PLC0415 - see above

    controller = Controller(venues=tuple(VENUES), settings=settings, remember=keeper.keep)
    return Loaded(
        settings=settings, is_demo=is_demo, demo=demo, keeper=keeper, controller=controller, care=care, early=early
    )


def load(settings: Settings, data_dir: Path, options: DeskOptions, demo: "DemoProcess | None") -> Loaded:
    """Prepare, import what the window is filled with, and begin to poll on the way. Blocks for tenths of a second."""
    loaded = prepare(settings, data_dir, options, demo, is_early=True)
    for name in WINDOW_MODULES:
        loaded.attach_if_built()
        importlib.import_module(name)
    loaded.attach_if_built()
    return loaded
