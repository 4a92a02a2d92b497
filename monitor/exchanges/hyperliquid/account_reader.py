"""Reads the parts of a Hyperliquid account and remembers those that seldom change."""

import time
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from monitor.domain.account import AccountSnapshot, OrderList, PositionList, RowProblem
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import BudgetExhausted, EdgeBlocked, MonitorError, PayloadError, RateLimited, VenueError
from monitor.exchanges.asking import Asking
from monitor.exchanges.decoding import is_symbol
from monitor.exchanges.hyperliquid import parse as market_parse
from monitor.exchanges.hyperliquid import wire
from monitor.exchanges.hyperliquid.account_info import ACCOUNT_INFO, OBJECTS, TEXTS, AccountSession
from monitor.exchanges.hyperliquid.account_memory import DexOrders, Held, MemoryBox
from monitor.exchanges.hyperliquid.account_parse import (
    parse_clearinghouse,
    parse_mode,
    parse_open_orders,
    parse_spot,
)
from monitor.exchanges.hyperliquid.account_values import (
    ONLY_USDC,
    SEPARATE_MODES,
    TokenPrices,
    needs_prices,
    positions_of,
    summarize,
)
from monitor.exchanges.hyperliquid.names import USDC_INDEX
from monitor.exchanges.hyperliquid.spot_meta import keep_spot_meta, kept_spot_meta

MODE_KEPT_S = 3_600.0
DEXES_KEPT_S = 3_600.0
SPOT_META_KEPT_S = 3_600.0
PRICES_KEPT_S = 60.0
WITHIN_SHARE = "within our share of the limit"
"""What a part was not that our own budget left for later."""

_dex_rows = msgspec.json.Decoder(list[wire.PerpDex | None])
_meta = msgspec.json.Decoder(wire.Meta)
_spot_meta = msgspec.json.Decoder(wire.SpotMeta)
_mids = msgspec.json.Decoder(wire.AllMids)


class AccountReader:
    """One address's state, dex by dex. Thread: any; the memory is replaced as a whole."""

    def __init__(
        self, session: AccountSession, account: AccountRef, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._session = session
        self._account = account
        self._clock = clock
        self.box = MemoryBox()

    def read_mode(self, asking: Asking) -> str:
        """How the account counts its margin; asked once an hour, before anything else."""
        held = self.box.now.mode
        if held is None or self._is_older(held, MODE_KEPT_S):
            held = Held(parse_mode(self._session.ask(asking, "userAbstraction", TEXTS)), self._clock())
            self.box.keep(mode=held)
        return held.value

    def read_dexes(self, asking: Asking) -> tuple[str, ...]:
        """Every dex, the first one as the empty text; asked once an hour."""
        held = self.box.now.dexes
        if held is None or self._is_older(held, DEXES_KEPT_S):
            rows = self._session.ask_market(asking, "perpDexs", _dex_rows)
            names = market_parse.parse_dexes(rows, ACCOUNT_INFO["perpDexs"].endpoint.name)
            held = Held(("", *dict.fromkeys(name for name in names if name and is_symbol(name))), self._clock())
            self.box.keep(dexes=held)
        return held.value

    def read_states(self, asking: Asking, dexes: Iterable[str]) -> list[RowProblem]:
        """Ask ``dexes``; a builder dex that fails is named in what is returned and keeps what was known of it.

        Raises:
            MonitorError: the first dex failed, nothing could be read at all, or the venue or our budget says stop.
        """

        def read(dex: str) -> None:
            asked_mono_s = self._clock()
            reply = self._session.ask(asking, "clearinghouseState", OBJECTS, _of_dex(dex))
            endpoint = ACCOUNT_INFO["clearinghouseState"].endpoint.name
            self.box.keep_state(dex, Held(parse_clearinghouse(reply, endpoint, dex), asked_mono_s))

        return _each_dex(dexes, read)

    def read_orders(self, asking: Asking, dexes: Iterable[str]) -> list[RowProblem]:
        """The same for open orders."""

        def read(dex: str) -> None:
            asked_mono_s = self._clock()
            rows = self._session.ask_rows(asking, "frontendOpenOrders", _of_dex(dex))
            problems: list[RowProblem] = []
            orders = parse_open_orders(rows, ACCOUNT_INFO["frontendOpenOrders"].endpoint.name, problems)
            found = DexOrders(orders=tuple(orders), problems=tuple(problems))
            self.box.keep_orders(dex, Held(found, asked_mono_s))

        return _each_dex(dexes, read)

    def read_spot(self, asking: Asking, *, kept_s: float) -> None:
        """Token balances, unless those held are younger than ``kept_s``."""
        held = self.box.now.spot
        if held is None or self._is_older(held, kept_s):
            asked_mono_s = self._clock()
            reply = self._session.ask(asking, "spotClearinghouseState", OBJECTS)
            spot = parse_spot(reply, ACCOUNT_INFO["spotClearinghouseState"].endpoint.name)
            self.box.keep(spot=Held(spot, asked_mono_s))

    def read_prices(self, asking: Asking) -> list[RowProblem]:
        """What the account's tokens are worth, as far as it has any but USDC. Trouble here costs only the values."""
        problems: list[RowProblem] = []
        memory = self.box.now
        for dex in memory.used_dexes:
            if dex and dex not in memory.collateral:
                try:
                    meta = self._session.ask_market(asking, "meta", _meta, _of_dex(dex))
                except BudgetExhausted:
                    break
                except (VenueError, PayloadError) as error:
                    _raise_if_told_to_stop(error)
                    problems.append(_lost(f"meta of dex {dex}", error))
                    continue
                token = meta.collateral_token
                self.box.keep_collateral(dex, token if type(token) is int else USDC_INDEX)
        memory = self.box.now
        if memory.spot is None or not needs_prices(memory.spot.value, self.collateral()):
            return problems
        if memory.prices is not None and not self._is_older(memory.prices, PRICES_KEPT_S):
            return problems
        try:
            shared = kept_spot_meta(self._session.transport)
            held = None if shared is None else Held(*shared)
            if held is None or self._is_older(held, SPOT_META_KEPT_S):
                held = Held(self._session.ask_market(asking, "spotMeta", _spot_meta), self._clock())
                keep_spot_meta(self._session.transport, held.value, held.asked_mono_s)
            mids = self._session.ask_market(asking, "allMids", _mids)
            self.box.keep(prices=Held(TokenPrices.build(held.value, mids), self._clock()))
        except BudgetExhausted:
            return problems
        except (VenueError, PayloadError) as error:
            _raise_if_told_to_stop(error)
            problems.append(_lost("prices of tokens", error))
        return problems

    def collateral(self) -> dict[str, int | None]:
        """Token index by dex in use."""
        memory = self.box.now
        return {dex: memory.collateral.get(dex) if dex else USDC_INDEX for dex in memory.used_dexes}

    def snapshot(self, problems: Sequence[RowProblem], *, is_whole: bool = True) -> AccountSnapshot:
        """The account as it is remembered. ``is_whole`` False: parts were not asked yet, so sums are unknown."""
        memory = self.box.now
        held = [memory.states[dex] for dex in memory.known_dexes if dex in memory.states]
        assert memory.spot is not None  # noqa: S101  # read before, or an error was raised
        oldest_mono_s = min([memory.spot.asked_mono_s, *(one.asked_mono_s for one in held)])
        states = [one.value for one in held]
        lost = [problem for state in states for problem in state.problems]
        collateral = {**{state.dex: None for state in states}, **self.collateral()}
        mode = None if memory.mode is None else memory.mode.value
        summary = summarize(
            account=self._account,
            mode=mode,
            dexes=states,
            spot=memory.spot.value,
            collateral=collateral,
            prices=ONLY_USDC if memory.prices is None else memory.prices.value,
            problems=problems,
            oldest_part_mono_s=oldest_mono_s,
        )
        if not is_whole:
            summary = replace(
                summary,
                equity=None,
                available=None,
                unrealized_pnl=None,
                margin_used=None,
                unvalued_assets=(),
                wallets_apart=(),
            )
        positions = PositionList(
            account=self._account,
            positions=tuple(position for state in states for position in positions_of(state, mode)),
            is_complete=is_whole
            and len(states) == len(memory.known_dexes)
            and not any(problem.is_row_lost for problem in (*lost, *problems)),
            oldest_part_mono_s=min((one.asked_mono_s for one in held), default=None),
            problems=(*problems, *lost),
        )
        return AccountSnapshot(account=self._account, summary=summary, positions=positions)

    @property
    def is_separate(self) -> bool:
        """Whether every dex is known to have money of its own, without which it can have no order."""
        mode = self.box.now.mode
        return mode is not None and mode.value in SEPARATE_MODES

    def order_list(self, problems: Sequence[RowProblem]) -> OrderList:
        """Open orders as they are remembered, newest first.

        Complete when every dex has been asked, or, as an order needs margin, every dex in use of an account whose
        dexes have margin of their own.
        """
        memory = self.box.now
        held = [memory.orders[dex] for dex in memory.known_dexes if dex in memory.orders]
        lost = [problem for one in held for problem in one.value.problems]
        orders = [order for one in held for order in one.value.orders]
        orders.sort(key=lambda order: (order.created_at is not None, order.created_at, order.order_id), reverse=True)
        needed = memory.used_dexes if self.is_separate else memory.known_dexes
        return OrderList(
            account=self._account,
            orders=tuple(orders),
            is_complete=memory.dexes is not None
            and all(dex in memory.orders for dex in needed)
            and not any(problem.is_row_lost for problem in (*lost, *problems)),
            oldest_part_mono_s=min((one.asked_mono_s for one in held), default=None),
            problems=(*problems, *lost),
        )

    def _is_older(self, held: Held[object], kept_s: float) -> bool:
        return self._clock() - held.asked_mono_s >= kept_s


def _each_dex(dexes: Iterable[str], read: Callable[[str], None]) -> list[RowProblem]:
    problems: list[RowProblem] = []
    last: MonitorError | None = None
    done = 0
    for dex in dexes:
        try:
            read(dex)
            done += 1
        except (VenueError, PayloadError) as error:
            _raise_if_told_to_stop(error)
            if not dex:
                raise
            last = error
            problems.append(_lost(f"dex {dex}", error))
        except BudgetExhausted:
            if not done:
                raise
            problems.append(RowProblem(path=f"dex {dex}", expected=WITHIN_SHARE, is_row_lost=True))
            break
    if last is not None and not done:
        raise last
    return problems


def _raise_if_told_to_stop(error: MonitorError) -> None:
    if isinstance(error, RateLimited | EdgeBlocked):
        raise error


def _lost(what: str, error: MonitorError) -> RowProblem:
    return RowProblem(path=what, expected=f"readable ({error.user_text})", is_row_lost=True)


def _of_dex(dex: str) -> dict[str, object]:
    return {"dex": dex} if dex else {}
