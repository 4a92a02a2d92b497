"""Alerts in the main window: the list, the dialog, and what they change in the settings."""

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog, QWidget

from monitor.desktop.settings import Settings
from monitor.domain.alerts import AlertRule
from monitor.state.alerts import AlertPhase, AlertStatus
from monitor.state.board import Board
from monitor.widgets.alert_panel import AlertPanel
from monitor.widgets.commands import WindowCommands
from monitor.widgets.window_actions import WindowActions


class WindowAlerts(QObject):
    """Connects the alert list of ``window`` with the settings, where the rules are kept. Thread: GUI.

    ``settings`` gives the settings in force, ``accept`` takes changed ones.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        panel: AlertPanel,
        actions: WindowActions,
        board: Board,
        commands: WindowCommands,
        settings: Callable[[], Settings],
        accept: Callable[[Settings], None],
        venue_title: Callable[[str], str],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._panel = panel
        self._board = board
        self._settings = settings
        self._accept = accept
        self._venue_title = venue_title
        self._commands = commands
        panel.source = self.rows
        panel.add_requested.connect(self.add)
        panel.edit_requested.connect(self.edit)
        panel.mute_requested.connect(self.mute)
        panel.delete_requested.connect(self.delete)
        panel.mute_all_requested.connect(self.mute_all)
        actions.named["alert"].triggered.connect(self.add)
        self.show_settings(settings())

    def show_settings(self, settings: Settings) -> None:
        """Show what of the settings concerns alerts."""
        self._panel.set_all_muted(settings.are_alerts_muted)
        self._panel.refresh()

    def rows(self) -> tuple[AlertStatus, ...]:
        """How every alert of the settings stands; one that was made just now is not known yet."""
        known = {status.rule.identity: status for status in self._commands.alert_statuses()}
        return tuple(
            structs.replace(known[rule.identity], rule=rule)
            if rule.identity in known
            else AlertStatus(rule=rule, phase=AlertPhase.UNKNOWN, value=None, told_at=None, times_told=0)
            for rule in self._settings().alerts
        )

    def add(self) -> None:
        """Let the user make an alert, of the instrument in focus at first."""
        rule = self._ask(None)
        if rule is not None:
            kept = [one for one in self._settings().alerts if one.identity != rule.identity]
            self._change((*kept, rule))

    def edit(self, rule: AlertRule) -> None:
        """Let the user change an alert; it keeps its place."""
        changed = self._ask(rule)
        if changed is not None:
            self._change(tuple(changed if one.identity == rule.identity else one for one in self._settings().alerts))

    def mute(self, rule: AlertRule, is_muted: bool) -> None:
        """Watch an alert without telling of it, or tell again."""
        self._change(
            tuple(
                one._replace(is_muted=is_muted) if one.identity == rule.identity else one
                for one in self._settings().alerts
            )
        )

    def delete(self, rule: AlertRule) -> None:
        """Forget an alert."""
        self._change(tuple(one for one in self._settings().alerts if one.identity != rule.identity))

    def mute_all(self, is_muted: bool) -> None:
        """Let no alert sound or notify, or let them again."""
        if is_muted != self._settings().are_alerts_muted:
            self._accept(replace(self._settings(), are_alerts_muted=is_muted))

    def _change(self, alerts: tuple[AlertRule, ...]) -> None:
        self._accept(replace(self._settings(), alerts=tuple({one.identity: one for one in alerts}.values())))
        self._panel.refresh()

    def _ask(self, rule: AlertRule | None) -> AlertRule | None:
        from monitor.widgets.alert_dialog import AlertDialog  # noqa: PLC0415 - not part of the start

        settings = self._settings()
        keys = [*((settings.focus,) if settings.focus is not None else ()), *self._board.tracked]
        known = self._board.instruments
        subjects = [
            (*key, f"{known[key].name if key in known else key[1]} · {self._venue_title(key[0])}")
            for key in dict.fromkeys(keys)
        ]
        dialog = AlertDialog(
            rule,
            subjects=subjects,
            venues=[(name, self._venue_title(name)) for name in self._board.venue_names],
            figure_now=self._commands.alert_value,
            parent=self._window,
        )
        is_accepted = dialog.exec() == QDialog.DialogCode.Accepted
        dialog.deleteLater()
        return dialog.result_rule if is_accepted else None
