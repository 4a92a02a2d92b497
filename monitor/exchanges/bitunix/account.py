"""Bitunix futures account reads: signed GETs in, account values out."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from monitor.domain.account import (
    AccountSnapshot,
    AccountSummary,
    FillList,
    FundingPaid,
    FundingPaidList,
    OpenOrder,
    OrderList,
    Position,
    PositionList,
    RowProblem,
)
from monitor.domain.account_history import (
    LeverageList,
    LeverageSetting,
    PastPosition,
    PastPositionList,
    PositionHistory,
)
from monitor.domain.credentials import AccountCheck, AccountRef, Credentials
from monitor.exchanges.asking import Asking, VenueClock, utc_now
from monitor.exchanges.base import Fetched, PollJob
from monitor.exchanges.bitunix import account_parse as parse
from monitor.exchanges.bitunix.account_check import run_check
from monitor.exchanges.bitunix.account_fills import FillReader
from monitor.exchanges.bitunix.account_pages import PAGE_ROWS, read_pages, span_of
from monitor.exchanges.bitunix.account_plan import plan_account_jobs
from monitor.exchanges.bitunix.account_wallets import WalletReader
from monitor.exchanges.bitunix.private import Params, PrivateSession
from monitor.transport.interface import Endpoint, Transport

_BASE = "/api/v1/futures/"
ACCOUNT = Endpoint(name="bitunix.account", method="GET", path=_BASE + "account")
POSITIONS = Endpoint(name="bitunix.positions", method="GET", path=_BASE + "position/get_pending_positions")
ORDERS = Endpoint(name="bitunix.orders", method="GET", path=_BASE + "trade/get_pending_orders")
PAST_ORDERS = Endpoint(name="bitunix.past_orders", method="GET", path=_BASE + "trade/get_history_orders")
PAST_POSITIONS = Endpoint(name="bitunix.past_positions", method="GET", path=_BASE + "position/get_history_positions")
TRADES = Endpoint(name="bitunix.trades", method="GET", path=_BASE + "trade/get_history_trades")
TRIGGERS = Endpoint(name="bitunix.tpsl", method="GET", path=_BASE + "tpsl/get_pending_orders")
LEVERAGE = Endpoint(name="bitunix.leverage", method="GET", path=_BASE + "account/get_leverage_margin_mode")

DEFAULT_SYMBOL = "BTCUSDT"
"""Asked about while there is neither a position nor an order."""

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class BitunixAccount:
    """One Bitunix futures account; an :class:`~monitor.exchanges.accounts.AccountClient`.

    Money is in USDT. Wallets in other coins are read now and then, that of a contract held at every poll; they are
    listed as balances but not added to the equity. A read-only key is enough.

    Thread: any; ``poll_fills`` and ``poll_leverage`` each from one at a time.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.perf_counter,
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
        self._wallets = WalletReader(self._session, self._account, ACCOUNT, clock)
        # Replaced as a whole, never changed: two pollers may read it at once.
        self._busy_coins: frozenset[str] = frozenset()
        self._fills = FillReader(self._session, self._account, TRADES)
        self._position_symbols: frozenset[str] = frozenset()
        self._held: Mapping[str, Position] = {}
        self._order_symbols: frozenset[str] = frozenset()
        self._leverage: tuple[LeverageSetting, ...] = ()
        self._leverage_turn = 0

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        return self._account

    def fetch_summary(self) -> Fetched[AccountSummary]:
        """Equity, margin and balances, of the first wallet and those that positions use."""
        with self._asking() as asking:
            return asking.fetched(self._wallets.read(asking, self._busy_coins, is_every=False))

    def poll_summary(self) -> Fetched[AccountSummary]:
        """The same, and the other wallets as they were last seen: one is read now and then, and its age is told."""
        with self._asking() as asking:
            return asking.fetched(self._wallets.poll(asking, self._busy_coins))

    def fetch_positions(self) -> Fetched[PositionList]:
        """Every open position."""
        with self._asking() as asking:
            return asking.fetched(self._positions(asking))

    def fetch_snapshot(self) -> Fetched[AccountSnapshot]:
        """Positions and summary with every wallet, one request after the other."""
        with self._asking() as asking:
            positions = self._positions(asking)
            summary = self._wallets.read(asking, self._busy_coins, is_every=True)
            return asking.fetched(AccountSnapshot(account=self._account, summary=summary, positions=positions))

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Every open order, 100 a request under one end time, newest first."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            orders, is_complete = read_pages(
                self._session, asking, ORDERS, {}, parse.parse_orders, key=_order_key, problems=problems
            )
            self._order_symbols = frozenset(order.venue_symbol for order in orders)
            return asking.fetched(
                OrderList(
                    account=self._account,
                    orders=_newest_orders(orders),
                    is_complete=is_complete and not any(problem.is_row_lost for problem in problems),
                    problems=tuple(problems),
                )
            )

    def fetch_attached_orders(self) -> Fetched[OrderList]:
        """Take-profit and stop-loss orders of positions. Sides and some sizes need the positions read before."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            data = self._session.ask(asking, TRIGGERS, {})
            orders = parse.parse_triggers(data, TRIGGERS.name, self._held, problems)
            is_complete = not any(problem.is_row_lost for problem in problems)
            return asking.fetched(
                OrderList(
                    account=self._account,
                    orders=tuple(orders),
                    is_attached=True,
                    is_complete=is_complete,
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
                params: Params = {"queryCanceled": is_cancelled, **span_of(start, end)}
                page, _ = read_pages(
                    self._session,
                    asking,
                    PAST_ORDERS,
                    params,
                    parse.parse_orders,
                    key=_order_key,
                    problems=problems,
                    limit=limit,
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

    def fetch_fills(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FillList]:
        """The newest ``limit`` executions in [start, end], newest first."""
        with self._asking() as asking:
            return asking.fetched(self._fills.fetch(asking, start, end, limit))

    def poll_fills(self) -> Fetched[FillList]:
        """The newest executions, by and by back to midnight UTC; see :class:`FillReader`."""
        with self._asking() as asking:
            return asking.fetched(self._fills.poll(asking))

    def poll_past_orders(self) -> Fetched[OrderList]:
        """The newest hundred past orders, two requests."""
        return self.fetch_order_history()

    def poll_past_positions(self) -> Fetched[PositionHistory]:
        """The newest hundred closed positions, and the funding of each."""
        problems: list[RowProblem] = []
        with self._asking() as asking:
            positions = self._past_positions(asking, None, None, PAGE_ROWS, problems)
            payments = tuple(one for one in map(parse.funding_of, positions) if one is not None)
            return asking.fetched(
                PositionHistory(
                    account=self._account,
                    positions=PastPositionList(account=self._account, positions=positions, problems=tuple(problems)),
                    funding=FundingPaidList(account=self._account, payments=payments),
                )
            )

    def poll_leverage(self) -> Fetched[LeverageList]:
        """Settings of the contracts with positions or open orders, one asked now, in turn."""
        with self._asking() as asking:
            symbols = sorted(self._position_symbols | self._order_symbols) or [DEFAULT_SYMBOL]
            symbol = symbols[self._leverage_turn % len(symbols)]
            self._leverage_turn += 1
            setting = self._leverage_of(asking, symbol)
            held = {one.venue_symbol: one for one in self._leverage if one.venue_symbol in symbols}
            self._leverage = tuple({**held, symbol: setting}.values())
            return asking.fetched(LeverageList(account=self._account, settings=self._leverage))

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
            return asking.fetched(self._leverage_of(asking, venue_symbol.upper(), margin_coin))

    def fetch_portfolio(self) -> None:
        """The venue has none."""

    def check(self) -> AccountCheck:
        """Read account, positions and orders once; say what is right or wrong. Blocks; never raises."""
        return run_check(self, self._session, self._pause)

    def poll_jobs(self, sharers: int = 1) -> tuple[PollJob, ...]:
        """The default plan."""
        return plan_account_jobs(self, sharers)

    def _leverage_of(self, asking: Asking, symbol: str, margin_coin: str | None = None) -> LeverageSetting:
        coin = margin_coin or ("USDC" if symbol.endswith("USDC") else "USDT")
        data = self._session.ask(asking, LEVERAGE, {"symbol": symbol, "marginCoin": coin})
        return parse.parse_leverage(data, LEVERAGE.name)

    def _asking(self) -> Asking:
        return Asking(self._transport, self._session.clock, pause=self._pause)

    def _positions(self, asking: Asking) -> PositionList:
        positions = parse.parse_positions(self._session.ask(asking, POSITIONS, {}), POSITIONS.name, self._account)
        self._position_symbols = frozenset(position.venue_symbol for position in positions.positions)
        self._held = {position.position_id: position for position in positions.positions}
        if any(symbol.endswith("USDC") for symbol in self._position_symbols):
            self._busy_coins = frozenset({"USDC"})
        return positions

    def _past_positions(
        self, asking: Asking, start: datetime | None, end: datetime | None, limit: int, problems: list[RowProblem]
    ) -> tuple[PastPosition, ...]:
        found, _ = read_pages(
            self._session,
            asking,
            PAST_POSITIONS,
            span_of(start, end),
            parse.parse_past_positions,
            key=lambda position: position.position_id,
            problems=problems,
            limit=limit,
        )
        found.sort(key=lambda position: position.closed_at or _LONG_AGO, reverse=True)
        return tuple(found[: max(0, limit)])


def _order_key(order: OpenOrder) -> str:
    return order.order_id


def _newest_orders(orders: Iterable[OpenOrder]) -> tuple[OpenOrder, ...]:
    return tuple(sorted(orders, key=lambda order: (order.created_at or _LONG_AGO, order.order_id), reverse=True))
