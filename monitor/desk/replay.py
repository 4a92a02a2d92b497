"""The window on a recording: everything as it stood at its end, and nothing that polls."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QLabel, QMessageBox, QSizePolicy, QToolBar

from monitor import APP_NAME
from monitor.desk.frame import StartFrame, destroy_window
from monitor.desktop.build_info import licence_notices
from monitor.desktop.settings import TIME_RANGES_S, Settings
from monitor.domain.alerts import AlertRule
from monitor.exchanges.base import PollJob
from monitor.exchanges.registry import VENUES
from monitor.history.recording import Recording, RecordingError, read_recording
from monitor.history.replayed import Replayed, replay
from monitor.polling.outbox import Outbox
from monitor.qtmodels.account_service import AccountService
from monitor.qtmodels.figures import plain_tooltip
from monitor.qtmodels.frame_pump import FramePump
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import AlertStatus
from monitor.state.catalog import InstrumentKey

log = logging.getLogger(__name__)

NOT_OF_THE_PAST: Final = (
    "pause",
    "refresh",
    "accounts",
    "settings",
    "alert",
    "export",
    "incident",
    "measure",
    "open_incident",
    "logs",
)
"""Actions that ask something of venues, of the keyring or of the history; they are off."""


def read_replay(file: Path) -> tuple[Recording, Replayed] | RecordingError:
    """Read and replay a recording; an error is returned, not raised, as it crosses a thread. Blocks."""
    try:
        recording = read_recording(file)
        return recording, replay(recording, VENUES)
    except RecordingError as error:
        return error
    except Exception:
        # Every row was checked one by one; that all of them together make no sense is the file's fault, not a crash.
        log.exception("a recording could not be replayed")
        return RecordingError(f"{file.name} cannot be shown: what it holds does not fit together.")


def show_recording(
    read: "tuple[Recording, Replayed] | RecordingError",
    *,
    settings: Settings,
    frame: StartFrame,
    size: tuple[int, int] | None,
    duration_s: float | None,
    screenshot: Path | None,
) -> str | None:
    """Show what :func:`read_replay` gave until the window is closed; why not, in words, if it cannot be. Blocks."""
    if isinstance(read, RecordingError):
        if duration_s is None:
            QMessageBox.warning(frame.window, APP_NAME, str(read))
        return str(read)
    recording, replayed = read
    desk = ReplayDesk(settings=settings, frame=frame, recording=recording, replayed=replayed, size=size)
    desk.run(duration_s=duration_s, screenshot=screenshot)
    return None


class ReplayDesk(QObject):
    """Fills the window with a recording and answers its commands: what would change something does nothing.

    Thread: GUI.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        frame: StartFrame,
        recording: Recording,
        replayed: Replayed,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.app = frame.app
        self.window = frame.window
        frame.dress()
        self._garbage = frame.garbage
        self._replayed = replayed
        settings = replace(
            settings,
            watchlist=replayed.keys,
            focus=settings.focus if settings.focus in replayed.keys else next(iter(replayed.keys), None),
            disabled_venues=(),
            alerts=(),
            time_range_s=_range_for((recording.end - recording.start).total_seconds()),
        )
        self.pump = FramePump(Outbox(), replayed.board, parent=self)
        self.window.fill(
            board=replayed.board,
            pump=self.pump,
            settings=settings,
            commands=self,
            venue_titles={name: VENUES[name].title if name in VENUES else name for name in replayed.board.venue_names},
            clock=replayed.clock,
            wall_clock=replayed.utc_now,
            is_demo=recording.is_demo is True,
        )
        self.window.pools.set_recorded()
        self.window.status.set_recorded()
        if size is not None:
            self.window.resize(*size)
            self.window.reset_layout()
        for toast in self.window.toasts.toasts():
            # It was news then.
            toast.dismiss()
        self._label(recording)
        actions = self.window.commands_of_user
        for action in (*(actions.named[name] for name in NOT_OF_THE_PAST), *actions.venues.values()):
            action.setEnabled(False)
        self.window.watchlist.set_keys(replayed.keys)
        if settings.focus is not None:
            self.window.watchlist.select(settings.focus)

    def _label(self, recording: Recording) -> None:
        start, end = recording.start.astimezone(), recording.end.astimezone()
        period = f"{start:%d %b %Y %H:%M:%S} to {end:%H:%M:%S}"
        demo = " (demo)" if recording.is_demo else ""
        self.window.setWindowTitle(f"{period}: {recording.name} – {APP_NAME}{demo}")
        whose = " Made-up prices of the demo exchange." if recording.is_demo else ""
        self.banner = QLabel(
            f"PAST  {period}.{whose} Nothing is polled; “now” is {end:%H:%M:%S}, ages and verdicts are of then."
        )
        self.banner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # A narrow window cuts it rather than growing.
        self.banner.setMinimumWidth(1)
        self.banner.setObjectName("pastBanner")
        about = [f"File: {recording.name}", "Not recorded: budgets, order books, accounts, cards of open sockets."]
        if recording.skipped:
            about.append(f"{recording.skipped} rows could not be read.")
        self.banner.setToolTip(plain_tooltip("\n".join((*about, *recording.problems, *_versions(recording)))))
        self.banner.setAccessibleName(self.banner.text())
        bar = QToolBar("Recording", self.window)
        bar.setObjectName("recording")
        bar.setMovable(False)
        bar.addWidget(self.banner)
        self.window.addToolBarBreak()
        self.window.addToolBar(bar)
        bar.show()

    def run(self, *, duration_s: float | None = None, screenshot: Path | None = None) -> None:
        """Show the window until it is closed. Blocks."""
        self._garbage.start()
        self.window.charts.plots_loaded.connect(self._garbage.settle)
        self.window.show()
        # Frames come from time alone: text that was laid out late, a theme that was switched.
        self.pump.start()
        if duration_s is not None:

            def finish() -> None:
                if screenshot is not None and not self.window.grab().save(str(screenshot), "PNG"):
                    log.warning("the picture could not be written")
                self.window.close()

            QTimer.singleShot(round(duration_s * 1000), self, finish)
        self.app.exec()
        self.pump.stop()
        destroy_window(self.window)
        self._garbage.stop()

    # WindowCommands

    def set_focus(self, key: InstrumentKey, interval: str) -> None:
        """Nothing is polled."""

    def set_watchlist(self, keys: Sequence[InstrumentKey]) -> None:
        """Nothing is polled, and nothing remembered."""

    def set_paused(self, is_paused: bool) -> None:
        """Nothing is polled."""

    def set_venue_enabled(self, venue: str, is_enabled: bool) -> None:
        """Nothing is polled."""

    def refresh(self) -> None:
        """Nothing is polled."""

    def save_settings(self, settings: Settings) -> None:
        """What is chosen while looking back is not remembered."""

    def plan_jobs(self) -> Sequence[PollJob]:
        """There is no plan."""
        return ()

    def licence_notices(self) -> str:
        """See :class:`monitor.widgets.commands.WindowCommands`."""
        return licence_notices()

    def export_history(self, path: Path, seconds: float) -> None:
        """The recording is a file already."""

    def save_incident(self) -> None:
        """The recording is a file already."""

    def open_incident(self, path: Path) -> None:
        """This window shows one."""

    def incident_folder(self) -> Path:
        """See :meth:`open_incident`."""
        return Path()

    def alert_statuses(self) -> Sequence[AlertStatus]:
        """Alerts are of the present; those of the time are among the events."""
        return ()

    def alert_value(self, rule: AlertRule) -> AlertValue | None:  # noqa: ARG002 - the window asks by name
        """See :meth:`alert_statuses`."""
        return None

    def open_log_folder(self) -> None:
        """The action is off: today's log has nothing to do with the recording."""

    def account_service(self) -> AccountService | None:
        """Accounts are not recorded."""
        return None

    def measuring(self) -> None:
        """Nothing is asked of a venue."""

    def save_text(self, path: Path, text: str) -> None:
        """There are no account tables to be written."""

    @Slot()
    def quit(self) -> None:
        """The window was closed."""
        self.app.quit()


def _range_for(seconds: float) -> int:
    return next((one for one in TIME_RANGES_S if one >= seconds - 1.0), TIME_RANGES_S[-1])


def _versions(recording: Recording) -> tuple[str, ...]:
    return tuple(f"{name}: {version}" for name, version in recording.versions.items())
