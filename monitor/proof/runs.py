"""What can be measured in the background, what such a run tells whoever waits for it, and the plan it is about."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import msgspec

from monitor.assembly import VenueRuntime
from monitor.desktop.settings import Settings
from monitor.exchanges.base import Focus, PollJob
from monitor.polling.plan import merge_jobs

if TYPE_CHECKING:
    # Whoever only waits for a run, as the window does from its start, need not load what makes one.
    from monitor.proof.measurement import MeasureProgress, MeasureResult

HTTP2_NOTE: Final = "This venue is polled over HTTP/2; the comparison is over HTTP/1.1, pooled and unpooled."


class MeasureTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be measured: ``title`` is what to call it.

    ``is_local``: an exchange on this machine. ``is_polled``: the app polls it, out of the same budget.
    ``is_over_http2``: its polls use HTTP/2, and that is not what is compared.
    """

    name: str
    title: str
    is_local: bool
    is_polled: bool = True
    is_over_http2: bool = False


class MeasureReport(msgspec.Struct, frozen=True, kw_only=True):
    """News of run number ``run``: exactly one of the others is given. Frozen, so it may cross threads.

    ``failure``: it ended without a result; why, and what to do, for the user. ``waiting``: what it waits for, as a
    sentence; empty: it goes on.
    """

    run: int
    waiting: str | None = None
    progress: "MeasureProgress | None" = None
    result: "MeasureResult | None" = None
    failure: str | None = None


class SaveReport(msgspec.Struct, frozen=True, kw_only=True):
    """A file was written, or could not be: ``problem`` says why."""

    file: str
    problem: str | None = None


Listener: TypeAlias = Callable[[MeasureReport | SaveReport], object]


class Measuring(Protocol):
    """Measures in the background, one run at a time. Thread: GUI; nothing blocks."""

    def targets(self) -> Sequence[MeasureTarget]:
        """What can be measured now."""
        ...

    def start(self, target: str, requests: int) -> int:
        """Begin a run of ``requests`` each way and return its number; one under way is cancelled."""
        ...

    def cancel(self) -> None:
        """End the run under way after its request in flight; its result comes as far as it got."""
        ...

    def save(self, file: Path, make: Callable[[], bytes]) -> None:
        """Write what ``make`` gives, called in another thread, to ``file``; a ``SaveReport`` says how that went."""
        ...

    def listen(self, listener: Listener) -> None:
        """Tell ``listener``, instead of any before, what runs and saves report, in this thread."""
        ...


def default_jobs(runtime: VenueRuntime, settings: Settings) -> tuple[PollJob, ...]:
    """The plan the window would poll at this venue with its first instrument in focus."""
    focus = Focus(venue_symbol=next(iter(runtime.entry.default_watchlist), None), interval=settings.interval)
    return merge_jobs([runtime.client.poll_jobs(focus)], cadences_s=settings.cadences_s)
