"""The state of one account at any instant: what it holds, what rests in the book, what happened since the week
began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.simulator.candles import DAY_MS
from monitor.simulator.episodes import Episode, Execution, Leg, Order, Payment, week_start
from monitor.simulator.playing import Rules, play
from monitor.simulator.scripts import Script
from monitor.simulator.tape import Tape

_HISTORY_MS = 3 * DAY_MS
_KEPT_MS = 12 * DAY_MS


@dataclass(frozen=True, slots=True)
class Held:
    """A position at one instant. lots are signed, never 0; average is the entry price; fees positive when paid;
    funding positive when received."""

    episode: Episode
    lots: int
    average: float
    opened_ms: int
    changed_ms: int
    fees: float
    funding: float

    @property
    def leg(self) -> Leg:
        """Whose it is."""
        return self.episode.leg

    @property
    def size(self) -> float:
        """In coins (or units of the contract), signed."""
        return self.lots * self.episode.tape.unit

    def unrealized(self, mark: float) -> float:
        """Return profit or loss at a price."""
        return self.size * (mark - self.average)


class Holdings:
    """One account, from a script. The past reaches back to Monday 00:00 UTC, at least three days.

    Pure in the time asked for; played cycles are kept. Thread: the event loop.
    """

    def __init__(self, script: Script, tapes: Mapping[str, Tape], rules: Mapping[str, Rules]) -> None:
        """tapes and rules are by leg name; legs without a tape (a market that is not listed) are left out."""
        self.script = script
        self._tapes = tapes
        self._rules = rules
        self.legs = tuple(leg for leg in script.legs if leg.name in tapes)
        self._played: dict[tuple[str, int], Episode] = {}

    def since_ms(self, now_ms: int) -> int:
        """Return how far the past reaches back."""
        return min(week_start(now_ms), now_ms - _HISTORY_MS)

    def episodes(self, now_ms: int, since_ms: int | None = None) -> Iterator[Episode]:
        """Yield every cycle that had begun and was not over at since_ms (default: the whole past)."""
        since_ms = self.since_ms(now_ms) if since_ms is None else since_ms
        for leg in self.legs:
            for cycle in range(leg.cycle_at(since_ms), leg.cycle_at(now_ms) + 1):
                yield self._episode(leg, cycle)

    def warm_up(self, now_ms: int) -> Iterator[None]:
        """Play the past, a cycle at a step."""
        for _ in self.episodes(now_ms):
            yield

    def held(self, now_ms: int) -> list[Held]:
        """Return the open positions."""
        found = (_held(episode, now_ms) for episode in self._current(now_ms))
        return [position for position in found if position is not None]

    def open_orders(self, now_ms: int) -> list[tuple[Episode, Order]]:
        """Return what rests now, newest first."""
        rows = [
            (episode, order) for episode in self._current(now_ms) for order in episode.orders if order.is_open(now_ms)
        ]
        return sorted(rows, key=lambda row: row[1].placed_ms, reverse=True)

    def past_orders(self, now_ms: int) -> list[tuple[Episode, Order]]:
        """Return every order that is no longer open, the last to end first."""
        rows = [
            (episode, order) for episode in self.episodes(now_ms) for order in episode.orders if order.end_ms <= now_ms
        ]
        return sorted(rows, key=lambda row: row[1].end_ms, reverse=True)

    def fills(self, now_ms: int) -> list[tuple[Episode, Execution]]:
        """Return every execution, newest first."""
        rows = [
            (episode, fill) for episode in self.episodes(now_ms) for fill in episode.fills if fill.time_ms <= now_ms
        ]
        return sorted(rows, key=lambda row: row[1].time_ms, reverse=True)

    def payments(self, now_ms: int) -> list[tuple[Episode, Payment]]:
        """Return every funding payment, oldest first."""
        rows = [(episode, row) for episode in self.episodes(now_ms) for row in episode.funding if row.time_ms <= now_ms]
        return sorted(rows, key=lambda row: row[1].time_ms)

    def closed(self, now_ms: int) -> list[Episode]:
        """Return the cycles whose position was opened and closed, the last closed first."""
        rows = [episode for episode in self.episodes(now_ms) if episode.fills and episode.fills[-1].time_ms <= now_ms]
        return sorted(rows, key=lambda episode: episode.fills[-1].time_ms, reverse=True)

    def won(self, now_ms: int, since_ms: int) -> dict[Leg, float]:
        """Return realised profit, fees and funding of each leg from a time when nothing was held until now."""
        sums = dict.fromkeys(self.legs, 0.0)
        for episode in self.episodes(now_ms, since_ms):
            if episode.end_ms <= now_ms:
                sums[episode.leg] += episode.net
                continue
            sums[episode.leg] += sum(fill.pnl - fill.fee for fill in episode.fills if fill.time_ms <= now_ms)
            sums[episode.leg] += sum(row.amount for row in episode.funding if row.time_ms <= now_ms)
        return sums

    def _current(self, now_ms: int) -> list[Episode]:
        return [self._episode(leg, leg.cycle_at(now_ms)) for leg in self.legs]

    def _episode(self, leg: Leg, cycle: int) -> Episode:
        found = self._played.get((leg.name, cycle))
        if found is None:
            found = self._played[leg.name, cycle] = play(leg, self._tapes[leg.name], self._rules[leg.name], cycle)
            if len(self._played) % 200 == 0:
                self._forget(found.start_ms - _KEPT_MS)
        return found

    def _forget(self, before_ms: int) -> None:
        for key in [key for key, episode in self._played.items() if episode.end_ms < before_ms]:
            del self._played[key]


def _held(episode: Episode, now_ms: int) -> Held | None:
    fills = [fill for fill in episode.fills if fill.time_ms <= now_ms]
    if not fills or fills[-1].is_closing:
        return None
    lots = sum(fill.lots for fill in fills)
    return Held(
        episode=episode,
        lots=episode.side * lots,
        average=sum(fill.lots * fill.price for fill in fills) / lots,
        opened_ms=fills[0].time_ms,
        changed_ms=fills[-1].time_ms,
        fees=sum(fill.fee for fill in fills),
        funding=sum(row.amount for row in episode.funding if row.time_ms <= now_ms),
    )
