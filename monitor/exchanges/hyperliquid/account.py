"""Hyperliquid account reads: a public address in, account values out. No key, no signature."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from monitor.domain.account import (
    ALL_KEPT,
    JUST_AFTER,
    AccountSnapshot,
    Fill,
    FillList,
    FundingPaid,
    FundingPaidList,
    OpenOrder,
    OrderList,
    RowProblem,
)
from monitor.domain.account_history import AccountHistory, AddressLimits
from monitor.domain.credentials import AccountCheck, AccountRef, Credentials, clean_address
from monitor.exchanges.account_rows import fill_list
from monitor.exchanges.asking import Asking, VenueClock, utc_now
from monitor.exchanges.base import Fetched, PollJob
from monitor.exchanges.decoding import to_ms
from monitor.exchanges.hyperliquid import account_history as history
from monitor.exchanges.hyperliquid.account_check import run_check
from monitor.exchanges.hyperliquid.account_dexes import DexRotation, OrderTurns
from monitor.exchanges.hyperliquid.account_info import ACCOUNT_INFO, OBJECTS, AccountSession
from monitor.exchanges.hyperliquid.account_plan import plan_account_jobs
from monitor.exchanges.hyperliquid.account_reader import WITHIN_SHARE, AccountReader
from monitor.transport.interface import Transport

R = TypeVar("R", Fill, FundingPaid)
ParseRows = Callable[[object, str, list[RowProblem]], list[R]]

SPOT_EVERY_S = 14.0
"""A little less than three account polls."""
OTHER_DEX_EVERY_POLLS = 12
"""One of the dexes without anything is looked at every minute."""
OTHER_ORDERS_EVERY_POLLS = 9
ALL_DEXES_PATIENCE_S = 60.0
"""Eleven dexes cost two thirds of a minute's share."""
FILLS_KEPT = 2_000
"""As many as the venue hands out at once."""
FUNDING_DEFAULT = timedelta(days=7)
PAST_ORDERS_KEPT = 500
PAGE_ROWS = 500
"""A time range answers with at least this many rows when there are more."""
MAX_PAGES = 30


class HyperliquidAccount:
    """One Hyperliquid address; an :class:`~monitor.exchanges.accounts.AccountClient`. Money is in USDC.

    Thread: any; ``poll_snapshot``, ``poll_open_orders``, ``poll_fills`` and ``poll_funding`` each from one at a time.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.perf_counter,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._account = credentials.account
        self._pause = pause
        self._venue_clock = VenueClock(wall_clock)
        self._session = AccountSession(transport, clean_address(credentials["address"].reveal()))
        self._reader = AccountReader(self._session, credentials.account, clock=clock)
        self._state_turns = DexRotation(OTHER_DEX_EVERY_POLLS)
        self._order_turns = DexRotation(OTHER_ORDERS_EVERY_POLLS)
        self._all_turns = OrderTurns()
        self._is_whole = False
        """Whether every part was read once."""

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        return self._account

    def fetch_snapshot(self) -> Fetched[AccountSnapshot]:
        """Every dex and the spot balances, all read now: 2 of weight a dex, 62 in all at the first time."""
        with self._asking() as asking:
            self._reader.read_mode(asking)
            problems = self._reader.read_states(asking, self._reader.read_dexes(asking))
            self._reader.read_spot(asking, kept_s=0.0)
            problems += self._reader.read_prices(asking)
            self._is_whole = True
            return asking.fetched(self._reader.snapshot(problems))

    def poll_snapshot(self) -> Fetched[AccountSnapshot]:
        """The account with as little asked now as keeps it fresh: 2 to 6 of weight after the first times.

        The first poll reads the first dex and the spot balances, the second which dexes there are, the third what is on
        them and what it is worth: 24, 24 and some 50 of weight. Until then sums are unknown and positions incomplete.
        Later dexes in use take turns, and the spot balances are read every third time; how old the oldest part is, is
        told.
        """
        if not self._is_whole:
            return self._begin()
        with self._asking() as asking:
            self._reader.read_mode(asking)
            every = self._reader.read_dexes(asking)
            memory = self._reader.box.now
            turn = self._state_turns.take(memory.used_dexes, memory.other_dexes, first=every)
            problems = self._reader.read_states(asking, turn)
            self._reader.read_spot(asking, kept_s=SPOT_EVERY_S)
            problems += self._reader.read_prices(asking)
            return asking.fetched(self._reader.snapshot(problems))

    def _begin(self) -> Fetched[AccountSnapshot]:
        """One of the first polls. A step that fails is made again by the next poll."""
        reader, problems = self._reader, list[RowProblem]()
        with self._asking() as asking:
            reader.read_mode(asking)
            is_begun, has_list = "" in reader.box.now.states, reader.box.now.dexes is not None
            if is_begun and not has_list:
                reader.read_dexes(asking)
            memory = reader.box.now
            unread = [dex for dex in memory.known_dexes if dex and dex not in memory.states]
            problems += reader.read_states(asking, ("", *unread) if has_list else ("",))
            reader.read_spot(asking, kept_s=SPOT_EVERY_S)
            if has_list and not any(problem.expected == WITHIN_SHARE for problem in problems):
                problems += reader.read_prices(asking)
                self._is_whole = True
                # Every dex was asked, as the rotation would have them at its first call.
                self._state_turns.take(memory.used_dexes, memory.other_dexes, first=())
            return asking.fetched(reader.snapshot(problems, is_whole=self._is_whole))

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Open orders, triggers included, all read now: 20 of weight a dex.

        Of every dex in use; where one money stands behind all dexes, of every dex there is, waiting for the budget.
        """
        with self._asking(ALL_DEXES_PATIENCE_S) as asking:
            self._reader.read_mode(asking)
            self._reader.read_dexes(asking)
            problems: list[RowProblem] = []
            if "" not in self._reader.box.now.states:
                problems = self._reader.read_states(asking, self._reader.box.now.known_dexes)
            memory = self._reader.box.now
            dexes = memory.used_dexes if self._reader.is_separate else memory.known_dexes
            problems += self._reader.read_orders(asking, dexes)
            return asking.fetched(self._reader.order_list(problems))

    def poll_open_orders(self) -> Fetched[OrderList]:
        """The same with one dex asked now, in turn, and every ninth time one that is not in use as well.

        Where any dex may have orders: see :class:`OrderTurns`.
        """
        with self._asking() as asking:
            memory = self._reader.box.now
            if memory.mode is None or self._reader.is_separate:
                turn = self._order_turns.take(memory.used_dexes, memory.other_dexes, first=memory.used_dexes)
            else:
                turn = self._all_turns.take(memory.known_dexes, memory.orders, memory.busy_dexes)
            try:
                problems = self._reader.read_orders(asking, turn)
            finally:
                if "" not in self._reader.box.now.orders:
                    self._order_turns.again()
            return asking.fetched(self._reader.order_list(problems))

    def fetch_attached_orders(self) -> None:
        """They are among the open orders."""

    def fetch_order_history(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[OrderList]:
        """The newest orders whatever became of them; the venue keeps 2000 and may miss very recent ones."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            rows = self._session.ask_rows(asking, "historicalOrders")
            orders = history.parse_past_orders(rows, ACCOUNT_INFO["historicalOrders"].endpoint.name, problems)
            # The list has those that are still open as well.
            inside = [order for order in orders if order.status != "new" and _is_inside(order, start, end)]
            return asking.fetched(
                OrderList(
                    account=self._account,
                    orders=tuple(inside[: max(0, limit)]),
                    is_open=False,
                    is_complete=False,
                    problems=tuple(problems),
                )
            )

    def poll_past_orders(self) -> Fetched[OrderList]:
        """The newest orders that are no longer open."""
        return self.fetch_order_history(limit=PAST_ORDERS_KEPT)

    def fetch_fills(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FillList]:
        """The newest ``limit`` executions of all dexes and spot; the venue reaches back 10000 at most.

        Without ``start``, those of the newest 2000 that are not after ``end``.
        """
        problems: list[RowProblem] = []
        with self._asking() as asking:
            if start is None:
                rows = self._session.ask_rows(asking, "userFills")
                found = history.parse_fills(rows, ACCOUNT_INFO["userFills"].endpoint.name, problems)
                since = ALL_KEPT if len(rows) < FILLS_KEPT else None
                fills = tuple(fill for fill in found if end is None or fill.time <= end)
            else:
                since = start
                fills = self._range(asking, "userFillsByTime", history.parse_fills, (start, end), problems=problems)
            return asking.fetched(fill_list(self._account, _newest(fills), since, limit, problems, tells_sizes=True))

    def poll_fills(self) -> Fetched[FillList]:
        """The newest executions, up to 2000: all at the first time, then only what came since."""
        problems: list[RowProblem] = []
        held = self._reader.box.now.fills
        since = self._reader.box.now.fills_since
        with self._asking() as asking:
            if held:
                parse = history.parse_fills
                fills = self._range(
                    asking, "userFillsByTime", parse, (held[0].time, None), held=held, problems=problems
                )
            else:
                rows = self._session.ask_rows(asking, "userFills")
                fills = _newest(history.parse_fills(rows, ACCOUNT_INFO["userFills"].endpoint.name, problems))
                since = ALL_KEPT if len(rows) < FILLS_KEPT else None
            listed = fill_list(self._account, fills, since, FILLS_KEPT, problems, tells_sizes=True)
            self._reader.box.keep(fills=listed.fills, fills_since=listed.complete_since)
            return asking.fetched(listed)

    def fetch_funding(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FundingPaidList]:
        """The newest ``limit`` funding payments in [start, end]; without ``start`` those of the last seven days."""
        problems: list[RowProblem] = []
        since = (end or self._venue_clock.now()) - FUNDING_DEFAULT if start is None else start
        with self._asking() as asking:
            parse = history.parse_funding_paid
            payments = self._range(asking, "userFunding", parse, (since, end), problems=problems)
            return asking.fetched(
                FundingPaidList(
                    account=self._account,
                    payments=payments[: max(0, limit)],
                    complete_since=since if len(payments) <= limit else None,
                    problems=tuple(problems),
                )
            )

    def poll_funding(self) -> Fetched[FundingPaidList]:
        """Funding payments of the last seven days and since: all at the first time, then only what came since."""
        problems: list[RowProblem] = []
        held = self._reader.box.now.funding
        begun = self._reader.box.now.funding_since or self._venue_clock.now() - FUNDING_DEFAULT
        since = held[0].time if held else begun
        with self._asking() as asking:
            parse = history.parse_funding_paid
            payments = self._range(asking, "userFunding", parse, (since, None), held=held, problems=problems)
            kept = payments[:FILLS_KEPT]
            if len(kept) < len(payments):
                begun = kept[-1].time + JUST_AFTER
            if any(problem.is_row_lost for problem in problems):
                begun = kept[0].time + JUST_AFTER if kept else self._venue_clock.now()
            self._reader.box.keep(funding=kept, funding_since=begun)
            return asking.fetched(
                FundingPaidList(account=self._account, payments=kept, complete_since=begun, problems=tuple(problems))
            )

    def fetch_portfolio(self) -> Fetched[AccountHistory]:
        """Account value and PnL of the last day, week, month and of all time."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            rows = self._session.ask_rows(asking, "portfolio")
            periods = history.parse_portfolio(rows, ACCOUNT_INFO["portfolio"].endpoint.name, problems)
            return asking.fetched(AccountHistory(account=self._account, periods=periods, problems=tuple(problems)))

    def fetch_limits(self) -> Fetched[AddressLimits]:
        """The address's own limit of signed requests, which reading does not use."""
        with self._asking() as asking:
            reply = self._session.ask(asking, "userRateLimit", OBJECTS)
            endpoint = ACCOUNT_INFO["userRateLimit"].endpoint.name
            return asking.fetched(history.parse_limits(reply, endpoint, self._account))

    def fetch_sub_accounts(self) -> Fetched[tuple[history.SubAccount, ...]]:
        """Sub-accounts of the address, none when there are none. Each has an address that can be added."""
        with self._asking() as asking:
            rows = self._session.ask_rows(asking, "subAccounts")
            return asking.fetched(history.parse_sub_accounts(rows, ACCOUNT_INFO["subAccounts"].endpoint.name, []))

    def fetch_role(self) -> Fetched[history.AddressRole]:
        """What kind of address it is: 60 of weight, so only when asked by a person."""
        with self._asking() as asking:
            reply = self._session.ask(asking, "userRole", OBJECTS)
            return asking.fetched(history.parse_role(reply, ACCOUNT_INFO["userRole"].endpoint.name))

    def check(self) -> AccountCheck:
        """Ask what the address is and read its account. Blocks; never raises."""
        return run_check(self, self._pause)

    def poll_jobs(self, sharers: int = 1) -> tuple[PollJob, ...]:
        """The default plan."""
        return plan_account_jobs(self, sharers)

    def _asking(self, patience_s: float = Asking.PATIENCE_S) -> Asking:
        return Asking(self._transport, self._venue_clock, pause=self._pause, patience_s=patience_s)

    def _range(
        self,
        asking: Asking,
        kind: str,
        parse: ParseRows[R],
        span: tuple[datetime, datetime | None],
        *,
        held: tuple[R, ...] = (),
        problems: list[RowProblem],
    ) -> tuple[R, ...]:
        """``held`` and everything of ``span`` (start, end), newest first, each once; pages forward."""
        found: dict[R, None] = dict.fromkeys(held)
        page_start, end = span
        for _ in range(MAX_PAGES):
            # Negative times are refused by the server.
            body: dict[str, object] = {"startTime": max(0, to_ms(page_start))}
            if end is not None:
                body["endTime"] = max(0, to_ms(end))
            rows = self._session.ask_rows(asking, kind, body)
            page = parse(rows, ACCOUNT_INFO[kind].endpoint.name, problems)
            # The start is inclusive, so a page begins with the last rows of the one before.
            news = [row for row in page if row not in found]
            found.update(dict.fromkeys(news))
            if not news or len(rows) < PAGE_ROWS:
                break
            page_start = max(row.time for row in news)
        return tuple(sorted(found, key=lambda row: row.time, reverse=True))


def _newest(fills: "list[Fill] | tuple[Fill, ...]") -> tuple[Fill, ...]:
    return tuple(sorted(fills, key=lambda fill: fill.time, reverse=True))


def _is_inside(order: OpenOrder, start: datetime | None, end: datetime | None) -> bool:
    at = order.created_at
    if at is None:
        return start is None and end is None
    return (start is None or at >= start) and (end is None or at <= end)
