"""Who may ask next when a venue's budget is short."""

import math
import threading

from monitor.transport.interface import Transport

NEXT_LOOK_S = 0.05
"""How soon the second in line looks again when the first could go now."""


PATIENT_LOOK_S = 0.25
PATIENT_LOOK_MAX_S = 5.0
"""How soon, and how late at most, somebody patient looks again."""
HEAVY_SHARE = 1 / 24
"""Patient polls of a larger part of the cap than this, and first ones, go in the order of their deadlines: what is
asked again and again would otherwise never leave room for what is asked seldom."""
SLACK_SHARE = 1 / 48
"""Part of the cap that stays free beside what a patient poll is expected to weigh: prices come when they come."""
SPARE_PATIENCE_S = 10.0
"""Who asks beside the plan leaves out the polls of accounts for this long at most, then only the market polls: where
the plan takes all there is, it would wait for ever."""
WIDE_CAP = 30
"""From this cap on one more poll is no large part of it."""
_PARTS = (*(number / 32 for number in range(32)), 0.99)
"""Moments of the coming window, as parts of it, at which the market polls until then must still fit."""


class BudgetLine:
    """First come, first served among the pollers of one venue that wait for its budget.

    Without it a light job takes every bit of budget as it becomes free, and a heavy one never finds enough at once.
    After a pause the venue asked for, the pollers leave one after the other instead of all in the same instant.

    Thread: any; nothing blocks.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._lock = threading.Lock()
        self._waiting: dict[object, int] = {}
        """Weight by who waits, in the order they came."""
        self._market_rate = 0.0
        self._account_rate = 0.0
        self._patient_at_it: object | None = None
        self._patient_queue: dict[object, float] = {}
        """Deadlines of heavy and first patient polls, in the order they came."""
        self._patient_held: set[object] = set()
        """Who is patient and was told to wait."""

    def set_market_rate(self, weight_per_s: float) -> None:
        """Say what the market polls of the plan weigh together; what is patient leaves them that much."""
        with self._lock:
            self._market_rate = weight_per_s

    def set_account_rate(self, weight_per_s: float) -> None:
        """Say what the polls of accounts weigh together; what is asked beside the plan leaves them that much."""
        with self._lock:
            self._account_rate = weight_per_s

    def hold_s(
        self,
        who: object,
        weight: int,
        *,
        is_patient: bool = False,
        is_first: bool = False,
        expected: int | None = None,
        deadline_s: float = 0.0,
    ) -> float:
        """Return 0 when ``who`` may send ``weight`` now; else join the line and return the seconds to the next look.

        Who ``is_patient`` takes no place in the line and goes only when the market polls of a whole window to come fit
        beside it, and alone: what a poll really costs is known when it is :meth:`done`. ``is_first``: it is heavy,
        whatever its weight. ``expected``: what it weighs in all, where that is told. ``deadline_s``: by when it should
        be made, on any clock that all who are patient share.
        """
        with self._lock:
            if is_patient:
                self._waiting.pop(who, None)
                is_next = self._is_next(who, weight, deadline_s, is_first=is_first)
                self._patient_held.add(who)
                if self._waiting or self._patient_at_it is not None or not is_next:
                    return PATIENT_LOOK_S
                lacking_s = self._room_beside_in_s(max(weight, expected or 0), self._market_rate)
                if lacking_s <= 0.0:
                    self._patient_at_it = who
                    self._forget_patient(who)
                return lacking_s
            self._forget_patient(who)
            available_in_s = self._transport.available_in_s(weight)
            if not self._waiting and available_in_s <= 0.0:
                return 0.0
            if who not in self._waiting:
                if weight > self._transport.budget_state().cap:
                    # It will never fit; in the line it would stop everybody behind it.
                    return max(available_in_s, NEXT_LOOK_S)
                self._waiting[who] = weight
            first, first_weight = next(iter(self._waiting.items()))
            if first is not who:
                return max(available_in_s, self._transport.available_in_s(first_weight), NEXT_LOOK_S)
            if available_in_s <= 0.0:
                del self._waiting[who]
                return 0.0
            return available_in_s

    def spare_hold_s(self, weight: int, *, waited_s: float) -> float:
        """Return 0 when ``weight`` may be sent beside the plan now, else the seconds to the next look.

        Takes no place in the line: it goes when nobody of the plan waits and the polls of a whole window to come fit
        beside it. ``waited_s``: since it first asked; see ``SPARE_PATIENCE_S``.
        """
        with self._lock:
            is_overdue = waited_s >= SPARE_PATIENCE_S
            if self._waiting or self._patient_at_it is not None or (self._patient_held and not is_overdue):
                return PATIENT_LOOK_S
            rate = self._market_rate if is_overdue else self._market_rate + self._account_rate
            # Looked at often: what lacks now may be there as soon as an account's poll was cheaper than expected.
            return min(self._room_beside_in_s(weight, rate), PATIENT_LOOK_S)

    def _forget_patient(self, who: object) -> None:
        self._patient_queue.pop(who, None)
        self._patient_held.discard(who)

    def _is_next(self, who: object, weight: int, deadline_s: float, *, is_first: bool) -> bool:
        cap = self._transport.budget_state().cap
        if cap < WIDE_CAP or (not is_first and weight <= cap * HEAVY_SHARE):
            return True
        queue = self._patient_queue
        queue.setdefault(who, deadline_s)
        return min(queue, key=lambda one: queue[one]) is who

    def _room_beside_in_s(self, weight: int, rate: float) -> float:
        budget = self._transport.budget_state()
        if budget.cap >= WIDE_CAP:
            weight += math.ceil(budget.cap * SLACK_SHARE)
        lacking_s = 0.0
        for part in _PARTS:
            later_s = part * budget.window_s
            # Polls come whole: a narrow budget has no room for halves of them, a wide one keeps one to spare.
            spare = 1 if rate and budget.cap >= WIDE_CAP else 0
            need = math.floor(weight + rate * later_s) + spare
            if need <= budget.cap or not part:
                lacking_s = max(lacking_s, self._transport.available_in_s(need) - later_s)
        return min(lacking_s, PATIENT_LOOK_MAX_S) if lacking_s > 0.0 else 0.0

    def done(self, who: object) -> None:
        """The poll that ``who`` was let go for has ended, however it did."""
        with self._lock:
            if self._patient_at_it is who:
                self._patient_at_it = None

    def leave(self, who: object) -> None:
        """Give up the place in line, if there is one."""
        with self._lock:
            self._waiting.pop(who, None)
            self._forget_patient(who)
