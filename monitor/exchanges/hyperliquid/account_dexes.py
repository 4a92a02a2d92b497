"""Which dexes to ask at which poll, so that builder dexes cost an account poll nothing more. Pure."""

from collections.abc import Collection, Sequence

FIRST_AT_ONCE = 2
"""Of the dexes never asked for orders, so many at a poll: a first round costs prices nothing."""


class OrderTurns:
    """Whom to ask for open orders where one money stands behind all dexes, so that any of them may have some.

    First every dex once, ``FIRST_AT_ONCE`` a call; then one a call, those with something and the others alternating.

    Thread: one.
    """

    def __init__(self) -> None:
        self._calls = 0

    def take(self, known: Sequence[str], asked: Collection[str], busy: Collection[str]) -> tuple[str, ...]:
        """The dexes to ask now; ``busy`` are those with positions or orders, the first dex always among them."""
        unasked = [dex for dex in known if dex not in asked]
        if unasked:
            return tuple(unasked[:FIRST_AT_ONCE])
        groups = [group for group in ([d for d in known if d in busy], [d for d in known if d not in busy]) if group]
        turn, group = divmod(self._calls, len(groups))
        self._calls += 1
        return (groups[group][turn % len(groups[group])],)


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
