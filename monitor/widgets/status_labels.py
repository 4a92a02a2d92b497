"""The right end of the status bar: the app's own lag and the venues' clocks, of now or of a chosen period."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QSizePolicy

from monitor.qtmodels.figures import DASH, bounded_text, duration_text
from monitor.qtmodels.lag import LagFigures, LagWindow
from monitor.qtmodels.lag_history import LagHistory
from monitor.qtmodels.lag_probe import LagProbe
from monitor.state.period import Period
from monitor.state.venue_state import VenueState
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme

LAG_CAPTION = "app lag"
CLOCK_CAPTION = "clock"
LAG_BAD_S = 0.05
"""A stall or a delay of ours longer than this is shown as a warning: it is the bar the app is built to."""

CLIENT_WHAT = (
    "Client delay, how late a thread of this app wakes and so how much of a measured latency may be ours "
    "(interpreter lock, busy machine)"
)
PERIOD_LAG_WHAT = (
    "The app's own delay in the chosen period, not the network's: the worst of it. Kept for a day in slots of ten "
    "seconds, so up to ten seconds around the period are part of it; percentiles are within 9 %."
)
NO_LAG_WHAT = (
    "The app's own delay, not the network's: none was measured in the chosen period. It is measured while the window "
    "is shown, and kept for a day and within one run."
)
RECORDED_LAG_WHAT = "The app's own delay, not the network's: it is not recorded, so nothing is known of a past period."
CLOCK_WHAT = "Venue clock minus this machine's clock, from the Date of replies."
CLOCK_PERIOD_WHAT = (
    "Of the chosen period: of all estimates that held in it the one with the narrowest bound; the truth was within ±."
)
CLOCK_NOTE = "Ages are measured with a clock that nobody can set, so an offset does not change them."


class _StatusLabel(ElidedLabel):
    """Room for its whole text: it is cut last."""

    def __init__(self, caption: str) -> None:
        super().__init__(f"{caption} {DASH}")
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setContentsMargins(10, 0, 6, 0)


class LagLabel(_StatusLabel):
    """The app's own delay: from the last byte to the screen, of a thread that is to wake, of a window that stalls."""

    def __init__(self, *, clock: Callable[[], float], theme: Theme) -> None:
        super().__init__(LAG_CAPTION)
        self._clock = clock
        self._theme = theme
        self.probe = LagProbe()
        self.stalls, self.shown, self.client = LagHistory(), LagHistory(), LagHistory()
        self._windows = (LagWindow(1), LagWindow(1))
        self._period: Period | None = None
        self._is_recorded = False

    def set_theme(self, theme: Theme) -> None:
        """Warn in the colour of ``theme``."""
        self._theme = theme

    def set_recorded(self) -> None:
        """What is shown is a recording: this app's own delay is not of its time."""
        self._is_recorded = True

    def set_period(self, period: Period | None) -> None:
        """Let the figures be of ``period``; ``None``: of now."""
        self._period = period
        self._show()

    def refresh(self, stalls: LagWindow, reply_to_paint: LagWindow) -> None:
        """Take over the newest delays and show them; once a second."""
        self._windows = (stalls, reply_to_paint)
        if not self._is_recorded:
            now = self._clock()
            self.stalls.take(stalls, now)
            self.shown.take(reply_to_paint, now)
            self.client.take(self.probe.read(), now)
        self._show()

    def _show(self) -> None:
        period = self._period
        if period is None:
            self._show_now()
        elif self._is_recorded:
            self.set_text(f"{LAG_CAPTION} {DASH}")
            self.set_definition(RECORDED_LAG_WHAT)
        else:
            self._show_period(self.stalls.between(period), self.shown.between(period), self.client.between(period))

    def _show_now(self) -> None:
        stalls, reply_to_paint = self._windows
        stall, shown, client = stalls.figures(), reply_to_paint.figures(), self.probe.read().figures()
        self.set_text(
            f"{LAG_CAPTION} {duration_text(shown.p50_s)} · client +{duration_text(client.p50_s)}", self._warning(stall)
        )
        self.set_definition(
            "The app's own delay, not the network's.\n"
            f"{CLIENT_WHAT}: {_figures(client)}, last minute)\n"
            f"Last byte of a reply until it is painted: {_figures(shown)})\n"
            f"Window standing still: p99 {duration_text(stall.p99_s)}, worst {duration_text(stall.worst_s)} "
            f"(last {stall.n} ticks), worst ever {duration_text(stalls.worst_ever_s)}"
        )

    def _show_period(self, stall: LagFigures, shown: LagFigures, client: LagFigures) -> None:
        if not stall.n + shown.n + client.n:
            self.set_text(f"{LAG_CAPTION} {DASH}")
            self.set_definition(NO_LAG_WHAT)
            return
        self.set_text(
            f"{LAG_CAPTION} worst {duration_text(shown.worst_s)} · client +{duration_text(client.worst_s)}",
            self._warning(stall),
        )
        self.set_definition(
            f"{PERIOD_LAG_WHAT}\n"
            f"{CLIENT_WHAT}: {_figures(client)})\n"
            f"Last byte of a reply until it is painted: {_figures(shown)})\n"
            f"Window standing still: p99 {duration_text(stall.p99_s)}, worst {duration_text(stall.worst_s)} "
            f"({stall.n:,} ticks)"
        )

    def _warning(self, stall: LagFigures) -> str | None:
        return self._theme.warn if (stall.worst_s or 0.0) > LAG_BAD_S else None


class ClockLabel(_StatusLabel):
    """How far the venues' clocks are from ours, with the bound of the error: the one that is furthest."""

    def __init__(self, venues: Sequence[VenueState], *, venue_title: Callable[[str], str]) -> None:
        super().__init__(CLOCK_CAPTION)
        self._venues = tuple(venues)
        self._venue_title = venue_title
        self._period: Period | None = None

    def set_period(self, period: Period | None) -> None:
        """Let the offsets be of ``period``; ``None``: of now."""
        self._period = period
        self.refresh()

    def refresh(self) -> None:
        """Show the estimates as they stand."""
        period = self._period
        lines = [CLOCK_WHAT] if period is None else [CLOCK_WHAT, CLOCK_PERIOD_WHAT]
        worst: float | None = None
        worst_error: float | None = None
        for venue in self._venues:
            title = self._venue_title(venue.name)
            offset, error, note = venue.clock_offset_s, venue.clock_offset_error_s, ""
            if period is not None:
                estimate = venue.clock_history.between(period)
                offset, error = (None, None) if estimate is None else (estimate.offset_s, estimate.error_s)
                if estimate is None:
                    note = ", no reply of this run told the time then"
                elif estimate.is_changed:
                    note = ", the last: a clock was set within the period"
            lines.append(f"{title}: {bounded_text(offset, error)}{note}")
            if offset is not None and (worst is None or abs(offset) > abs(worst)):
                worst, worst_error = offset, error
        lines.append(CLOCK_NOTE)
        self.set_text(f"{CLOCK_CAPTION} {bounded_text(worst, worst_error)}")
        self.set_definition("\n".join(lines))


def _figures(one: LagFigures) -> str:
    return (
        f"p50 {duration_text(one.p50_s)}, p99 {duration_text(one.p99_s)}, worst {duration_text(one.worst_s)} "
        f"(n = {one.n:,}"
    )
