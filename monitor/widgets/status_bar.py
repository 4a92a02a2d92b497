"""The status bar: one line that says whether the figures above it can be believed, and whose delay is whose."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QHideEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStatusBar, QWidget

from monitor.domain.errors import PauseCause
from monitor.qtmodels.figures import (
    DASH,
    age_range_text,
    age_text,
    count_text,
    duration_text,
    percent,
    plain_tooltip,
    safe_text,
)
from monitor.qtmodels.lag import LagWindow
from monitor.state.latency import LatencySummary
from monitor.state.period import Period
from monitor.state.sources import source_of_feed, source_text
from monitor.state.venue_period import VenuePeriod, venue_period
from monitor.state.venue_state import VenueState
from monitor.state.verdict import Verdict
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.marks import VERDICT_DEFINITIONS, verdict_color, verdict_glyph
from monitor.widgets.savings_view import cache_texts
from monitor.widgets.status_labels import ClockLabel, LagLabel
from monitor.widgets.theme import Theme

LATENCY_SPAN_S = 300.0
"""The percentiles in the status bar are of the last five minutes."""

STATE_OF_NOW = "State and age are of now, also while a period is chosen: old data must never look live."
SHARED_WHAT = (
    "someone else on this IP address is using the budget: the venue refused although this app was within its own cap"
)


class VenueLight(QWidget):
    """One venue: its state from the data received, warm latency, age, reuse, budget.

    Signals:
        clicked(str): name of the venue.
    """

    clicked = Signal(str)

    def __init__(self, venue: VenueState, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._venue = venue
        self._title = title
        self._theme = theme
        self._verdict = Verdict.UNKNOWN
        self._is_enabled = True
        self._is_paused = False
        self._period: Period | None = None
        self._figures = [DASH]
        """What is said beside state and age, latency first, and changes once a second."""
        self._label = ElidedLabel(title)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(22, 0, 10, 0)
        layout.addWidget(self._label)

    @property
    def text(self) -> str:
        """What the light says, in words."""
        return self._label.text

    @property
    def verdict(self) -> Verdict:
        """The state shown."""
        return self._verdict

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_modes(self, *, is_enabled: bool, is_paused: bool) -> None:
        """Say that the user switched the venue off, or paused everything: still no green light for old data."""
        self._is_enabled, self._is_paused = is_enabled, is_paused
        self.update()

    def set_period(self, period: Period | None) -> None:
        """Let latency, reuse and budget be of ``period``; ``None``: of now."""
        self._period = period

    def refresh(self, now_mono_s: float) -> None:
        """Show everything as of ``now_mono_s``."""
        venue = self._venue
        chosen = None if self._period is None else venue_period(venue, self._period)
        warm = chosen.warm if chosen else venue.latency.summary(now_mono_s - LATENCY_SPAN_S, now_mono_s, False)
        reuse = chosen.pools.reuse_ratio if chosen else venue.reuse_ratio
        budget = venue.budget
        used = chosen.budget_fraction if chosen else None if budget is None else budget.used_fraction
        self._figures = [f"{duration_text(warm.p50_s)} warm", f"reuse {percent(reuse)}", f"budget {percent(used)}"]
        if chosen:
            self._figures.append(f"{count_text(chosen.calls)} calls")
        self.show_age(now_mono_s)
        story = self._describe(now_mono_s, warm, chosen)
        self.setToolTip(plain_tooltip(story))
        # The label lies over most of the light; its own text for a tooltip would hide the story.
        self._label.set_definition(story)

    def show_age(self, now_mono_s: float) -> None:
        """Show state, age and countdown at ``now_mono_s``; the other figures stay."""
        venue = self._venue
        verdict = venue.verdict(now_mono_s)
        age = venue.age(now_mono_s)
        word = verdict.word
        if not self._is_enabled:
            word = "off"
        elif self._is_paused:
            word = "paused"
        elif verdict is Verdict.UNKNOWN and venue.last_failure is None:
            word = "waiting"
        countdown_s = venue.paused_for_s(now_mono_s)
        budget = venue.budget
        age_words = f"age {DASH if age is None else age_text(age.high_s)}"
        of_now = []
        if countdown_s is not None:
            cause = (budget.pause_cause if budget else None) or PauseCause.RATE_LIMIT
            of_now.append(cause.countdown(age_text(countdown_s)))
        if budget is not None and budget.is_shared_suspected:
            of_now.append("someone else on this IP")
        if self._period is not None:
            # Of now whatever is chosen; side by side they need the word once.
            parts = [", ".join([f"{self._title} {word}", age_words, *of_now]) + " now"]
        else:
            parts = [f"{self._title} {word}", *of_now]
        warm, *others = self._figures
        parts.append(warm)
        if self._period is None:
            parts.append(age_words)
        parts += others
        self._label.set_text(" · ".join(parts), None if verdict.is_trustworthy else self._theme.text_muted)
        self.setAccessibleName(self._label.text)
        if verdict is not self._verdict:
            self._verdict = verdict
            self.update()

    def _describe(self, now_mono_s: float, warm: LatencySummary, chosen: VenuePeriod | None) -> str:
        venue = self._venue
        period = self._period or Period(now_mono_s - LATENCY_SPAN_S, now_mono_s)
        span = "last 5 min" if self._period is None else "chosen period"
        cold = venue.latency.summary(period.start_mono_s, period.end_mono_s, True)
        age = venue.age(now_mono_s)
        lines = [
            f"{self._title}: {self._verdict.word}. {VERDICT_DEFINITIONS[self._verdict]}",
            *([] if chosen is None else [STATE_OF_NOW]),
            (
                f"age of the newest reply, now: {age_range_text(*age) if age else DASH}, "
                f"{safe_text(source_text(source_of_feed(venue.fast_feed, now_mono_s)), 160)}"
            ),
            (
                f"warm latency, {span}: p50 {duration_text(warm.p50_s)}, p95 {duration_text(warm.p95_s)}, "
                f"p99 {duration_text(warm.p99_s)} (n = {warm.n})"
            ),
            f"cold latency, {span}: p50 {duration_text(cold.p50_s)} (n = {cold.n})",
            (
                f"polls since start: {count_text(venue.made)} made of {count_text(venue.planned)} planned, "
                f"{count_text(venue.missed)} missed, {count_text(sum(venue.failed_by_kind.values()))} failed, "
                f"{count_text(venue.healed)} healed"
            ),
        ]
        if chosen is not None:
            lines.append(
                f"chosen period: {count_text(chosen.calls)} calls, reuse {percent(chosen.pools.reuse_ratio, 1)}, "
                f"budget {percent(chosen.budget_fraction, 1)} of what the documented limit allows in that time, "
                "with surcharges that replies revealed, sampled every two seconds"
            )
            by_weight = sorted(chosen.tally.by_endpoint.items(), key=lambda item: -item[1].weight)
            lines.extend(
                f"    {safe_text(name, 60)}: {count_text(one.calls)} calls, weight {one.weight:,} without surcharges"
                for name, one in by_weight
            )
        if venue.cache is not None:
            lines.append(f"reads since start: {' · '.join(cache_texts(venue.cache))}")
        budget = venue.budget
        if budget is not None:
            lines.append(
                f"budget: {percent(budget.used_fraction, 1)} of the documented limit used in the last 60 s; "
                f"our own cap is {percent(budget.cap / budget.limit)}"
            )
            cap_60s = budget.cap * 60.0 / budget.window_s
            lines.append(f"headroom: {max(cap_60s - budget.used_60s, 0.0):,.0f} of {cap_60s:,.0f} weight a minute")
            by_endpoint = sorted(budget.by_endpoint_60s.items(), key=lambda item: -item[1])
            lines.extend(f"    {safe_text(name, 60)}: {weight:,} in the last 60 s" for name, weight in by_endpoint)
            if budget.is_shared_suspected:
                lines.append(SHARED_WHAT)
        why = venue.failing_because
        if why is not None:
            lines.append(f"failing: {', '.join(venue.failing_endpoints)}")
            lines.append(safe_text(why))
        if venue.waiting_endpoints:
            countdown_s = venue.paused_for_s(now_mono_s)
            what = "waiting for our own share of the rate limit"
            if countdown_s is not None and budget is not None:
                cause = budget.pause_cause or PauseCause.RATE_LIMIT
                what = f"{cause.countdown(age_text(countdown_s))}; nothing is sent until then"
            lines.append(f"{what}: {', '.join(venue.waiting_endpoints)}")
        if venue.special_status:
            lines.append(f"the venue says: {safe_text(venue.special_status)}")
        return "\n".join(lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: a click chooses the venue."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self._venue.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the light, different in shape for each state."""
        painter = QPainter(self)
        is_off = not self._is_enabled or self._is_paused
        glyph = "○" if is_off else verdict_glyph(self._verdict)
        color = self._theme.text_muted if is_off else verdict_color(self._verdict, self._theme)
        painter.setPen(QColor(color))
        metrics = QFontMetrics(self.font())
        y = (self.height() + metrics.ascent() - metrics.descent()) // 2
        painter.drawText(6, y, glyph)


class StatusBar(QStatusBar):
    """A light per venue, the app's own lag, and the clocks.

    Signals:
        venue_clicked(str): name of the venue whose light was clicked.
    """

    venue_clicked = Signal(str)

    def __init__(
        self,
        venues: Sequence[VenueState],
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._venues = tuple(venues)
        self._clock = clock
        self._theme = theme
        self.setSizeGripEnabled(False)
        self.setAccessibleName("Status")
        self.lights = {venue.name: VenueLight(venue, venue_title(venue.name), theme) for venue in venues}
        for light in self.lights.values():
            self.addWidget(light)
            light.clicked.connect(self.venue_clicked)
        self.period_label = ElidedLabel("", least="Period")
        self.period_label.hide()
        self.insertWidget(0, self.period_label)
        self.lag_label = LagLabel(clock=clock, theme=theme)
        self.clock_label = ClockLabel(self._venues, venue_title=venue_title)
        for label in (self.lag_label, self.clock_label):
            self.addPermanentWidget(label)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.lag_label.set_theme(theme)
        for light in self.lights.values():
            light.set_theme(theme)

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: measure the client's own delay from now on."""
        super().showEvent(event)
        self.lag_label.probe.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: nobody looks, so nothing is measured."""
        super().hideEvent(event)
        self.lag_label.probe.stop()

    def set_period(self, period: Period | None, text: str) -> None:
        """Let the figures be of ``period``, which is called ``text``; ``None``: of now."""
        self.period_label.set_text("Period", self._theme.warn)
        self.period_label.set_definition(
            f"{text}: latency, reuse, budget and calls beside it are of this period; what says “now” is not. "
            "Esc clears."
        )
        self.period_label.setVisible(period is not None)
        # At once, not with the next refresh: what is not of the period must not look as if.
        self.lag_label.set_period(period)
        self.clock_label.set_period(period)
        for light in self.lights.values():
            light.set_period(period)
            light.refresh(self._clock())

    def set_recorded(self) -> None:
        """What is shown is a recording, which holds no delays of the app."""
        self.lag_label.set_recorded()

    def show_ages(self, now_mono_s: float) -> None:
        """Let state, age and countdown of the venues run on to ``now_mono_s``."""
        for light in self.lights.values():
            light.show_age(now_mono_s)

    def refresh(self, stalls: LagWindow, reply_to_paint: LagWindow) -> None:
        """Show everything as of now."""
        now = self._clock()
        for light in self.lights.values():
            light.refresh(now)
        self.lag_label.refresh(stalls, reply_to_paint)
        self.clock_label.refresh()
