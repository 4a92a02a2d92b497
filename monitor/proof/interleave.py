"""Asking in several ways in turns: random order in each round, politely, until done or cancelled.

Warm-up rule: before the first pair each way asks once, on a connection that is thrown away, and the time is not
taken. The system's name cache, the code and the venue's own caches are then warm for both, so that neither first
request pays for what would only be the price of being first.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from monitor.domain.errors import BudgetExhausted, ErrorKind, MonitorError
from monitor.proof.statistics import Sample

MAX_FAILURES_IN_A_ROW = 5
"""After as many failures of one way, asking on would only trouble a venue that is in trouble."""
MAX_REFUSALS = 2
"""The venue said "too many requests" twice: it is not ours to insist."""
BUDGET_PATIENCE_S = 120.0
"""Longest wait for our own share of the rate limit before the run ends."""

TOLD_FROM_S = 1.0
"""A shorter wait for our own share is not worth a word: the pauses between requests are about as long."""

Wait = Callable[[threading.Event, float], object]
Waiting = Callable[[str], object]
"""Told what a request waits for, as a sentence, and the empty text when it goes on."""


def nobody_told(_why: str) -> None:
    """For whoever does not show what is waited for."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one successful request cost; fields as in :class:`~monitor.proof.statistics.Sample`."""

    duration_s: float
    is_cold: bool | None
    setup_s: float | None = None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How politely to ask: ``pause_s`` after each request, ``handshake_spacing_s`` between the starts of two requests
    that open a connection.
    """

    pause_s: float
    handshake_spacing_s: float


LIVE_PACE = Pace(pause_s=0.1, handshake_spacing_s=1.0)
LOCAL_PACE = Pace(pause_s=0.005, handshake_spacing_s=0.0)
"""For an exchange on this machine, which nobody shares."""

Ask = Callable[[], Reading]


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One way of asking. ``opens_each``: every request opens a connection, not only the first one.

    ``is_pooled`` and ``is_prewarmed`` are what its samples are marked with.
    """

    ask: Ask
    is_pooled: bool
    opens_each: bool
    is_prewarmed: bool = False


def wait_for_event(event: threading.Event, timeout_s: float) -> object:
    """Block until ``event`` is set or ``timeout_s`` passed."""
    return event.wait(timeout_s)


class Interleaving:
    """One run of rounds in which each contender asks once; with two of them a round is a pair.

    Thread: one; ``cancel`` may be set from any and ends it after the request in flight."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        *,
        requests: int,
        pace: Pace,
        seed: int,
        cancel: threading.Event,
        clock: Callable[[], float] = time.perf_counter,
        wait: Wait = wait_for_event,
        waiting: Waiting = nobody_told,
    ) -> None:
        """``requests``: of each contender. ``waiting`` is called in this run's thread."""
        self._contenders = tuple(contenders)
        self._requests = requests
        self._pace = pace
        self._rng = random.Random(seed)
        self._cancel = cancel
        self._clock = clock
        self._wait = wait
        self._waiting = waiting
        self._told = ""
        self._ended_s: float | None = None
        self._handshake_s: float | None = None
        self._failures = [0] * len(self._contenders)
        self._refusals = 0
        self.stopped_because = ""
        """A sentence when the run ended before its time by itself; empty otherwise."""
        self.last_error: MonitorError | None = None
        """Of the newest request that failed; ``None`` while none did."""

    def samples(self) -> Iterator[Sample]:
        """Ask, and yield each sample as it is taken. Blocks."""
        for pair in range(self._requests):
            order = list(range(len(self._contenders)))
            self._rng.shuffle(order)
            for place in order:
                sample = self._ask(pair, self._contenders[place])
                if sample is None:
                    return
                yield sample
                if self._is_hopeless(place, sample):
                    return

    def _ask(self, pair: int, contender: Contender) -> Sample | None:
        patience_s = BUDGET_PATIENCE_S
        # A pool's first request opens a connection as well; later ones do only by surprise.
        opens = contender.opens_each or pair == 0
        marks = Sample(pair=pair, is_pooled=contender.is_pooled, is_prewarmed=contender.is_prewarmed)
        while True:
            self._keep_pace(opens=opens)
            if self._cancel.is_set():
                return None
            started_s = self._clock()
            try:
                reading = contender.ask()
            except BudgetExhausted as error:
                if error.available_in_s <= patience_s:
                    # Nothing was sent: not a request, wait for our share like everybody else in this app.
                    patience_s -= error.available_in_s
                    if BUDGET_PATIENCE_S - patience_s >= TOLD_FROM_S:
                        self._tell(error.user_text)
                    self._wait(self._cancel, max(0.01, error.available_in_s))
                    continue
                self.last_error = error
                self.stopped_because = f"{error.user_text} The measurement stopped early."
                return None
            except MonitorError as error:
                self.last_error = error
                sample = replace(marks, error_kind=error.kind)
            else:
                opens = opens or reading.is_cold is True
                sample = replace(marks, duration_s=reading.duration_s, is_cold=reading.is_cold, setup_s=reading.setup_s)
            self._tell("")
            self._ended_s = self._clock()
            if opens:
                self._handshake_s = started_s
            return sample

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            self._waiting(why)

    def _keep_pace(self, *, opens: bool) -> None:
        due_s = self._clock()
        if self._ended_s is not None:
            due_s = max(due_s, self._ended_s + self._pace.pause_s)
        if opens and self._handshake_s is not None:
            due_s = max(due_s, self._handshake_s + self._pace.handshake_spacing_s)
        while not self._cancel.is_set() and (left_s := due_s - self._clock()) > 0.0:
            self._wait(self._cancel, left_s)

    def _is_hopeless(self, place: int, sample: Sample) -> bool:
        self._failures[place] = 0 if sample.error_kind is None else self._failures[place] + 1
        self._refusals += sample.error_kind is ErrorKind.RATE_LIMITED
        if self._refusals >= MAX_REFUSALS:
            self.stopped_because = "The venue refused for its rate limit; the measurement stopped early."
        elif self._failures[place] >= MAX_FAILURES_IN_A_ROW:
            kind = "" if sample.error_kind is None else f" ({sample.error_kind.value})"
            self.stopped_because = f"{self._failures[place]} requests in a row failed{kind}; it stopped early."
        return bool(self.stopped_because)
