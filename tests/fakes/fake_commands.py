"""Window commands that write down what they were asked, in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.desktop.settings import Settings
from monitor.domain.alerts import AlertRule
from monitor.exchanges.base import PollJob
from monitor.proof.runs import Measuring
from monitor.qtmodels.account_service import AccountService
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import AlertStatus


@dataclass
class FakeCommands:
    """Stands in for the app behind the window; ``calls`` holds (name, arguments)."""

    calls: list[tuple[str, tuple[object, ...]]] = field(default_factory=list)
    jobs: tuple[PollJob, ...] = ()
    accounts: AccountService | None = None
    alerts: tuple[AlertStatus, ...] = ()
    measures: Measuring | None = None

    def named(self, name: str) -> list[tuple[object, ...]]:
        """Arguments of every call of ``name``, in order."""
        return [arguments for called, arguments in self.calls if called == name]

    def set_focus(self, key: tuple[str, str], interval: str) -> None:
        self.calls.append(("set_focus", (key, interval)))

    def set_watchlist(self, keys: Sequence[tuple[str, str]]) -> None:
        self.calls.append(("set_watchlist", (tuple(keys),)))

    def set_paused(self, is_paused: bool) -> None:
        self.calls.append(("set_paused", (is_paused,)))

    def set_venue_enabled(self, venue: str, is_enabled: bool) -> None:
        self.calls.append(("set_venue_enabled", (venue, is_enabled)))

    def refresh(self) -> None:
        self.calls.append(("refresh", ()))

    def save_settings(self, settings: Settings) -> None:
        self.calls.append(("save_settings", (settings,)))

    def plan_jobs(self) -> Sequence[PollJob]:
        return self.jobs

    def licence_notices(self) -> str:
        return ""

    def export_history(self, path: Path, seconds: float) -> None:
        self.calls.append(("export_history", (path, seconds)))

    def save_incident(self) -> None:
        self.calls.append(("save_incident", ()))

    def open_incident(self, path: Path) -> None:
        self.calls.append(("open_incident", (path,)))

    def incident_folder(self) -> Path:
        return Path("incidents")

    def alert_statuses(self) -> Sequence[AlertStatus]:
        return self.alerts

    def alert_value(self, rule: AlertRule) -> AlertValue | None:
        self.calls.append(("alert_value", (rule,)))
        return None

    def open_log_folder(self) -> None:
        self.calls.append(("open_log_folder", ()))

    def account_service(self) -> AccountService | None:
        return self.accounts

    def measuring(self) -> Measuring | None:
        return self.measures

    def save_text(self, path: Path, text: str) -> None:
        self.calls.append(("save_text", (path, text)))

    def quit(self) -> None:
        self.calls.append(("quit", ()))
