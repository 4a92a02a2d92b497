"""The monitor on a desk: the Qt application, its window and the controller behind it, started and ended in order."""

import logging
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QEventLoop, QIODevice, QObject, QTimer, Slot

from monitor.crash import CrashHooks, CrashReport
from monitor.desk.accounts import TOKEN_FILE, make_accounts, save_text
from monitor.desk.alerts import DeskAlerts
from monitor.desk.build import TOKEN_RUNTIMES, Built, Handover, build, end_unused
from monitor.desk.crashes import DeskCrashes, open_folder
from monitor.desk.frame import StartFrame, destroy_window
from monitor.desk.history import DeskHistory
from monitor.desk.launch import open_in_new_window
from monitor.desk.loading import Loaded, prepare
from monitor.desk.measuring import DeskMeasuring, load_ahead
from monitor.desk.options import DeskOptions
from monitor.desk.pictures import save_picture
from monitor.desktop.build_info import licence_notices
from monitor.desktop.logs import LOG_FILE_NAME
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.domain.alerts import AlertRule
from monitor.exchanges.base import PollJob
from monitor.exchanges.registry import VENUES
from monitor.history.files import history_name
from monitor.polling.results import TaskDone
from monitor.proof.runs import Measuring
from monitor.qtmodels.account_service import AccountService
from monitor.qtmodels.frame_pump import FramePump
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import AlertNews, AlertStatus
from monitor.state.catalog import InstrumentKey
from monitor.state.report import summary_lines
from monitor.widgets.tray import WindowTray

log = logging.getLogger(__name__)

TOKEN_CRASH = -2

_AFTER_FIRST_FRAMES_MS = 300
"""After the start, what needs no price begins: threads beside the first frames would only hold them up."""
_LOAD_AHEAD_MS = 5_000
"""After the start, what a user may want next is imported; not before, as it would compete with the first prices."""
STOP_DEADLINE_S = 2.0
"""A closed window must be gone soon; a request that hangs longer dies with the process, it holds nothing."""


KEYRING_DEADLINE_S = 0.3
"""A keyring that waits for its user would never end by itself."""


class Desk(QObject):
    """Builds everything and answers the window's commands. Thread: GUI; nothing but construction and the end blocks."""

    def __init__(
        self,
        *,
        settings: Settings,
        paths: AppPaths,
        notes: Sequence[str],
        options: DeskOptions,
        frame: StartFrame | None = None,
        loaded: Loaded | None = None,
    ) -> None:
        """``frame``: what is on screen already; ``None``: make it. ``loaded``: made meanwhile; ``None``: make it."""
        frame = frame or StartFrame(settings, theme=options.theme, size=options.size)
        self.app = frame.app
        super().__init__()
        frame.dress()
        self._garbage = frame.garbage
        loaded = loaded or prepare(settings, paths.data_dir, options, None)
        settings = loaded.settings
        self._options = options
        self.paths = paths
        self._keeper = loaded.keeper
        self._demo = loaded.demo
        self._is_closing = False
        self._ended_mono_s = 0.0
        self.exit_code = 0
        self.window = frame.window
        self.is_demo = loaded.is_demo
        self.controller = loaded.controller
        self._early = loaded.early
        self._handover = Handover(self.controller.outbox.put)
        self.accounts = make_accounts(
            self.controller, is_demo=self.is_demo, settings_file=options.settings_file, parent=self
        )
        self._care = loaded.care
        self._measuring = DeskMeasuring(
            runtimes=lambda: self.controller.runtimes,
            plan_jobs=self.controller.jobs_in_use,
            settings=lambda: self.controller.settings,
            put=self.controller.outbox.put,
            is_demo=self.is_demo,
            hold_s=self.controller.spare_hold_s,
        )
        self._alerts = DeskAlerts(self.controller, ring=self._ring)
        self._history = DeskHistory(
            paths.data_dir / history_name(is_demo=self.is_demo),
            self.controller.board,
            put=self.controller.outbox.put,
            brings_back=not self.is_demo or options.seed is not None,
            is_demo=self.is_demo,
        )
        self.pump = FramePump(self.controller.outbox, self._history.sink, parent=self)
        self.pump.task_done.connect(self.on_task_done)
        self.pump.slow_frame.connect(self.on_slow_frame)
        self.window.fill(
            board=self.controller.board,
            pump=self.pump,
            settings=settings,
            commands=self,
            venue_titles={name: entry.title for name, entry in VENUES.items()},
            is_demo=self.is_demo,
        )
        self.window.charts.load_plots()
        self.tray = WindowTray(
            self.window,
            self.controller.board,
            clock=time.perf_counter,
            is_scripted=options.is_scripted,
        )
        if options.size is not None:
            self.window.resize(*options.size)
            self.window.reset_layout()
        self.window.set_watchlist(self.controller.watchlist)
        for text in notes:
            self.tell(text, level="warning")
        if loaded.built is not None:
            self._take_over(loaded.built)
        self.crashes = DeskCrashes(self.window, open_logs=self.open_log_folder, is_scripted=options.is_scripted)
        self._crash_hooks = CrashHooks(self._report_crash)

    # Life

    def run(self) -> int:
        """Show the window and work until it is closed; return the exit code. Blocks."""
        self._crash_hooks.install()
        # It may have been closed while all this was built; an event loop would not know of it.
        if not self.window.is_leaving:
            self.open()
            if self._options.duration_s is not None:
                QTimer.singleShot(round(self._options.duration_s * 1000), self, self.finish)
            self.app.exec()
        self.close()
        return self.exit_code

    def open(self) -> None:
        """Show the window, and take in what is polled; begin to build what polls if that was not done before."""
        self._garbage.start()
        self._garbage.settle()
        self.window.show()
        self.pump.start()
        self._early.start()
        self._early.deliver(self._handover.put)
        QTimer.singleShot(_AFTER_FIRST_FRAMES_MS, self, self._start_rest)
        QTimer.singleShot(_LOAD_AHEAD_MS, self, self._load_ahead)

    def work_for(self, seconds: float) -> None:
        """Let the application work for that long; for those who drive it step by step."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop, loop.quit)
        loop.exec()

    @property
    def platform_name(self) -> str:
        """What Qt draws on: ``xcb``, ``wayland``, ``windows``, ``cocoa`` or ``offscreen``."""
        return self.app.platformName()

    @Slot()
    def finish(self) -> None:
        """End of a run of fixed length: write the picture and close."""
        if self._options.screenshot is not None and not save_picture(self.window, self._options.screenshot):
            self.exit_code = 1
        if not any(self.controller.board.venue(name).age(time.perf_counter()) for name in VENUES):
            self.exit_code = 1
        self.window.close()

    def close(self) -> None:
        """End pollers, demo exchange and settings writer; waits at most ``STOP_DEADLINE_S`` for requests in flight.

        The window is destroyed, not only hidden. A second call does nothing.
        """
        if self._ended_mono_s:
            return
        self._ended_mono_s = time.perf_counter()
        self.pump.stop()
        self.tray.end()
        self.accounts.stop(KEYRING_DEADLINE_S)
        self._measuring.cancel()
        self._handover.close()
        self.controller.stop(STOP_DEADLINE_S)
        for late in self.controller.outbox.drain()[0]:
            end_unused(late)
        self._measuring.stop(STOP_DEADLINE_S)
        if self._demo is not None:
            self._demo.stop()
        self._history.close()
        self._care.close()
        self._keeper.close()
        destroy_window(self.window)
        self._garbage.stop()

    def summary(self) -> Sequence[str]:
        """Prices, latencies and reuse as lines of text, as they stood when the window closed."""
        titles = {name: entry.title for name, entry in VENUES.items()}
        return tuple(
            summary_lines(self.controller.board, titles, self.controller.watchlist, now_mono_s=self._ended_mono_s)
        )

    def tell(self, text: str, *, level: str = "info", is_answer: bool = False) -> None:
        """Put a sentence for the user into the events, and a toast: unless it is information nobody waits for."""
        self.controller.board.events.add(
            text, at=datetime.now(UTC), mono_s=time.perf_counter(), level="warning" if level == "warning" else "info"
        )
        if is_answer and level != "warning":
            self.window.toasts.notify(text, "info", text)

    # WindowCommands

    def set_focus(self, key: InstrumentKey, interval: str) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self.controller.set_focus(key, interval)

    def set_watchlist(self, keys: Sequence[InstrumentKey]) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self.controller.set_watchlist(keys)

    def set_paused(self, is_paused: bool) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self.controller.set_paused(is_paused)

    def set_venue_enabled(self, venue: str, is_enabled: bool) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self.controller.set_venue_enabled(venue, is_enabled)
        if not is_enabled:
            self._measuring.leave(venue)

    def refresh(self) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self.controller.refresh()

    def save_settings(self, settings: Settings) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        if self.controller.change_settings(settings) and not self._is_closing:
            self._build_in_background()

    def plan_jobs(self) -> Sequence[PollJob]:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self.controller.default_jobs()

    def licence_notices(self) -> str:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return licence_notices()

    def export_history(self, path: Path, seconds: float) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        self._history.export(path, seconds)

    def save_incident(self) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        content = QByteArray()
        buffer = QBuffer(content)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        # Hardly compressed, which is quick; the zip file compresses it, in a thread.
        self.window.grab().save(buffer, "PNG", 100)
        log_file = self.paths.log_dir / LOG_FILE_NAME
        self._history.save_incident(self.incident_folder(), self.controller.settings, log_file, bytes(content.data()))

    def open_incident(self, path: Path) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        try:
            open_in_new_window(path)
        except OSError as exc:
            self.tell(f"No second window could be opened: {exc.strerror}.", level="warning")

    def incident_folder(self) -> Path:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self.paths.data_dir / "incidents"

    def alert_statuses(self) -> Sequence[AlertStatus]:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self._alerts.statuses

    def alert_value(self, rule: AlertRule) -> AlertValue | None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self._alerts.value(rule)

    def open_log_folder(self) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        if not open_folder(self.paths.log_dir):
            self.tell(f"No file manager answered. The log folder is {self.paths.log_dir}.", level="warning")

    def account_service(self) -> AccountService:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self.accounts

    def measuring(self) -> Measuring:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return self._measuring

    def save_text(self, path: Path, text: str) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        save_text(path, text, self.controller.outbox.put)

    def quit(self) -> None:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        if self._is_closing:
            # The window that is closed for it says so once more.
            return
        self._is_closing = True
        self.tray.end()
        self.app.quit()

    # Slots

    @Slot(object)
    def on_task_done(self, done: TaskDone) -> None:
        """Take over what a worker thread built or found."""
        if isinstance(done.value, CrashReport):
            self.window.toasts.notify("crash", "error", done.value.text)
            self.crashes.show(done.value)
        elif (notice := self._history.take(done)) is not None:
            self.tell(notice.text, level=notice.level, is_answer=notice.is_answer)
        elif done.token == TOKEN_RUNTIMES and done.failure is not None:
            self.tell(done.failure.user_text, level="warning")
        elif done.token == TOKEN_RUNTIMES and isinstance(done.value, Built):
            # A run on the transports of before would spend their budget beside the new one.
            self._measuring.cancel()
            self.controller.attach(done.value.runtimes)
            self._take_over(done.value)
        elif done.token == TOKEN_FILE and isinstance(done.value, tuple):
            is_written, text = done.value
            self.tell(str(text), level="info" if is_written else "warning", is_answer=True)
        elif not self._measuring.take(done):
            self.accounts.take(done)

    @Slot()
    def on_slow_frame(self) -> None:
        """Once a second."""
        self.controller.look_around(time.time(), time.perf_counter())
        self._history.look_around()
        self._alerts.look_around()
        self.tray.refresh()
        self._care.look_around()

    def _ring(self, news: AlertNews) -> None:
        settings = self.controller.settings
        if settings.alert_notices:
            self.tray.notify(news.text)
        if news.is_over:
            return
        if settings.alert_sound:
            self.app.beep()
        # The entry in the system's task bar asks for attention when the window is behind others.
        self.app.alert(self.window)

    # Inside

    def _build_in_background(self) -> None:
        settings, options, demo = self.controller.settings, self._options, self._demo
        put = self._handover.put
        is_demo = self.is_demo
        care = self._care

        def work() -> None:
            put(build(settings, options, demo=demo, is_demo=is_demo, care=care))

        threading.Thread(target=work, name="start", daemon=True).start()

    @Slot()
    def _start_rest(self) -> None:
        if self._ended_mono_s:
            return
        self._history.start()
        if not self.is_demo:
            self.accounts.start()

    def _load_ahead(self) -> None:
        threading.Thread(target=load_ahead, name="load ahead", daemon=True).start()

    def _take_over(self, built: Built) -> None:
        self._demo = built.demo
        if self._demo is not None:
            self.accounts.offer_demo(self._demo.addresses.accounts)

    def _report_crash(self, report: CrashReport) -> None:
        # Called in the thread that failed; the outbox is the one way over.
        self.controller.outbox.put(TaskDone(token=TOKEN_CRASH, value=report, failure=None))
