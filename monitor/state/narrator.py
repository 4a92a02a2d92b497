"""Turns what happened into events for people: told once when it begins and once when it ends."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from monitor.domain.errors import NO_FAILURES, ErrorKind, PauseCause
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.plain_names import plain_name
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.event_log import EventLog, Level
from monitor.state.venue_state import VenueState
from monitor.state.verdict import Verdict

NAMES_TOLD: Final = 3
"""Instruments named in one event; the rest is a number."""


class Narrator:
    """Writes the board's own events. Each text stands without its venue's name: the entry carries that."""

    def __init__(self, events: EventLog, *, clock: Callable[[], float], utc_now: Callable[[], datetime]) -> None:
        self._events = events
        self._clock = clock
        self._utc_now = utc_now
        self._trust: dict[str, Verdict] = {}
        self._paused: dict[str, PauseCause] = {}
        self._evicted: dict[tuple[str, str], int] = {}

    def watch(self, venue: VenueState, now_mono_s: float) -> None:
        """Tell when the venue went late or frozen, came back, or when its pause ended."""
        verdict = venue.verdict(now_mono_s)
        before = self._trust.get(venue.name, Verdict.UNKNOWN)
        # Quiet and live are both well: a market that stands still for a while is no news.
        state = Verdict.LIVE if verdict is Verdict.QUIET else verdict
        if state is not before:
            self._trust[venue.name] = state
            self._told_verdict(venue, state, before, now_mono_s)
        is_paused = venue.paused_for_s(now_mono_s) is not None
        if not is_paused and venue.name in self._paused:
            cause = self._paused.pop(venue.name)
            after = "the refusal" if cause is PauseCause.RATE_LIMIT else "HTTP 503"
            self._say(f"the pause after {after} is over, asking again", venue=venue.name, key=f"pause-end:{cause}")

    def before_result(self, venue: VenueState, result: PollSuccess | PollFailure) -> None:
        """Compare a result with what is known, before it is merged: pauses, evictions, missed polls."""
        paused_for_s = result.budget.paused_for_s
        if paused_for_s is not None and paused_for_s > 0 and venue.name not in self._paused:
            cause = self._paused[venue.name] = result.budget.pause_cause or PauseCause.RATE_LIMIT
            if cause is PauseCause.UNAVAILABLE:
                # An event stays: a countdown in it would stand still.
                text = f"{cause.words}: paused for {paused_for_s:.0f} s"
            else:
                text = f"too many requests: paused for {paused_for_s:.0f} s"
                if result.budget.is_shared_suspected:
                    text += "; our own use was under the cap, so someone else on this IP is using the budget"
            self._say(text, venue=venue.name, level="warning", key=f"pause:{cause}")
        for pool in result.pools:
            known = self._evicted.get((pool.host, pool.scheme), 0)
            if pool.evicted_pools > known:
                text = (
                    f"the pool of {pool.host} was thrown out to make room for another host, and its open connections "
                    "with it: raise Pools (pool_connections) under Settings, Connections"
                )
                self._say(text, venue=venue.name, level="error", key="evicted")
            self._evicted[(pool.host, pool.scheme)] = pool.evicted_pools
        # An account's polls give way to those of the market: that is meant, and its figures tell how old they are.
        if result.missed > 0 and result.account is None:
            self._missed(venue, result)

    def _missed(self, venue: VenueState, result: PollSuccess | PollFailure) -> None:
        failure = venue.newest_failure(result.endpoint)
        level: Level = "warning"
        if isinstance(result, PollFailure) and result.failure.kind is ErrorKind.BUDGET:
            why, level = _held_by(result.failure.pause), "info"
        elif failure is None:
            why = "while an earlier one was still waiting"
        elif failure.failure.kind is ErrorKind.BUDGET:
            why, level = _held_by(failure.failure.pause), "info"
        else:
            # The failure is the news, and told.
            why, level = "while an earlier one had failed and was to be tried again", "info"
        polls = "1 poll was" if result.missed == 1 else f"{result.missed} polls were"
        text = f"{plain_name(result.endpoint)}: {polls} due {why} ({result.endpoint})"
        self._say(text, venue=venue.name, level=level, key=f"missed:{result.endpoint}")

    def traced(self, trace: RequestTrace) -> None:
        """Tell of a connection that was dropped while another attempt brought the answer."""
        if trace.is_healed:
            what = "a new connection before it answered" if trace.is_cold else "the idle connection"
            text = f"{trace.endpoint}: the server had closed {what}; healed by asking again"
            self._say(text, venue=trace.venue, key=f"healed:{trace.endpoint}")

    def failed(self, result: PollFailure) -> None:
        """Tell of the first failure of a streak; the rest of it shows in the streak."""
        if result.streak > 1 or result.failure.kind in NO_FAILURES:
            return
        if result.account is not None:
            # An account has several endpoints, and what is wrong with one of them mostly is with all.
            text = f"account {result.account.name}: {result.failure.user_text}"
            self._say(text, venue=result.venue, level="error", key=f"account:{result.account.name}")
            return
        text = f"{result.endpoint} failed: {result.failure.user_text}"
        self._say(text, venue=result.venue, level="error", key=f"failed:{result.endpoint}:{result.failure.kind}")

    def recovered(self, result: PollSuccess, streak: int) -> None:
        """Tell that a streak ended; ``streak`` of 0 means there was none."""
        if streak:
            times = "failure" if streak == 1 else "failures"
            whose = "" if result.account is None else f"account {result.account.name}: "
            text = f"{whose}{result.endpoint} answers again after {streak} {times}"
            self._say(text, venue=result.venue, key=f"recovered:{whose}{result.endpoint}")

    def listing(self, venue: str, vanished: Sequence[str], returned: Sequence[str]) -> None:
        """Tell of instruments that left the venue's replies or came back."""
        if vanished:
            self._say(f"no longer listed: {_some(vanished)}", venue=venue, level="warning")
        if returned:
            self._say(f"listed again: {_some(returned)}", venue=venue)

    def dropped(self, count: int) -> None:
        """Tell of results that were lost between the threads."""
        results = "result was" if count == 1 else "results were"
        self._say(f"{count} {results} dropped: this computer could not keep up", level="error", key="dropped")

    def marked_stale(self, slept_s: float) -> None:
        """Tell why every price went late at once."""
        why = f"woke up after {slept_s:.0f} s" if slept_s > 0 else "the network changed"
        self._say(f"{why}: every price is old until it is received anew", level="warning", key="stale")

    def _told_verdict(self, venue: VenueState, state: Verdict, before: Verdict, now_mono_s: float) -> None:
        age = venue.age(now_mono_s)
        if state is Verdict.LATE:
            old = "" if age is None else f": nothing received for {age.low_s:.1f} s"
            self._say(f"prices are late{old}", venue=venue.name, level="warning", key="late")
        elif state is Verdict.FROZEN:
            text = "prices are frozen: replies arrive, but nothing in them changes"
            self._say(text, venue=venue.name, level="warning", key="frozen")
        elif state is Verdict.LIVE:
            text = "prices arrive" if before is Verdict.UNKNOWN else "prices are live again"
            self._say(text, venue=venue.name)

    def _say(self, text: str, *, venue: str | None = None, level: Level = "info", key: str = "") -> None:
        self._events.add(text, at=self._utc_now(), mono_s=self._clock(), level=level, venue=venue, key=key)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMES_TOLD])
    return shown if len(names) <= NAMES_TOLD else f"{shown} and {len(names) - NAMES_TOLD} more"


def _held_by(pause: PauseCause | None) -> str:
    if pause is None:
        return "while our share of the request limit was used up"
    if pause is PauseCause.RATE_LIMIT:
        return "in the pause after a refusal"
    return f"while the venue was {pause.words}"
