"""Our share of a venue's rate limit: weights in a sliding window under a hard cap, and pauses when it refuses.

Limits are per IP address and shared with whatever else runs there, so we allow ourselves only a part of them.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from types import MappingProxyType

import msgspec

from monitor.domain.errors import BudgetExhausted, PauseCause
from monitor.domain.telemetry import BudgetState

_REPORT_WINDOW_S = 60.0
_MIN_PAUSE_S = 1.0
_MAX_PAUSE_S = 300.0
"""Longest back-off of our own making; a hint of the venue may be longer."""
_MAX_HINT_S = 3600.0
_SUSPICION_S = 600.0
"""How long "someone else uses the budget" is said after the last refusal that we did not cause."""

Clock = Callable[[], float]


class BudgetRule(msgspec.Struct, frozen=True, kw_only=True):
    """A documented limit: ``limit`` weights in any ``window_s`` seconds, of which we use at most ``cap_fraction``.

    ``min_spacing_s``: shortest time between the starts of two requests.
    """

    venue: str
    limit: int
    window_s: float
    cap_fraction: float = 0.30
    min_spacing_s: float = 0.0

    def __post_init__(self) -> None:
        if self.limit < 1 or self.window_s <= 0.0 or not 0.0 < self.cap_fraction <= 1.0 or self.min_spacing_s < 0.0:
            raise ValueError("a budget needs a limit, a window, and a cap between 0 and 1")

    @property
    def cap(self) -> int:
        """Weights we allow ourselves in a window; at least 1, or nothing could ever be asked."""
        return max(1, int(self.limit * self.cap_fraction))


class WeightBudget:
    """Counts what we spend at one venue and refuses what does not fit.

    ``clock`` is monotonic, in seconds. Thread: any; nothing blocks.
    """

    def __init__(self, rule: BudgetRule, clock: Clock) -> None:
        self.rule = rule
        self._clock = clock
        self._lock = threading.Lock()
        self._spent: deque[tuple[float, str, int]] = deque()  # of the last 60 s or one window, whichever is longer
        self._window: deque[tuple[float, int]] = deque()
        self._used = 0
        self._total = 0
        self._used_60s: Counter[str] = Counter()
        self._last_start_s: float | None = None
        self._paused_until_s: float | None = None
        self._pause_cause = PauseCause.RATE_LIMIT
        self._refusals = 0
        self._streak = 0
        self._suspected_until_s: float | None = None

    def reserve(self, endpoint: str, weight: int) -> float:
        """Spend ``weight`` for a request about to be sent, or raise ``BudgetExhausted`` without spending.

        Returns the clock's reading, to be handed to :meth:`answered`. A weight above the whole cap never fits.
        """
        with self._lock:
            now = self._clock()
            self._forget(now)
            wait_s = self._wait_s(weight, now)
            if wait_s <= 0.0:
                self._last_start_s = now
                self._spend(endpoint, weight, now)
                return now
            pause = self._pause(now)
        venue = self.rule.venue.capitalize()
        if pause is not None:
            reason = pause.sentence(venue)
            text = f"{reason}; next try in {wait_s:.0f} s."
        else:
            reason = f"Our own share of the {venue} rate limit is used up"
            text = f"{reason}; room again in {wait_s:.1f} s."
        detail = f"endpoint {endpoint}, weight {weight}"
        raise BudgetExhausted(text, available_in_s=wait_s, detail=detail, pause=pause, reason=reason)

    def charge(self, endpoint: str, weight: int) -> None:
        """Add ``weight`` that a reply revealed. It is a fact, so it counts even beyond the cap."""
        if weight > 0:
            with self._lock:
                now = self._clock()
                self._forget(now)
                self._spend(endpoint, weight, now)

    def refused(self, retry_after_s: float | None, *, is_rate_limit: bool = True) -> None:
        """The venue said no: pause for its hint, or for a time that doubles with every refusal in a row.

        ``is_rate_limit`` False (an unavailable venue) pauses too, but says nothing about who uses the budget.
        """
        with self._lock:
            now = self._clock()
            self._forget(now)
            if is_rate_limit:
                self._refusals += 1
            # Replies to requests that were already under way belong to the refusal that caused the pause.
            if self._paused_until_s is None or now >= self._paused_until_s:
                self._streak += 1
            if retry_after_s is not None:
                pause_s = min(max(retry_after_s, _MIN_PAUSE_S), _MAX_HINT_S)
            else:
                first_s = min(max(self.rule.window_s, 2.0), 10.0)
                pause_s = min(first_s * 2.0 ** min(self._streak - 1, 16), _MAX_PAUSE_S)
            until_s = now + pause_s
            # Of two causes the one that holds longer is told: it is why the next try is when it is.
            if self._paused_until_s is None or until_s >= self._paused_until_s:
                self._paused_until_s = until_s
                self._pause_cause = PauseCause.RATE_LIMIT if is_rate_limit else PauseCause.UNAVAILABLE
            if is_rate_limit and self._used <= self.rule.cap:
                self._suspected_until_s = now + _SUSPICION_S

    def answered(self, reserved_s: float) -> None:
        """A reply that was no refusal came for the request reserved at ``reserved_s``: back-off starts over."""
        if self._streak == 0:
            return
        with self._lock:
            if self._paused_until_s is None or reserved_s >= self._paused_until_s:
                self._streak = 0
                self._paused_until_s = None

    def available_in_s(self, weight: int) -> float:
        """Seconds until ``weight`` fits; 0 when it does now. A weight above the cap is told to wait a window."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            return max(0.0, self._wait_s(weight, now))

    def state(self) -> BudgetState:
        """Where we stand now."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            pause = self._pause(now)
            paused_for_s = None if pause is None else (self._paused_until_s or now) - now
            return BudgetState(
                venue=self.rule.venue,
                window_s=self.rule.window_s,
                limit=self.rule.limit,
                cap=self.rule.cap,
                used=self._used,
                used_60s=self._used_60s.total(),
                total_weight=self._total,
                by_endpoint_60s=MappingProxyType(dict(self._used_60s)),
                paused_for_s=paused_for_s,
                pause_cause=pause,
                refusals=self._refusals,
                is_shared_suspected=self._suspected_until_s is not None and now < self._suspected_until_s,
            )

    def _pause(self, now: float) -> PauseCause | None:
        is_paused = self._paused_until_s is not None and now < self._paused_until_s
        return self._pause_cause if is_paused else None

    def _wait_s(self, weight: int, now: float) -> float:
        wait_s = 0.0
        if self._paused_until_s is not None:
            wait_s = self._paused_until_s - now
        if self._last_start_s is not None:
            wait_s = max(wait_s, self._last_start_s + self.rule.min_spacing_s - now)
        excess = self._used + weight - self.rule.cap
        if weight > self.rule.cap:
            return max(wait_s, self.rule.window_s)
        if excess > 0:
            for spent_s, spent in self._window:
                excess -= spent
                if excess <= 0:
                    # Never 0 while the weight is still in the window, whatever the rounding.
                    return max(wait_s, spent_s + self.rule.window_s - now, 1e-6)
        return wait_s

    def _spend(self, endpoint: str, weight: int, now: float) -> None:
        if weight > 0:
            self._spent.append((now, endpoint, weight))
            self._window.append((now, weight))
            self._used += weight
            self._total += weight
            self._used_60s[endpoint] += weight

    def _forget(self, now: float) -> None:
        # "In any window_s seconds" includes both ends for a strict venue, so a weight leaves only after the window.
        while self._window and now - self._window[0][0] >= self.rule.window_s:
            self._used -= self._window.popleft()[1]
        while self._spent and now - self._spent[0][0] >= _REPORT_WINDOW_S:
            _, endpoint, weight = self._spent.popleft()
            self._used_60s[endpoint] -= weight
            if self._used_60s[endpoint] == 0:
                del self._used_60s[endpoint]
