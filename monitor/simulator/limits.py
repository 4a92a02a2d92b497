"""How much weight each client address has used of a venue's limit, over a sliding window."""

from __future__ import annotations

from collections import deque


class WeightWindow:
    """A sliding window of weights for each key (an address, or an address and an endpoint).

    limit: weight allowed within window_s seconds. The clock is the caller's. Thread: the event loop.
    """

    def __init__(self, limit: float, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self._used: dict[str, deque[tuple[float, float]]] = {}

    def used(self, key: str, now_s: float) -> float:
        """Return the weight that counts against the key now."""
        entries = self._used.get(key)
        if entries is None:
            return 0.0
        while entries and entries[0][0] <= now_s - self.window_s:
            entries.popleft()
        return sum(weight for _, weight in entries)

    def admits(self, key: str, weight: float, now_s: float) -> bool:
        """Say whether a request of this weight fits."""
        return self.used(key, now_s) + weight <= self.limit

    def charge(self, key: str, weight: float, now_s: float) -> None:
        """Count the weight, also beyond the limit: a surcharge is known only after the reply is made."""
        self._used.setdefault(key, deque()).append((now_s, weight))

    def wait_s(self, key: str, now_s: float) -> float:
        """Return the seconds until the oldest entry leaves the window; 0 when there is none."""
        self.used(key, now_s)
        entries = self._used.get(key)
        return max(0.0, entries[0][0] + self.window_s - now_s) if entries else 0.0

    def snapshot(self, now_s: float) -> dict[str, float]:
        """Return the weight used now for each key that has any, and forget the others."""
        used = {key: self.used(key, now_s) for key in tuple(self._used)}
        for key, weight in used.items():
            if weight == 0:
                del self._used[key]
        return {key: weight for key, weight in used.items() if weight}
