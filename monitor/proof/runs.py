"""What a measurement in the background tells whoever waits for it, and the plan it is about."""

from dataclasses import dataclass

from monitor.assembly import VenueRuntime
from monitor.desktop.settings import Settings
from monitor.exchanges.base import Focus, PollJob
from monitor.polling.plan import merge_jobs
from monitor.proof.measurement import MeasureProgress, MeasureResult


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureReport:
    """News of run number ``run``: exactly one of the others is given. Frozen, so it may cross threads.

    ``failure``: it ended without a result; why, and what to do, for the user.
    """

    run: int
    progress: MeasureProgress | None = None
    result: MeasureResult | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveReport:
    """A file was written, or could not be: ``problem`` says why."""

    file: str
    problem: str | None = None


def default_jobs(runtime: VenueRuntime, settings: Settings) -> tuple[PollJob, ...]:
    """The plan the window would poll at this venue with its first instrument in focus."""
    focus = Focus(venue_symbol=next(iter(runtime.entry.default_watchlist), None), interval=settings.interval)
    return merge_jobs([runtime.client.poll_jobs(focus)], cadences_s=settings.cadences_s)
