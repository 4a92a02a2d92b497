"""What one polled feed has delivered, and how it usually behaves."""

from collections import deque
from typing import Final

import msgspec

from monitor.exchanges.base import Source
from monitor.state.verdict import FROZEN_REPLIES_NEVER_CHANGED, Verdict, feed_verdict, replies_to_freeze

HABIT_CHANGES: Final = 50
"""How many of the newest changes make a feed's habit."""
HABIT_RUN_CAP: Final = 30
"""An unchanged run counts at most this much, so that one long freeze does not make the next one look normal."""


class FeedState(msgspec.Struct, kw_only=True, eq=False):
    """One poll job that brings prices or a book, as the board has seen it. Times are ``perf_counter`` seconds.

    ``instruments`` is how many the newest reply held. ``unchanged_replies`` counts whole replies since the last one
    that differed. Replies served from a cache do not count: they are the same by nature.
    """

    venue: str
    key: str
    endpoint: str
    cadence_s: float
    dex: str = ""
    carries_price: bool = False
    requested_mono_s: float | None = None
    received_mono_s: float | None = None
    changed_mono_s: float | None = None
    replies: int = 0
    unchanged_replies: int = 0
    instruments: int = 0
    cache_age_s: float = 0.0
    source: Source = Source.NETWORK
    """Where the newest reply came from."""
    failure_text: str | None = None
    """Why the newest poll brought nothing, in the user's words; ``None`` while it did bring something."""
    failed_mono_s: float | None = None
    retry_mono_s: float | None = None
    """When it is asked again, where it waits for a moment that is known; ``None`` otherwise."""
    spaced_s: float | None = None
    """How far apart the newest replies came, where our own share of the rate limit holds polls back; else ``None``."""
    grace_s: float = 0.0
    """How much later than by its cadence it is late: its next poll waits for our own share of the rate limit."""
    unseen_s: float = 0.0
    """Time the machine slept since the newest reply, which the monotonic clock may not have counted."""
    is_marked_stale: bool = False
    replies_needed: int = FROZEN_REPLIES_NEVER_CHANGED
    _runs: deque[int] = msgspec.field(default_factory=lambda: deque(maxlen=HABIT_CHANGES))

    def note_reply(
        self,
        *,
        requested_mono_s: float,
        received_mono_s: float,
        is_changed: bool,
        instruments: int,
        cache_age_s: float = 0.0,
        source: Source = Source.NETWORK,
    ) -> None:
        """Take in one applied reply."""
        self.source = source
        self.failure_text = self.failed_mono_s = self.retry_mono_s = None
        self.is_marked_stale = False
        self.unseen_s = 0.0
        self.cache_age_s = cache_age_s
        self.requested_mono_s = requested_mono_s
        self.received_mono_s = received_mono_s
        self.instruments = instruments
        if source is not Source.NETWORK:
            return
        self.replies += 1
        if self.changed_mono_s is None:
            # The first reply only sets the scene: whether it is news cannot be known.
            self.changed_mono_s = received_mono_s
        elif is_changed:
            self._runs.append(min(self.unchanged_replies, HABIT_RUN_CAP))
            self.unchanged_replies = 0
            self.changed_mono_s = received_mono_s
            self.replies_needed = replies_to_freeze(len(self._runs), len(self._runs) + sum(self._runs))
        else:
            self.unchanged_replies += 1

    def note_failure(self, text: str, failed_mono_s: float, *, retry_mono_s: float | None = None) -> None:
        """The newest poll brought nothing: what is shown is the last good reply, kept."""
        self.failure_text, self.failed_mono_s, self.retry_mono_s = text, failed_mono_s, retry_mono_s

    def verdict(self, now_mono_s: float) -> Verdict:
        """What to think of this feed at ``now_mono_s``."""
        return feed_verdict(
            now_mono_s=now_mono_s,
            received_mono_s=self.received_mono_s,
            cadence_s=self.cadence_s,
            grace_s=self.grace_s,
            changed_mono_s=self.changed_mono_s,
            unchanged_replies=self.unchanged_replies,
            replies_needed=self.replies_needed,
            instruments=self.instruments,
            is_marked_stale=self.is_marked_stale,
        )
