"""Bitunix futures account reads: signed GETs in, account values out."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from monitor.domain.account import (
    ALL_KEPT,
    JUST_AFTER,
    AccountSnapshot,
    AccountSummary,
    Fill,
    FillList,
    FundingPaid,
    FundingPaidList,
    OpenOrder,
    OrderList,
    PositionList,
    RowProblem,
)
from monitor.domain.account_history import LeverageSetting, PastPosition, PastPositionList
from monitor.domain.credentials import AccountCheck, AccountRef, Credentials
from monitor.domain.errors import BudgetExhausted
from monitor.exchanges.account_rows import fill_list
from monitor.exchanges.asking import Asking, VenueClock, utc_now
from monitor.exchanges.base import Fetched, PollJob
from monitor.exchanges.bitunix import account_parse as parse
from monitor.exchanges.bitunix.account_check import run_check
from monitor.exchanges.bitunix.account_plan import plan_account_jobs
from monitor.exchanges.bitunix.private import Params, PrivateSession
from monitor.exchanges.decoding import to_ms
from monitor.transport.interface import Endpoint, Transport

T = TypeVar("T")

_BASE = "/api/v1/futures/"
ACCOUNT = Endpoint(name="bitunix.account", method="GET", path=_BASE + "account")
POSITIONS = Endpoint(name="bitunix.positions", method="GET", path=_BASE + "position/get_pending_positions")
ORDERS = Endpoint(name="bitunix.orders", method="GET", path=_BASE + "trade/get_pending_orders")
PAST_ORDERS = Endpoint(name="bitunix.past_orders", method="GET", path=_BASE + "trade/get_history_orders")
PAST_POSITIONS = Endpoint(name="bitunix.past_positions", method="GET", path=_BASE + "position/get_history_positions")
TRADES = Endpoint(name="bitunix.trades", method="GET", path=_BASE + "trade/get_history_trades")
ORDER_DETAIL = Endpoint(name="bitunix.order_detail", method="GET", path=_BASE + "trade/get_order_detail")
LEVERAGE = Endpoint(name="bitunix.leverage", method="GET", path=_BASE + "account/get_leverage_margin_mode")

PAGE_ROWS = 100
"""Most rows of a page."""
MAX_PAGES = 50
FILLS_KEPT = 2_000
BACK_PAGES = 4
"""Older pages of executions that a poll asks for at most."""
OVERLAP = timedelta(minutes=1)
"""What is listed late must not be missed."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

ParsePage = Callable[[Any, str, list[RowProblem]], tuple[list[T], int | None, int]]


class BitunixAccount:
    """One Bitunix futures account; an :class:`~monitor.exchanges.accounts.AccountClient`.

    Money is in USDT. When a contract margined in USDC is held, that wallet is read as well; it is listed as a balance
    but not added to the equity. A read-only key is enough.

    Thread: any; ``poll_fills`` from one at a time.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
        session: PrivateSession | None = None,
    ) -> None:
        self._transport = transport
        self._account = credentials.account
        self._pause = pause
        self._clock = VenueClock(wall_clock)
        self._session = session or PrivateSession(
            transport,
            self._clock,
            api_key=credentials["api_key"],
            secret=credentials["secret"],
        )
        # Replaced as a whole, never changed: two pollers may read it at once.
        self._margin_coins: tuple[str, ...] = ("USDT",)
        self._fills: FillList | None = None

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        return self._account

    def fetch_summary(self) -> Fetched[AccountSummary]:
        """Equity, margin and balances."""
        with self._asking() as asking:
            return asking.fetched(self._summary(asking))

    def fetch_positions(self) -> Fetched[PositionList]:
        """Every open position."""
        with self._asking() as asking:
            return asking.fetched(self._positions(asking))

    def fetch_snapshot(self) -> Fetched[AccountSnapshot]:
        """Positions and summary, two requests one after the other."""
        with self._asking() as asking:
            positions = self._positions(asking)
            summary = self._summary(asking)
            return asking.fetched(AccountSnapshot(account=self._account, summary=summary, positions=positions))

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Every open order, 100 a request under one end time, newest first."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            orders, is_complete = self._pages(asking, ORDERS, {}, parse.parse_orders, _order_key, problems=problems)
            return asking.fetched(
                OrderList(
                    account=self._account,
                    orders=_newest_orders(orders),
                    is_complete=is_complete and not any(problem.is_row_lost for problem in problems),
                    problems=tuple(problems),
                )
            )

    def fetch_order_history(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[OrderList]:
        """Past orders: done ones of up to 90 days, cancelled ones of up to 3 days, as long as the venue keeps them."""
        problems: list[RowProblem] = []
        found: dict[str, OpenOrder] = {}
        with self._asking() as asking:
            for is_cancelled in (False, True):
                params: Params = {"queryCanceled": is_cancelled, **_span(start, end)}
                page, _ = self._pages(
                    asking, PAST_ORDERS, params, parse.parse_orders, _order_key, problems=problems, limit=limit
                )
                found.update((order.order_id, order) for order in page)
            orders = _newest_orders(found.values())[: max(0, limit)]
            return asking.fetched(
                OrderList(
                    account=self._account,
                    orders=orders,
                    is_open=False,
                    is_complete=False,
                    problems=tuple(problems),
                )
            )

    def fetch_order(self, order_id: str) -> Fetched[OpenOrder]:
        """One order, whatever its state. Only the id is sent: with a symbol the venue has refused it."""
        with self._asking() as asking:
            data = self._session.ask(asking, ORDER_DETAIL, {"orderId": order_id})
            return asking.fetched(parse.parse_order(data, ORDER_DETAIL.name, []))

    def fetch_fills(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FillList]:
        """The newest ``limit`` executions in [start, end], newest first."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            fills, is_all = self._pages(
                asking, TRADES, _span(start, end), parse.parse_trades, _fill_key, problems=problems, limit=limit
            )
            since = (start or ALL_KEPT) if is_all else None
            return asking.fetched(fill_list(self._account, _newest_fills(fills), since, limit, problems))

    def poll_fills(self) -> Fetched[FillList]:
        """The newest executions: a page, as many as it takes back to midnight UTC, then only what came since.

        ``BACK_PAGES`` at a poll; until they reach back ``complete_since`` says how far they do.
        """
        problems: list[RowProblem] = []
        held = self._fills
        with self._asking() as asking:
            known = () if held is None else held.fills
            start = known[0].time - OVERLAP if known else None
            limit = None if known else PAGE_ROWS
            new, is_all = self._pages(
                asking, TRADES, _span(start, None), parse.parse_trades, _fill_key, problems=problems, limit=limit
            )
            fills = {fill.key: fill for fill in (*_newest_fills(new), *known)}
            since = None if held is None else held.complete_since
            if not known:
                since = ALL_KEPT if is_all else None
            elif not is_all:
                # Between what is new and what was known some may be missing.
                since = _newest_fills(new)[-1].time + JUST_AFTER if new else since
            newest = _newest_fills(fills.values())
            listed = fill_list(self._account, newest, since, FILLS_KEPT, problems)
            self._fills = listed = self._fill_back(asking, listed)
            return asking.fetched(listed)

    def fetch_position_history(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[PastPositionList]:
        """The newest ``limit`` closed positions that were opened in [start, end], the last closed first."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            positions = self._past_positions(asking, start, end, limit, problems)
            return asking.fetched(
                PastPositionList(account=self._account, positions=positions, problems=tuple(problems))
            )

    def fetch_funding(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FundingPaidList]:
        """The funding of closed positions, one sum each: the venue lists no payments.

        ``start`` and ``end`` bound when the position was opened. An open position's is in ``Position.funding``.
        """
        problems: list[RowProblem] = []
        with self._asking() as asking:
            positions = self._past_positions(asking, start, end, limit, problems)
            payments: list[FundingPaid] = []
            for position in positions:
                payment = parse.funding_of(position)
                if payment is not None:
                    payments.append(payment)
            return asking.fetched(
                FundingPaidList(account=self._account, payments=tuple(payments), problems=tuple(problems))
            )

    def fetch_leverage(self, venue_symbol: str, *, margin_coin: str = "USDT") -> Fetched[LeverageSetting]:
        """Leverage and margin mode that a new position of this contract would have."""
        with self._asking() as asking:
            params: Params = {"symbol": venue_symbol.upper(), "marginCoin": margin_coin}
            return asking.fetched(parse.parse_leverage(self._session.ask(asking, LEVERAGE, params), LEVERAGE.name))

    def check(self) -> AccountCheck:
        """Read account, positions and orders once; say what is right or wrong. Blocks; never raises."""
        return run_check(self, self._session, self._pause)

    def poll_jobs(self, sharers: int = 1) -> tuple[PollJob, ...]:
        """The default plan."""
        return plan_account_jobs(self, sharers)

    def _asking(self) -> Asking:
        return Asking(self._transport, self._session.clock, pause=self._pause)

    def _summary(self, asking: Asking) -> AccountSummary:
        summary: AccountSummary | None = None
        for coin in self._margin_coins:
            data = self._session.ask(asking, ACCOUNT, {"marginCoin": coin})
            wallet = parse.parse_account(data, ACCOUNT.name, self._account, coin)
            summary = wallet if summary is None else parse.with_other_wallet(summary, wallet)
        assert summary is not None  # noqa: S101  # there is always at least one margin coin
        return summary

    def _positions(self, asking: Asking) -> PositionList:
        positions = parse.parse_positions(self._session.ask(asking, POSITIONS, {}), POSITIONS.name, self._account)
        if any(position.venue_symbol.endswith("USDC") for position in positions.positions):
            self._margin_coins = ("USDT", "USDC")
        return positions

    def _fill_back(self, asking: Asking, listed: FillList) -> FillList:
        """``listed`` with older executions, until it reaches back to midnight UTC or this poll has asked enough."""
        midnight = self._session.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        problems = list(listed.problems)
        for _ in range(BACK_PAGES):
            since, fills = listed.complete_since, listed.fills
            is_lost = any(problem.is_row_lost for problem in problems)
            if is_lost or not fills or len(fills) >= FILLS_KEPT or since is None or since <= midnight:
                break
            edge = since - JUST_AFTER
            try:
                older, is_all = self._pages(
                    asking,
                    TRADES,
                    _span(None, edge),
                    parse.parse_trades,
                    _fill_key,
                    problems=problems,
                    limit=PAGE_ROWS,
                )
            except BudgetExhausted:
                break
            found = _newest_fills({fill.key: fill for fill in (*fills, *older)}.values())
            reached = _newest_fills(older)[-1].time + JUST_AFTER if older else edge
            if not is_all and reached >= since:
                break  # a page of one instant, or one that tells nothing new
            listed = fill_list(self._account, found, ALL_KEPT if is_all else reached, FILLS_KEPT, problems)
        return listed

    def _past_positions(
        self, asking: Asking, start: datetime | None, end: datetime | None, limit: int, problems: list[RowProblem]
    ) -> tuple[PastPosition, ...]:
        found, _ = self._pages(
            asking,
            PAST_POSITIONS,
            _span(start, end),
            parse.parse_past_positions,
            lambda position: position.position_id,
            problems=problems,
            limit=limit,
        )
        found.sort(key=lambda position: position.closed_at or _LONG_AGO, reverse=True)
        return tuple(found[: max(0, limit)])

    def _pages(
        self,
        asking: Asking,
        endpoint: Endpoint,
        params: Params,
        parse_page: ParsePage[T],
        key: Callable[[T], object],
        *,
        problems: list[RowProblem],
        limit: int | None = None,
    ) -> tuple[list[T], bool]:
        """Rows of as many pages as ``limit`` needs (``None``: all), each once, and whether that was all there is.

        All pages are asked under one end time, so that a new row does not push the others to the next page.
        """
        fixed: dict[str, str | int | bool | None] = {"endTime": to_ms(self._session.clock.now()), **params}
        found: dict[object, T] = {}
        skip = 0
        for _ in range(MAX_PAGES):
            wanted = PAGE_ROWS if limit is None else max(1, min(PAGE_ROWS, limit - len(found)))
            data = self._session.ask(asking, endpoint, {**fixed, "skip": skip, "limit": wanted})
            rows, total, count = parse_page(data, endpoint.name, problems)
            news = {key(row): row for row in rows if key(row) not in found}
            found.update(news)
            skip += count
            # A row that is lost to a problem is still a row of the page.
            if not count or (rows and not news):
                return list(found.values()), total is None or skip >= total
            is_end = skip >= total if total is not None else count < wanted
            if is_end or (limit is not None and len(found) >= limit):
                return list(found.values()), is_end
        return list(found.values()), False


def _span(start: datetime | None, end: datetime | None) -> dict[str, str | int | bool | None]:
    span: dict[str, str | int | bool | None] = {}
    if start is not None:
        span["startTime"] = max(0, to_ms(start))
    if end is not None:
        span["endTime"] = max(0, to_ms(end))
    return span


def _order_key(order: OpenOrder) -> str:
    return order.order_id


def _fill_key(fill: Fill) -> str:
    return fill.key


def _newest_fills(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    return tuple(sorted(fills, key=lambda fill: (fill.time, fill.fill_id), reverse=True))


def _newest_orders(orders: Iterable[OpenOrder]) -> tuple[OpenOrder, ...]:
    return tuple(sorted(orders, key=lambda order: (order.created_at or _LONG_AGO, order.order_id), reverse=True))
