"""One poller on a clock that is moved by hand, and everything it is given."""

from collections.abc import Callable

from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.polling.line import BudgetLine
from monitor.polling.poller import Poller, PollerEnvironment, Wait
from monitor.polling.results import PollFailure, PollResult, PollSuccess
from tests.fakes.fake_clock import FakeClock
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job


class Bench:
    """A poller on a fake clock, run in the test's own thread; the fetch decides when it is over."""

    def __init__(self, *, cadence_s: float = 1.0, weight: int = 1, hold: Callable[[int], float] | None = None) -> None:
        self.clock = FakeClock()
        self.transport = SilentTransport(hold=hold or (lambda _weight: 0.0))
        self.results: list[PollResult] = []
        self.started_s: list[float] = []
        self.script: list[Callable[[], Fetched[Payload]]] = []
        self.job: PollJob = make_job(self._fetch, cadence_s=cadence_s, weight=weight)
        self.line = BudgetLine(self.transport)
        self.poller = self._make_poller(self.clock.wait)

    def use_wait(self, wait: Wait) -> None:
        """Wait another way, in which the user can do something meanwhile."""
        self.poller = self._make_poller(wait)

    def _make_poller(self, wait: Wait) -> Poller:
        environment = PollerEnvironment(
            put=self.results.append, clock=self.clock, utc_now=self.clock.utc_now, random=lambda: 0.0, wait=wait
        )
        return Poller(
            self.job,
            epoch=1,
            transport=self.transport,
            line=self.line,
            environment=environment,
            first_due_s=self.clock.now_s,
        )

    def run(self, *script: Callable[[], Fetched[Payload]]) -> None:
        """Poll until every step of ``script`` was used."""
        self.script = list(script)
        self.poller.run()

    def _fetch(self) -> Fetched[Payload]:
        self.started_s.append(self.clock.now_s)
        step = self.script.pop(0)
        if not self.script:
            self.poller.retire()
        return step()

    def ok(self, took_s: float = 0.05) -> Callable[[], Fetched[Payload]]:
        def step() -> Fetched[Payload]:
            self.clock.advance(took_s)
            return make_fetched(now_s=self.clock.now_s, now=self.clock.utc_now())

        return step

    def error(self, error: Exception, took_s: float = 0.05) -> Callable[[], Fetched[Payload]]:
        def step() -> Fetched[Payload]:
            self.clock.advance(took_s)
            raise error

        return step

    @property
    def offsets_s(self) -> list[float]:
        """When the polls began, in seconds after the first."""
        return [started_s - self.started_s[0] for started_s in self.started_s]

    def success(self, place: int) -> PollSuccess:
        result = self.results[place]
        assert isinstance(result, PollSuccess)
        return result

    def failure(self, place: int) -> PollFailure:
        result = self.results[place]
        assert isinstance(result, PollFailure)
        return result
