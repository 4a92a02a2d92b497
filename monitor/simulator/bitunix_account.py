"""What Bitunix tells about an account, in the shapes of live replies: text for numbers, BUY and SELL positions, states
with an underscore, ids of 19 digits, absurd liquidation prices, rows that lack a field.

is_documented turns the shapes into those of the venue's documentation, which live replies contradict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.simulator.episodes import Episode, Execution, Leg, Order, OrderKind, week_start
from monitor.simulator.holdings import Held, Holdings
from monitor.simulator.tape import Tape
from monitor.simulator.texts import trimmed

Json = dict[str, object]
MarkOf = Callable[[Tape, int], float]
MARGIN_COINS = ("USDT", "USDC", "BTC", "ETH")
_TRIGGERS = (OrderKind.TAKE_PROFIT, OrderKind.STOP)
_MONEY_PLACES = 9


@dataclass(frozen=True, slots=True)
class _Margin:
    """One margin coin at one instant."""

    wallet: float
    margin: float
    frozen: float
    cross_pnl: float
    isolated_pnl: float
    cross_equity: float
    cross_maintenance: float


class FuturesAccount:
    """The rows of one account. mark_of gives the mark of a market. Thread: the event loop."""

    def __init__(self, holdings: Holdings, mark_of: MarkOf, *, is_documented: bool = False) -> None:
        self._holdings = holdings
        self._mark_of = mark_of
        self._is_documented = is_documented

    def account(self, coin: str, now_ms: int) -> object:
        """Return one wallet: an object, documented as a list of one."""
        state = self._margin(coin, now_ms)
        free = state.wallet - state.margin - state.frozen
        row = {
            "marginCoin": coin,
            "available": _money(free),
            "frozen": _money(state.frozen),
            "margin": _money(state.margin),
            "transfer": _money(max(0.0, free + min(0.0, state.cross_pnl))),
            "positionMode": "HEDGE",
            "crossUnrealizedPNL": _money(state.cross_pnl),
            "isolationUnrealizedPNL": _money(state.isolated_pnl),
            "bonus": "0",
        }
        return [row] if self._is_documented else row

    def positions(self, symbol: str, now_ms: int) -> list[Json]:
        """Return the open positions, of one symbol if it is not empty."""
        found = [held for held in self._holdings.held(now_ms) if symbol in ("", held.leg.symbol)]
        return [self._position(held, now_ms) for held in found]

    def open_orders(self, now_ms: int) -> list[Json]:
        """Return the resting orders, newest first; triggers are listed elsewhere."""
        rows = self._holdings.open_orders(now_ms)
        return [self._order(episode, order, now_ms) for episode, order in rows if order.kind not in _TRIGGERS]

    def past_orders(self, now_ms: int, *, is_cancelled: bool) -> list[Json]:
        """Return done orders, or only cancelled ones, newest first. A trigger shows as the order that it became."""
        rows = [
            self._order(episode, order, now_ms)
            for episode, order in self._holdings.past_orders(now_ms)
            if (order.kind not in _TRIGGERS or order.fills) and _is_cancelled(order) is is_cancelled
        ]
        return sorted(rows, key=lambda row: int(str(row["ctime"])), reverse=True)

    def trades(self, now_ms: int) -> list[Json]:
        """Return the executions, newest first."""
        return [self._trade(episode, fill) for episode, fill in self._holdings.fills(now_ms)]

    def past_positions(self, now_ms: int) -> list[Json]:
        """Return the closed positions, the last closed first."""
        return [self._past_position(episode) for episode in self._holdings.closed(now_ms)]

    def triggers(self, now_ms: int) -> list[Json]:
        """Return the take-profit and stop-loss orders of positions, a row for each."""
        return [
            self._trigger(episode, order)
            for episode, order in self._holdings.open_orders(now_ms)
            if order.kind in _TRIGGERS
        ]

    def order(self, order_id: str, now_ms: int) -> Json | None:
        """Return one order, None when there is none."""
        for episode, order in (*self._holdings.open_orders(now_ms), *self._holdings.past_orders(now_ms)):
            if _order_id(episode, order) == order_id:
                return self._order(episode, order, now_ms)
        return None

    def setting(self, symbol: str, coin: str) -> Json:
        """Return leverage and margin mode of a symbol; the venue's default where nothing was ever done."""
        leg = next((leg for leg in self._holdings.legs if leg.symbol == symbol), None)
        return {
            "symbol": symbol,
            "marginCoin": coin,
            "leverage": 20 if leg is None else leg.leverage,
            "marginMode": "CROSS" if leg is None else _mode(leg),
        }

    def _margin(self, coin: str, now_ms: int) -> _Margin:
        legs = [leg for leg in self._holdings.legs if leg.margin_coin == coin]
        won = self._holdings.won(now_ms, week_start(now_ms))
        wallet = self._holdings.script.wallets.get(coin, 0.0) + sum(won[leg] for leg in legs)
        margin = frozen = cross_pnl = isolated_pnl = isolated_margin = maintenance = 0.0
        for held in self._holdings.held(now_ms):
            if held.leg.margin_coin != coin:
                continue
            mark = self._mark_of(held.episode.tape, now_ms)
            margin += _margin_of(held)
            if held.leg.is_cross:
                cross_pnl += held.unrealized(mark)
                maintenance += abs(held.size) * mark * maintenance_rate(held.episode.tape)
            else:
                isolated_pnl += held.unrealized(mark)
                isolated_margin += _margin_of(held)
        for episode, order in self._holdings.open_orders(now_ms):
            if episode.leg.margin_coin == coin and order.price is not None and not order.is_closing:
                left = (order.lots - order.done_lots(now_ms)) * episode.tape.unit
                frozen += left * order.price / episode.leg.leverage
        equity = wallet - isolated_margin + cross_pnl
        return _Margin(wallet, margin, frozen, cross_pnl, isolated_pnl, equity, maintenance)

    def _position(self, held: Held, now_ms: int) -> Json:
        tape, leg = held.episode.tape, held.leg
        mark = self._mark_of(tape, now_ms)
        rate = maintenance_rate(tape)
        size, places = held.size, tape.listing.price_decimals
        if leg.is_cross:
            state = self._margin(leg.margin_coin, now_ms)
            others = state.cross_maintenance - abs(size) * mark * rate
            # Often below zero for a long and far above everything for a short: the venue sends it all the same.
            liquidation = (others - state.cross_equity + size * mark) / (size - rate * abs(size))
            ratio = state.cross_maintenance / state.cross_equity
        else:
            liquidation = held.episode.liquidation or 0.0
            ratio = abs(size) * mark * rate / max(1e-9, _margin_of(held) + held.unrealized(mark))
        fee = held.fees if self._is_documented else -held.fees
        row: Json = {
            "positionId": _position_id(held.episode),
            "symbol": leg.symbol,
            "marginCoin": None,
            "qty": trimmed(round(abs(size), 8)),
            "entryValue": _money(abs(size) * held.average),
            "side": self._side(held.lots > 0),
            "marginMode": _mode(leg),
            "positionMode": "HEDGE",
            "leverage": leg.leverage,
            "fee": _money(fee),
            "funding": _money(held.funding),
            # Live it has fee and funding in it; documented is a figure without them.
            "realizedPNL": _money(0.0 if self._is_documented else held.funding - held.fees),
            "margin": trimmed(round(_margin_of(held), 2)),
            "unrealizedPNL": _money(held.unrealized(mark)),
            "liqPrice": trimmed(round(liquidation, places)),
            "avgOpenPrice": f"{held.average:.{places + 2}f}",  # trailing zeros stay
            "marginRate": trimmed(round(ratio, 4)),
            "ctime": self._time(held.opened_ms),
            "mtime": self._time(held.changed_ms),
        }
        if leg.name == "leftover":
            for name in ("marginCoin", "marginRate", "mtime"):  # a row of an old client's recording lacks these
                del row[name]
        return row

    def _order(self, episode: Episode, order: Order, now_ms: int) -> Json:
        leg, tape = episode.leg, episode.tape
        done = order.done_lots(now_ms)
        fills = [fill for fill in order.fills if fill.time_ms <= now_ms]
        trigger = {row.kind: row.trigger for row in episode.orders if row.kind in _TRIGGERS and not order.is_closing}
        profit, stop = trigger.get(OrderKind.TAKE_PROFIT), trigger.get(OrderKind.STOP)
        changed_ms = order.end_ms if order.end_ms <= now_ms else (fills[-1].time_ms if fills else order.placed_ms)
        row: Json = {
            "orderId": _order_id(episode, order),
            "symbol": leg.symbol,
            "qty": trimmed(round(order.lots * tape.unit, 8)),
            "tradeQty": trimmed(round(done * tape.unit, 8)),
            "positionMode": "HEDGE",
            "marginMode": _mode(leg),
            "leverage": leg.leverage,
            "price": ("MARKET", "market", "")[order.placed_ms % 3] if order.price is None else trimmed(order.price),
            "side": "BUY" if order.is_buy else "SELL",
            "type" if self._is_documented else "orderType": "MARKET" if order.price is None else "LIMIT",
            "effect": "GTC" if order.price is None or order.is_closing else "POST_ONLY",
            "clientId": (None, "", f"demo_{order.placed_ms}_{order.number}")[order.placed_ms // 7 % 3],
            "reduceOnly": order.is_closing,
            "status": self._status(order, done, now_ms),
            "fee": _money(sum(fill.fee for fill in fills)),
            "realizedPNL": _money(sum(fill.pnl for fill in fills)),
            **self._attached("tp", profit),
            **self._attached("sl", stop),
            "ctime": self._time(order.placed_ms),
            "mtime": self._time(changed_ms),
        }
        if self._is_documented:
            row["source"] = "api"
        return row

    def _attached(self, which: str, level: float | None) -> Json:
        price = None if level is None else trimmed(level)
        word = "MARK" if self._is_documented else "MARK_PRICE"
        return {
            f"{which}Price": price,
            f"{which}StopType": None if level is None else word,
            f"{which}OrderType": None if level is None else "MARKET",
            f"{which}OrderPrice": None if level is None else "0",
        }

    def _status(self, order: Order, done: int, now_ms: int) -> str:
        if order.is_open(now_ms):
            if done:
                return "PART_FILLED"
            return "NEW" if self._is_documented or order.number % 2 else "NEW_"
        if done == order.lots:
            return "FILLED"
        return "PART_FILLED_CANCELED" if done else "CANCELED"

    def _trade(self, episode: Episode, fill: Execution) -> Json:
        leg = episode.leg
        return {
            "tradeId": _id(fill.time_ms, leg, fill.number),
            "orderId": _id(_placed_ms(episode, fill.order), leg, fill.order),
            "marginCoin": None,
            "symbol": leg.symbol,
            "qty": trimmed(round(fill.lots * episode.tape.unit, 8)),
            "positionMode": "HEDGE",
            "marginMode": _mode(leg),
            "leverage": leg.leverage,
            "price": trimmed(fill.price),
            "side": "BUY" if fill.is_buy else "SELL",
            "type" if self._is_documented else "orderType": "LIMIT" if fill.is_maker else "MARKET",
            "effect": "GTC" if fill.is_maker else None,
            "clientId": None,
            "reduceOnly": fill.is_closing,
            "status": None,
            "fee": _money(fill.fee),
            "realizedPNL": _money(fill.pnl),
            "ctime": self._time(fill.time_ms),
            "roleType": "MAKER" if fill.is_maker else "TAKER",
        }

    def _past_position(self, episode: Episode) -> Json:
        leg, last = episode.leg, episode.fills[-1]
        size = last.lots * episode.tape.unit
        fees = sum(fill.fee for fill in episode.fills)
        funding = sum(row.amount for row in episode.funding)
        entered = episode.fills[:-1]
        entry = sum(fill.lots * fill.price for fill in entered) / last.lots
        none = None if episode.cycle % 3 == 0 else "0"
        return {
            "positionId": _position_id(episode),
            "symbol": leg.symbol,
            "maxQty": trimmed(round(size, 8)),
            "entryPrice": trimmed(round(entry, episode.tape.listing.price_decimals + 2)),
            "closePrice": trimmed(last.price),
            "liqQty": none if last.mark_price is None else trimmed(round(-size, 8)),
            "side": self._side(episode.side > 0),
            "positionMode": "HEDGE",
            "marginMode": _mode(leg),
            "leverage": leg.leverage if self._is_documented else str(leg.leverage),
            "fee": _money(fees if self._is_documented else -fees),
            "funding": _money(funding),
            "realizedPNL": _money(last.pnl if self._is_documented else last.pnl - fees + funding),
            "liqPrice": trimmed(round(episode.liquidation or 0.0, episode.tape.listing.price_decimals)),
            "ctime": self._time(entered[0].time_ms),
            "mtime": self._time(last.time_ms),
        }

    def _trigger(self, episode: Episode, order: Order) -> Json:
        extra = episode.tape.listing.extra
        size = trimmed(round(order.lots * episode.tape.unit, 8))
        which = "tp" if order.kind is OrderKind.TAKE_PROFIT else "sl"
        other = "sl" if which == "tp" else "tp"
        level = None if order.trigger is None else trimmed(order.trigger)
        return {
            "id": _order_id(episode, order),
            "positionId": _position_id(episode),
            "symbol": episode.leg.symbol,
            "base": extra["base"],
            "quote": extra["quote"],
            f"{which}Price": level,
            f"{which}StopType": "MARK_PRICE",
            f"{which}OrderType": "MARKET",
            f"{which}OrderPrice": None,
            f"{which}Qty": size,
            **dict.fromkeys((f"{other}Price", f"{other}StopType", f"{other}OrderType", f"{other}Qty")),
        }

    def _side(self, is_long: bool) -> str:
        if self._is_documented:
            return "LONG" if is_long else "SHORT"
        return "BUY" if is_long else "SELL"

    def _time(self, time_ms: int) -> object:
        return time_ms if self._is_documented else str(time_ms)


def maintenance_rate(tape: Tape) -> float:
    """Return the maintenance margin of the lowest tier, as a fraction of the notional."""
    return round(0.6 / tape.listing.max_leverage, 5)


def page(rows: Iterable[Json], span_ms: tuple[int, int], skip: int, limit: int) -> tuple[list[Json], int]:
    """Return one page of the rows whose ctime lies in span_ms, and how many there are in all."""
    inside = [row for row in rows if span_ms[0] <= int(str(row["ctime"])) <= span_ms[1]]
    return inside[skip : skip + limit], len(inside)


def _margin_of(held: Held) -> float:
    return abs(held.size) * held.average / held.leg.leverage


def _mode(leg: Leg) -> str:
    return "CROSS" if leg.is_cross else "ISOLATION"


def _is_cancelled(order: Order) -> bool:
    return sum(fill.lots for fill in order.fills) < order.lots


def _placed_ms(episode: Episode, number: int) -> int:
    return next(order.placed_ms for order in episode.orders if order.number == number)


def _id(time_ms: int, leg: Leg, number: int) -> str:
    return str(time_ms << 20 | leg.number << 12 | number)  # 19 digits, in the order of time


def _order_id(episode: Episode, order: Order) -> str:
    return _id(order.placed_ms, episode.leg, order.number)


def _position_id(episode: Episode) -> str:
    return str((episode.start_ms << 20 | episode.leg.number << 12) + 4_000_000_000_000_000_000)


def _money(value: float) -> str:
    return trimmed(round(value, _MONEY_PLACES))
