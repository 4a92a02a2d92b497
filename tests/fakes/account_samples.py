"""Accounts of two venues put onto a board by hand, on a clock that only moves when told."""

from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monitor.domain.account import (
    ALL_KEPT,
    AccountSnapshot,
    AccountSummary,
    Balance,
    Fill,
    FillList,
    FundingPaid,
    FundingPaidList,
    OpenOrder,
    OrderList,
    OrderSide,
    Position,
    PositionList,
    PositionSide,
    RowProblem,
)
from monitor.domain.account_history import (
    AccountHistory,
    AccountPeriod,
    AddressLimits,
    LeverageList,
    LeverageSetting,
    PastPosition,
    PastPositionList,
    PositionHistory,
)
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind, Failure, PauseCause
from monitor.domain.telemetry import BudgetState
from monitor.exchanges.base import Payload, Source
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.accounts import Access
from monitor.state.board import Board
from tests.fakes.board_samples import SampleClock
from tests.fakes.poll_results import make_budget
from tests.fakes.sample_markets import FIRST, SECOND

MAIN = AccountRef(FIRST, "main")
VAULT = AccountRef(SECOND, "vault money")

D = Decimal


def position(symbol: str = "BTCUSDT", **changes: object) -> Position:
    """A long of 0.5 from 96,000 with ten times leverage, unless told otherwise."""
    made = Position(
        venue_symbol=symbol,
        side=PositionSide.LONG,
        size=D("0.5"),
        entry_price=D("96000"),
        mark_price=None,
        unrealized_pnl=D("706.25"),
        leverage=D(10),
        margin_mode="cross",
        margin=D("4800"),
        liquidation_price=D("87312.4"),
        position_id=f"{symbol}-1",
        margin_ratio=D("0.12"),
        realized_pnl=D("-21.5"),
        fee_paid=D("19.2"),
        funding=D("-2.3"),
    )
    return replace(made, **changes)


def order(order_id: str = "1001", **changes: object) -> OpenOrder:
    """A limit buy of 0.2 at 95,000, a quarter done."""
    made = OpenOrder(
        order_id=order_id,
        venue_symbol="BTCUSDT",
        side=OrderSide.BUY,
        order_type="limit",
        price=D(95_000),
        size=D("0.2"),
        filled=D("0.05"),
        reduce_only=False,
        status="partly_filled",
    )
    return replace(made, **changes)


class SampleAccounts:
    """Feeds the accounts of ``board``; ``deliver`` anything else."""

    def __init__(self, board: Board, clock: SampleClock) -> None:
        self.board = board
        self.clock = clock
        board.accounts.set_refs((MAIN, VAULT))
        for ref in (MAIN, VAULT):
            board.accounts.set_access(ref, Access.OPEN)

    def deliver(
        self, ref: AccountRef, what: str, payload: Payload, *, cadence_s: float = 5.0, took_s: float = 0.08
    ) -> None:
        """One successful poll of ``what``, whole at this moment."""
        self.board.apply([self.success(ref, what, payload, cadence_s=cadence_s, took_s=took_s)])

    def success(
        self, ref: AccountRef, what: str, payload: Payload, *, cadence_s: float = 5.0, took_s: float = 0.08
    ) -> PollSuccess:
        """The same, not delivered."""
        now_s = self.clock.now_s
        return PollSuccess(
            venue=ref.venue,
            endpoint=f"{ref.venue}.{what}",
            key=f"{ref.venue}.{what}@{ref.name}",
            plan_epoch=0,
            cadence_s=cadence_s,
            payload=payload,
            requested_mono_s=now_s - took_s,
            received_mono_s=now_s,
            received_at=self.clock.utc_now(),
            source=Source.NETWORK,
            cache_age_s=0.0,
            clock_offset_s=None,
            traces=(),
            pools=(),
            budget=make_budget(ref.venue),
            missed=0,
            planned=1,
            made=1,
            account=ref,
        )

    def fail(
        self,
        ref: AccountRef,
        what: str = "account",
        *,
        kind: ErrorKind = ErrorKind.CREDENTIALS,
        text: str = "Bitunix does not know this API key. Replace it under Accounts.",
        streak: int = 1,
        missed: int = 0,
        pause: PauseCause | None = None,
        budget: BudgetState | None = None,
    ) -> None:
        """One failed poll of ``what``, now."""
        self.board.apply(
            [
                PollFailure(
                    venue=ref.venue,
                    endpoint=f"{ref.venue}.{what}",
                    key=f"{ref.venue}.{what}@{ref.name}",
                    plan_epoch=0,
                    cadence_s=5.0,
                    failure=Failure(kind=kind, user_text=text, pause=pause),
                    failed_mono_s=self.clock.now_s,
                    failed_at=self.clock.utc_now(),
                    traces=(),
                    pools=(),
                    budget=budget or make_budget(ref.venue),
                    missed=missed,
                    planned=1,
                    made=1,
                    streak=streak,
                    next_due_in_s=5.0,
                    account=ref,
                )
            ]
        )

    def fill_in(self) -> None:
        """Positions, orders, balances, fills and funding of both accounts."""
        self.deliver(MAIN, "account", self.summary_of_main())
        self.deliver(
            MAIN,
            "positions",
            PositionList(
                account=MAIN,
                positions=(
                    position(),
                    position(
                        "ETHUSDT",
                        side=PositionSide.SHORT,
                        size=D(12),
                        entry_price=D("3352.1"),
                        unrealized_pnl=D("-351.84"),
                        margin=D("2011.26"),
                        margin_mode="isolated",
                        leverage=D(20),
                        liquidation_price=D("3498.7"),
                        margin_ratio=D("0.61"),
                        realized_pnl=D("-4.02"),
                    ),
                ),
            ),
        )
        self.deliver(MAIN, "orders", OrderList(account=MAIN, orders=(order(),)), cadence_s=10.0)
        now = self.clock.utc_now()
        self.deliver(MAIN, "trades", FillList(account=MAIN, fills=fills(now.replace(microsecond=0))), cadence_s=60.0)
        self.deliver(
            VAULT,
            "clearinghouseState",
            AccountSnapshot(account=VAULT, summary=self.summary_of_vault(), positions=self.positions_of_vault()),
        )
        self.deliver(
            VAULT,
            "frontendOpenOrders",
            OrderList(
                account=VAULT,
                orders=(
                    order(
                        "77",
                        venue_symbol="BTC",
                        side=OrderSide.SELL,
                        order_type="stop market",
                        price=None,
                        trigger_price=D(93_500),
                        trigger_condition="Price below 93500",
                        filled=None,
                        size=D("0.31"),
                        reduce_only=True,
                        status="waiting",
                    ),
                ),
            ),
            cadence_s=20.0,
        )
        self.deliver(VAULT, "userFills", FillList(account=VAULT, fills=()), cadence_s=60.0)
        self.deliver(
            VAULT,
            "userFunding",
            FundingPaidList(
                account=VAULT,
                payments=(
                    FundingPaid(venue_symbol="BTC", time=now - timedelta(hours=1), amount=D("-1.25")),
                    FundingPaid(venue_symbol="BTC", time=now - timedelta(days=1), amount=D("-7")),
                ),
                complete_since=now - timedelta(days=7),
            ),
            cadence_s=600.0,
        )

    def fill_in_past(self) -> None:
        """Past orders, closed positions and settings of the one, executions with sizes and the venue's own figures of
        the other."""
        now = self.clock.utc_now().replace(microsecond=0)
        done = order("900", status="filled", filled=D("0.2"), updated_at=now - timedelta(hours=2))
        gone = order("901", status="cancelled", updated_at=now - timedelta(hours=1))
        past = OrderList(account=MAIN, orders=(gone, done), is_open=False, is_complete=False)
        self.deliver(MAIN, "past_orders", past, cadence_s=300.0)
        closed = PastPosition(
            venue_symbol="SOLUSDT",
            side=PositionSide.SHORT,
            position_id="4001",
            max_size=D(40),
            entry_price=D("151.2"),
            close_price=D("149.75"),
            realized_pnl=D("55.1"),
            fee_paid=D("2.4"),
            funding=D("-0.5"),
            liquidated_size=None,
            leverage=D(20),
            margin_mode="isolated",
            opened_at=now - timedelta(hours=9),
            closed_at=now - timedelta(hours=3),
        )
        payment = FundingPaid(
            venue_symbol="SOLUSDT", time=now - timedelta(hours=3), amount=D("-0.5"), is_position_total=True
        )
        history = PositionHistory(
            account=MAIN,
            positions=PastPositionList(account=MAIN, positions=(closed,)),
            funding=FundingPaidList(account=MAIN, payments=(payment,)),
        )
        self.deliver(MAIN, "past_positions", history, cadence_s=300.0)
        setting = LeverageSetting(venue_symbol="BTCUSDT", leverage=D(25), margin_mode="isolated")
        self.deliver(MAIN, "leverage", LeverageList(account=MAIN, settings=(setting,)), cadence_s=60.0)
        self.deliver(VAULT, "userFills", self.sized_fills(now), cadence_s=60.0)
        past = OrderList(account=VAULT, orders=(), is_open=False, is_complete=False)
        self.deliver(VAULT, "historicalOrders", past, cadence_s=900.0)
        limits = AddressLimits(account=VAULT, volume=D(1_000_000), used=12_345, cap=1_010_000, surplus=0)
        self.deliver(VAULT, "userRateLimit", limits, cadence_s=900.0)
        periods = tuple(
            AccountPeriod(period=name, values=(), pnl=((now, D(0)), (now, D(gain))), volume=None)
            for name, gain in (("day", "81.5"), ("week", "-310.25"), ("allTime", "4120"))
        )
        self.deliver(VAULT, "portfolio", AccountHistory(account=VAULT, periods=periods), cadence_s=600.0)

    def sized_fills(self, now: datetime) -> FillList:
        """A long in ETH opened and closed, and one in BTC opened and still held."""
        made = fills(now)[0]
        steps = (
            ("31", "BTC", OrderSide.BUY, "0.31", "0", "0", 1),
            ("22", "ETH", OrderSide.SELL, "2", "2", "40", 2),
            ("21", "ETH", OrderSide.BUY, "2", "0", "0", 5),
        )
        return FillList(
            account=VAULT,
            fills=tuple(
                replace(
                    made,
                    fill_id=number,
                    venue_symbol=symbol,
                    side=side,
                    size=D(size),
                    price=D(3_400),
                    position_before=D(before),
                    realized_pnl=D(gain),
                    fee_paid=D("1.5"),
                    fee_asset="USDC",
                    time=now - timedelta(hours=hours),
                )
                for number, symbol, side, size, before, gain, hours in steps
            ),
            complete_since=ALL_KEPT,
            tells_sizes=True,
        )

    def summary_of_main(self, **changes: object) -> AccountSummary:
        """15,420.75 USDT."""
        made = AccountSummary(
            account=MAIN,
            currency="USDT",
            equity=D("15420.75"),
            available=D("7312.1"),
            balances=(Balance(asset="USDT", total=D("15066.34"), available=D("7312.1"), value=D("15066.34")),),
            wallet_balance=D("15066.34"),
            unrealized_pnl=D("354.41"),
            margin_used=D("6811.26"),
        )
        return replace(made, **changes)

    def summary_of_vault(self, **changes: object) -> AccountSummary:
        """A unified account of 40,210.5 USDC."""
        made = AccountSummary(
            account=VAULT,
            currency="USDC",
            equity=D("40210.5"),
            available=D("31000"),
            balances=(
                Balance(asset="USDC", total=D("38000.5"), available=D("31000"), value=D("38000.5"), location="spot"),
                Balance(asset="HYPE", total=D("71"), available=D("71"), value=D("2210"), location="spot"),
            ),
            unrealized_pnl=D("412.9"),
            margin_used=D("3020"),
            mode="unifiedAccount",
            oldest_part_mono_s=self.clock.now_s - 7.0,
        )
        return replace(made, **changes)

    def positions_of_vault(self) -> PositionList:
        """A long with a mark of its own, and a row that could not be read."""
        return PositionList(
            account=VAULT,
            positions=(
                position(
                    "BTC",
                    size=D("0.31"),
                    entry_price=D("96080"),
                    mark_price=D("97408"),
                    unrealized_pnl=D("412.9"),
                    liquidation_price=None,
                    margin=D("3020"),
                    position_id="BTC",
                    realized_pnl=None,
                    funding=D("-3.15"),
                    leverage=None,
                ),
            ),
            is_complete=False,
            oldest_part_mono_s=self.clock.now_s - 7.0,
            problems=(
                RowProblem(
                    path="assetPositions[0].position.leverage.value",
                    expected="a number",
                    is_row_lost=False,
                    row_id="BTC",
                ),
                RowProblem(path="assetPositions[1].position.szi", expected="a number", is_row_lost=True),
            ),
        )


def fills(now: datetime) -> tuple[Fill, ...]:
    """A sale of an hour ago that realised 55.5, and a purchase of two days ago."""
    return (
        Fill(
            fill_id="f2",
            order_id="1000",
            venue_symbol="BTCUSDT",
            side=OrderSide.SELL,
            price=D("97100.5"),
            size=D("0.05"),
            time=now - timedelta(hours=1),
            fee_paid=D("1.94"),
            fee_asset="USDT",
            realized_pnl=D("55.5"),
            is_taker=False,
        ),
        Fill(
            fill_id="f1",
            order_id="999",
            venue_symbol="BTCUSDT",
            side=OrderSide.BUY,
            price=D("96000"),
            size=D("0.55"),
            time=now - timedelta(days=2),
            fee_paid=D("21.12"),
            fee_asset="USDT",
            realized_pnl=D(0),
            is_taker=True,
        ),
    )
