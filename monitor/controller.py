"""The running monitor without a window: engine, outbox and board, and what may be asked of them.

The window and the headless loop drive the same controller, so that what one shows the other would report too.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from monitor.assembly import VenueRuntime, default_watchlist, make_account_client, make_plan, tune
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef, CredentialError, Credentials
from monitor.exchanges.accounts import AccountClient
from monitor.exchanges.base import PollJob
from monitor.exchanges.caching import CachedClient
from monitor.polling.engine import PollEngine
from monitor.polling.outbox import Outbox
from monitor.polling.plan import PollPlan
from monitor.polling.sleep import SleepDetector
from monitor.state.accounts import Access
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey

log = logging.getLogger(__name__)

STOP_SLACK_S = 1.0
"""Added to a request's own deadline when waiting for pollers: the time to parse and hand over."""

TRANSPORT_FIELDS = (
    "cap_fraction",
    "pool_connections",
    "pool_block",
    "connect_timeout_s",
    "read_timeout_s",
    "deadline_s",
    "proxies",
    "ca_file",
    "base_urls",
    "dns_cache_s",
    "is_ipv4_only",
    "tls_resumption",
    "http2_venues",
)
"""Settings that only a new transport takes over."""


class Controller:
    """Owns what polls and what is known.

    Before :meth:`attach` it only remembers what is wished, so that a window can be up before the first certificate is
    read. Thread: the board's (the GUI's or the headless loop's); nothing but :meth:`stop` blocks.
    """

    def __init__(
        self,
        *,
        venues: Sequence[str],
        settings: Settings,
        remember: Callable[[Settings], None] | None = None,
    ) -> None:
        """``remember`` is given new settings to keep on disk; it must not block. ``None``: nothing is kept."""
        self.board = Board(venues=venues)
        self.outbox = Outbox()
        self.settings = settings
        self._remember = remember
        self._runtimes: dict[str, VenueRuntime] = {}
        self._engine: PollEngine | None = None
        self._sleep = SleepDetector()
        self._epoch = 0
        self._is_paused = False
        self._watchlist = default_watchlist(settings, venues)
        self._interval = settings.interval
        self._focus = settings.focus if settings.focus is not None else next(iter(self._watchlist), None)
        self._planned: object = None
        self._credentials: dict[AccountRef, Credentials] = {}
        self._accounts: dict[AccountRef, AccountClient] = {}
        self.board.track(self._tracked())

    @property
    def runtimes(self) -> Mapping[str, VenueRuntime]:
        """Venues that can be asked; empty before :meth:`attach`."""
        return self._runtimes

    @property
    def engine(self) -> PollEngine | None:
        """Runs the pollers; ``None`` before :meth:`attach` and after :meth:`stop`."""
        return self._engine

    @property
    def watchlist(self) -> tuple[InstrumentKey, ...]:
        """Instruments with a history, in the user's order."""
        return self._watchlist

    @property
    def focus(self) -> InstrumentKey | None:
        """The instrument whose chart and book are polled."""
        return self._focus

    @property
    def interval(self) -> str:
        """Candle interval of the chart."""
        return self._interval

    @property
    def is_paused(self) -> bool:
        """Whether polling stands still by the user's wish."""
        return self._is_paused

    def attach(self, runtimes: Mapping[str, VenueRuntime]) -> None:
        """Start polling through ``runtimes``; those of an earlier call are stopped and closed in the background."""
        old_engine, old_runtimes = self._engine, dict(self._runtimes)
        self._runtimes = dict(runtimes)
        self._engine = PollEngine(
            outbox=self.outbox, transports={name: runtime.transport for name, runtime in runtimes.items()}
        )
        if self._is_paused:
            self._engine.pause()
        self._accounts.clear()
        for credentials in self._credentials.values():
            self._make_client(credentials)
        self._planned = None
        self._replan()
        self.board.renew_transports()
        if old_engine is not None:
            deadline_s = self.settings.deadline_s + STOP_SLACK_S
            threading.Thread(
                target=_wind_down, args=(old_engine, old_runtimes, deadline_s), name="wind-down", daemon=True
            ).start()

    def spare_hold_s(self, venue: str, weight: int, waited_s: float) -> float:
        """See :meth:`PollEngine.spare_hold_s`; 0 while nothing is polled. Thread: any."""
        engine = self._engine
        return 0.0 if engine is None or engine.is_paused else engine.spare_hold_s(venue, weight, waited_s)

    def stop(self, deadline_s: float | None = None) -> bool:
        """End every poller and close the transports; False: a request still hung.

        Waits up to ``deadline_s``; ``None``: as long as a request may take, so that every result is taken in.
        """
        engine, self._engine = self._engine, None
        self._note_caches()
        if engine is None:
            return True
        if deadline_s is None:
            deadline_s = self.settings.deadline_s + STOP_SLACK_S
        return _wind_down(engine, self._runtimes, deadline_s)

    def look_around(self, wall_s: float, mono_s: float) -> None:
        """Once a second: notice that the machine slept, plan anew when the venues' instruments became known, and tell
        the board how pools and budgets stand, also while nothing polls. ``mono_s`` is ``perf_counter`` seconds.
        """
        jump = self._sleep.look(wall_s, mono_s)
        if jump is not None and jump.are_prices_stale:
            self.board.mark_stale(slept_s=jump.unseen_s)
            for runtime in self._runtimes.values():
                runtime.transport.forget_network()
            if self._engine is not None:
                self._engine.poll_now()
        self._note_caches()
        for name, runtime in self._runtimes.items():
            transport = runtime.transport
            self.board.note_polled(name, not self._is_paused and name not in self.settings.disabled_venues)
            self.board.note_pools(name, transport.pool_stats(), transport.budget_state(), mono_s)
        self._replan()

    def set_focus(self, key: InstrumentKey, interval: str) -> None:
        """Poll book and candles (of ``interval``) of this instrument and of the same market elsewhere."""
        self._focus = key
        self._interval = interval
        self._keep(replace(self.settings, focus=key, interval=interval))
        self.board.track(self._tracked())
        self._replan()

    def set_watchlist(self, keys: Sequence[InstrumentKey]) -> None:
        """Keep history for these instruments and remember them, in this order."""
        self._watchlist = tuple(dict.fromkeys(keys))
        self._keep(replace(self.settings, watchlist=self._watchlist))
        self.board.track(self._tracked())
        self._replan()

    def set_paused(self, is_paused: bool) -> None:
        """Stop or resume all polling."""
        self._is_paused = is_paused
        if self._engine is not None:
            if is_paused:
                self._engine.pause()
            else:
                self._engine.resume()

    def set_venue_enabled(self, venue: str, is_enabled: bool) -> None:
        """Stop or resume polling one venue."""
        disabled = [name for name in self.settings.disabled_venues if name != venue]
        if not is_enabled:
            disabled.append(venue)
        self._keep(replace(self.settings, disabled_venues=tuple(disabled)))
        self._replan()

    def set_account_refs(self, refs: Sequence[AccountRef]) -> None:
        """Show exactly these accounts, in this order; what is not among them is polled no more and forgotten."""
        self.board.accounts.set_refs(refs)
        for ref in set(self._credentials) - set(refs):
            self._credentials.pop(ref)
            self._accounts.pop(ref, None)
        self._replan()

    def open_account(self, credentials: Credentials) -> None:
        """Poll an account with these credentials from now on; they stay in memory as long as it is shown."""
        ref = credentials.account
        known = self._credentials.get(ref)
        if known is not None and dict(known.values) != dict(credentials.values):
            self.board.accounts.renew(ref, time.perf_counter())
        self._credentials[ref] = credentials
        self.board.accounts.set_access(ref, Access.OPEN)
        self._make_client(credentials)
        self._planned = None
        self._replan()
        if known is not None and self._engine is not None and ref in self._accounts:
            # A refused key has slowed its polls down; another one deserves a try at once.
            for job in self._accounts[ref].poll_jobs():
                self._engine.refresh(job.key, venue=job.venue)

    def close_account(self, ref: AccountRef, why: str) -> None:
        """Poll an account no more and say ``why`` where its figures were."""
        self._credentials.pop(ref, None)
        self._accounts.pop(ref, None)
        self.board.accounts.set_access(ref, Access.CLOSED, why)
        self._replan()

    def credentials_of(self, ref: AccountRef) -> Credentials | None:
        """What opens an account that is polled; ``None`` while it is not."""
        return self._credentials.get(ref)

    def refresh_account(self, venue: str, key: str) -> None:
        """Poll one job of an account at once, within the budget; one that is no longer planned is left alone."""
        if self._engine is not None:
            self._engine.refresh(key, venue=venue)

    def refresh(self) -> None:
        """Poll everything at once, within the budget."""
        if self._engine is not None:
            self._engine.refresh()

    def default_jobs(self) -> tuple[PollJob, ...]:
        """The jobs of the default plan for what is in focus, before the user's cadences."""
        plan = self._make_plan(self._epoch, replace(self.settings, cadences_s={}))
        return plan.jobs

    def jobs_in_use(self) -> tuple[PollJob, ...]:
        """The jobs of the plan as it is polled, with the user's cadences."""
        return self._make_plan(self._epoch, self.settings).jobs

    def change_settings(self, settings: Settings) -> bool:
        """Take over and remember ``settings``. True: the transports must be built anew and attached."""
        before = self.settings
        self._keep(settings)
        self._planned = None
        self._replan()
        tune(self._runtimes, settings)
        return any(getattr(before, name) != getattr(settings, name) for name in TRANSPORT_FIELDS)

    def _note_caches(self) -> None:
        """How reads were answered so far: counters under a lock that is held for a moment only."""
        for name, runtime in self._runtimes.items():
            if isinstance(runtime.client, CachedClient):
                self.board.note_cache(name, runtime.client.stats())

    def _keep(self, settings: Settings) -> None:
        if settings == self.settings:
            return
        self.settings = settings
        if self._remember is not None:
            self._remember(settings)

    def _focus_by_venue(self) -> dict[str, InstrumentKey]:
        if self._focus is None:
            return {}
        focus = {self._focus[0]: self._focus}
        other = self.board.counterpart(self._focus)
        if other is not None:
            focus[other[0]] = other
        return focus

    def _tracked(self) -> tuple[InstrumentKey, ...]:
        focus = self._focus_by_venue().values()
        return tuple(dict.fromkeys([*self._watchlist, *focus]))

    def _replan(self) -> None:
        """Apply the plan that follows from the wishes and from what is known, if it differs from the one in force."""
        if self._engine is None:
            return
        focus = self._focus_by_venue()
        tracked = self._tracked()
        known = self.board.instruments
        dexes = tuple(known[key].dex for key in tracked if key in known and known[key].dex)
        accounts = tuple(self._accounts)
        planned = (focus, dexes, self._interval, self.settings.disabled_venues, self.settings.cadences_s, accounts)
        if planned == self._planned:
            return
        self._planned = planned
        self._epoch += 1
        plan = self._make_plan(self._epoch, self.settings)
        if tracked != self.board.tracked:
            self.board.track(tracked)
        self.board.accept_epoch(self._epoch)
        self._engine.apply_plan(plan)

    def _make_plan(self, epoch: int, settings: Settings) -> PollPlan:
        enabled = {name: runtime for name, runtime in self._runtimes.items() if name not in settings.disabled_venues}
        return make_plan(
            enabled,
            epoch=epoch,
            settings=settings,
            focus=self._focus_by_venue(),
            watchlist=self._tracked(),
            interval=self._interval,
            instruments=self.board.instruments,
            accounts=tuple(self._accounts.values()),
        )

    def _make_client(self, credentials: Credentials) -> None:
        runtime = self._runtimes.get(credentials.account.venue)
        if runtime is None:
            return
        try:
            self._accounts[credentials.account] = make_account_client(credentials, runtime)
        except CredentialError as error:
            self.board.accounts.set_access(credentials.account, Access.CLOSED, error.user_text)


def _wind_down(engine: PollEngine, runtimes: Mapping[str, VenueRuntime], deadline_s: float) -> bool:
    is_clean = engine.stop(deadline_s)
    if not is_clean:
        log.info("left behind at the end: %s", ", ".join(engine.unfinished))
    for runtime in runtimes.values():
        runtime.transport.close()
    return is_clean
