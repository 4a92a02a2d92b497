"""Which dexes to ask at which poll, so that builder dexes cost an account poll nothing more. Pure."""

from collections.abc import Sequence


class DexRotation:
    """Takes the dexes in use in turn, and now and then one of the others.

    The first call names them all; every later one names one of those in use, and each ``others_every`` calls one more.
    A dex in use is so asked every (number in use) polls, which its age shows.

    Thread: one.
    """

    def __init__(self, others_every: int) -> None:
        self._others_every = others_every
        self._calls = 0
        self._next_used = 0
        self._next_other = 0

    def take(self, used: Sequence[str], others: Sequence[str], *, first: Sequence[str]) -> tuple[str, ...]:
        """The dexes to ask now. ``used`` has the first dex, the empty text; ``first`` is what the first call asks."""
        self._calls += 1
        if self._calls == 1:
            return tuple(first)
        chosen = [used[self._next_used % len(used)]]
        self._next_used += 1
        if others and self._calls % self._others_every == 0:
            chosen.append(others[self._next_other % len(others)])
            self._next_other += 1
        return tuple(chosen)

    def again(self) -> None:
        """The first call's answer could not be used: name them all again."""
        self._calls = 0
