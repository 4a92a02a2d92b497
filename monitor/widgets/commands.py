"""What the window asks of the rest of the app. The window decides nothing; whoever builds it answers these."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from monitor.desktop.settings import Settings
from monitor.domain.alerts import AlertRule
from monitor.exchanges.base import PollJob
from monitor.proof.runs import Measuring
from monitor.qtmodels.account_service import AccountService
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import AlertStatus

InstrumentKey: TypeAlias = tuple[str, str]
"""(venue, venue symbol)."""


class WindowCommands(Protocol):
    """Everything the user can make happen outside the window.

    Thread: called in the GUI thread; none of these may block.
    """

    def set_focus(self, key: InstrumentKey, interval: str) -> None:
        """Poll book and candles (of ``interval``) for this instrument."""
        ...

    def set_watchlist(self, keys: Sequence[InstrumentKey]) -> None:
        """Keep history for these instruments and remember them, in this order."""
        ...

    def set_paused(self, is_paused: bool) -> None:
        """Stop or resume all polling."""
        ...

    def set_venue_enabled(self, venue: str, is_enabled: bool) -> None:
        """Stop or resume polling one venue."""
        ...

    def refresh(self) -> None:
        """Poll at once, within the budget."""
        ...

    def save_settings(self, settings: Settings) -> None:
        """Apply and remember a whole new value: something in it was changed by the user.

        Called once a second at most, and once when the window closes.
        """
        ...

    def plan_jobs(self) -> Sequence[PollJob]:
        """The jobs of the default plan for what is in focus, before the user's cadences; for the cost preview."""
        ...

    def licence_notices(self) -> str:
        """Licences of the libraries, for the About box; empty when they are not at hand."""
        ...

    def export_history(self, path: Path, seconds: float) -> None:
        """Write the last ``seconds`` of what was recorded to ``path``: quotes as ``.csv``, else everything as JSON."""
        ...

    def save_incident(self) -> None:
        """Keep the last minutes, with a picture of the window, as one file."""
        ...

    def open_incident(self, path: Path) -> None:
        """Show a saved incident in a window of its own."""
        ...

    def incident_folder(self) -> Path:
        """Where incidents are saved."""
        ...

    def alert_statuses(self) -> Sequence[AlertStatus]:
        """How every alert of the settings stands."""
        ...

    def alert_value(self, rule: AlertRule) -> AlertValue | None:
        """What ``rule`` would watch, as it stands; ``None`` when it is not known."""
        ...

    def open_log_folder(self) -> None:
        """Show the folder of the log file."""
        ...

    def account_service(self) -> AccountService | None:
        """What adds, tests and deletes accounts; ``None`` where there is no such thing."""
        ...

    def measuring(self) -> Measuring | None:
        """What compares pooled with unpooled requests; ``None`` where no venue can be asked."""
        ...

    def save_text(self, path: Path, text: str) -> None:
        """Write a file the user asked for, beside the window, and tell the user how that went."""
        ...

    def quit(self) -> None:
        """End the app in order."""
        ...
