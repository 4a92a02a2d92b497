"""Alerts behind the window: looked at once a second, told in the events, by sound and by the desktop."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from monitor.controller import Controller
from monitor.domain.alerts import AlertRule
from monitor.exchanges.registry import VENUES
from monitor.state.alert_values import AlertValue, value_of
from monitor.state.alerts import AlertNews, Alerts, AlertStatus
from monitor.state.event_log import Level

log = logging.getLogger(__name__)


class DeskAlerts:
    """Watches the rules of the settings. ``ring`` makes one alert heard outside the window. Thread: GUI."""

    def __init__(self, controller: Controller, *, ring: Callable[[AlertNews], None]) -> None:
        self._controller = controller
        self._ring = ring
        self._alerts = Alerts()

    @property
    def statuses(self) -> tuple[AlertStatus, ...]:
        """How every alert stands; of rules that were changed just now too."""
        self._alerts.set_rules(self._controller.settings.alerts)
        return self._alerts.statuses

    def value(self, rule: AlertRule) -> AlertValue | None:
        """What ``rule`` would watch, as it stands; ``None`` when it is not known."""
        return value_of(rule, self._controller.board, time.perf_counter())

    def look_around(self) -> None:
        """Tell what is new; call it once a second."""
        controller, board = self._controller, self._controller.board
        settings = controller.settings
        self._alerts.set_rules(settings.alerts)
        silenced = board.venue_names if controller.is_paused else settings.disabled_venues
        now_s = time.perf_counter()
        for news in self._alerts.look(board, now_s, silenced=silenced, name_of=self._name_of):
            level: Level = "info" if news.is_over else "warning"
            board.events.add(news.text, at=datetime.now(UTC), mono_s=now_s, level=level, venue=news.rule.venue)
            log.info("%s", news.text)
            if not settings.are_alerts_muted:
                self._ring(news)

    def _name_of(self, rule: AlertRule) -> str:
        if not rule.symbol:
            return VENUES[rule.venue].title if rule.venue in VENUES else rule.venue
        instrument = self._controller.board.instruments.get(rule.key)
        return rule.symbol if instrument is None else instrument.name
