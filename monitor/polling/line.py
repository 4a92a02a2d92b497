"""Who may ask next when a venue's budget is short."""

import threading

from monitor.transport.interface import Transport

NEXT_LOOK_S = 0.05
"""How soon the second in line looks again when the first could go now."""


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

    def hold_s(self, who: object, weight: int) -> float:
        """Return 0 when ``who`` may send ``weight`` now; else join the line and return the seconds to the next look."""
        with self._lock:
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

    def leave(self, who: object) -> None:
        """Give up the place in line, if there is one."""
        with self._lock:
            self._waiting.pop(who, None)
