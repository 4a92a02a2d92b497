"""Orders of an address as Hyperliquid writes them: open, with and without what a front end wants, and past."""

from __future__ import annotations

import hashlib

from monitor.simulator.episodes import End, Episode, Order, OrderKind
from monitor.simulator.holdings import Holdings
from monitor.simulator.hyperliquid_meta import Json
from monitor.simulator.texts import plain

_MOST_PAST = 2000
_TRIGGERS = {OrderKind.TAKE_PROFIT: "Take Profit Market", OrderKind.STOP: "Stop Market"}
_SLIPPAGE = 0.08  # how far beyond its trigger a trigger order may be filled
_ENDS = {End.FILLED: "filled", End.CANCELLED: "canceled", End.LIQUIDATED: "liquidatedCanceled"}
_NO_TRIGGER: Json = {"triggerCondition": "N/A", "isTrigger": False, "triggerPx": "0.0"}


def order_id(placed_ms: int, number: int) -> int:
    """Return the venue's number of an order: above 5e11 by now, and in the order of time."""
    return (placed_ms - 1_600_000_000_000) * 3 + number % 3


def client_id(placed_ms: int, number: int) -> str | None:
    """Return the client's own number, which every other order has."""
    if placed_ms // 1000 % 2:
        return None
    return "0x" + hashlib.sha256(f"{placed_ms} {number}".encode()).hexdigest()[:32]


class AddressOrders:
    """The orders of one address. Spot orders belong to the first dex. Thread: the event loop."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

    def open(self, dex: str, now_ms: int) -> list[Json]:
        """Return openOrders."""
        rows = []
        for episode, order in self._resting(dex, now_ms):
            row = self._order(episode, order, now_ms)
            short = {name: row[name] for name in ("coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz")}
            if row["cloid"] is not None:
                short["cloid"] = row["cloid"]
            if order.is_closing:
                short["reduceOnly"] = True
            rows.append(short)
        return rows

    def open_in_full(self, dex: str, now_ms: int) -> list[Json]:
        """Return frontendOpenOrders: orders that wait for a parent are listed on their own and with it."""
        resting = self._resting(dex, now_ms)
        rows = []
        for episode, order in resting:
            row = self._order(episode, order, now_ms)
            row["children"] = [
                self._order(episode, child, now_ms)
                for other, child in resting
                if other is episode and child.parent == order.number and child.live_ms > now_ms
            ]
            rows.append(row)
        return rows

    def past(self, now_ms: int) -> list[Json]:
        """Return historicalOrders: what became of the newest orders, and those still open."""
        resting = [(now_ms, episode, order) for episode, order in self._holdings.open_orders(now_ms)]
        done = [(order.end_ms, episode, order) for episode, order in self._holdings.past_orders(now_ms)]
        rows = [self._with_status(episode, order, now_ms) for _, episode, order in (*resting, *done)[:_MOST_PAST]]
        return sorted(rows, key=_status_ms, reverse=True)

    def find(self, wanted: int | str, now_ms: int) -> Json | None:
        """Return one order with its status by either of its numbers, None when there is none."""
        for episode, order in (*self._holdings.open_orders(now_ms), *self._holdings.past_orders(now_ms)):
            names = (order_id(order.placed_ms, order.number), client_id(order.placed_ms, order.number))
            if wanted in names:
                return self._with_status(episode, order, now_ms)
        return None

    def _resting(self, dex: str, now_ms: int) -> list[tuple[Episode, Order]]:
        markets = ("", "spot") if dex == "" else (dex,)
        return [row for row in self._holdings.open_orders(now_ms) if row[0].leg.market in markets]

    def _with_status(self, episode: Episode, order: Order, now_ms: int) -> Json:
        status = _ENDS.get(order.end, "")
        if order.is_open(now_ms):
            status = "open"
        elif order.kind in _TRIGGERS and order.end is End.FILLED:
            status = "triggered"
        elif order.end is End.SIBLING:
            status = "siblingFilledCanceled" if order.kind in _TRIGGERS else "reduceOnlyCanceled"
        changed_ms = order.placed_ms if status == "open" else order.end_ms
        row = self._order(episode, order, now_ms)
        if order.kind is OrderKind.LIQUIDATION or (order.price is None and order.kind not in _TRIGGERS):
            row["orderType"], row["tif"] = "Market", "FrontendMarket"
        return {"order": row, "status": status, "statusTimestamp": changed_ms}

    @staticmethod
    def _order(episode: Episode, order: Order, now_ms: int) -> Json:
        tape = episode.tape
        left = order.lots - order.done_lots(now_ms)
        price = order.price
        trigger = _NO_TRIGGER
        tif: str | None = "Alo" if not order.is_closing else "Gtc"
        kind = "Limit"
        if order.trigger is not None:
            # A stop and a take-profit of opposite positions look the same way.
            is_above = (order.kind is OrderKind.TAKE_PROFIT) != order.is_buy
            price = tape.on_tick(order.trigger * (1 + _SLIPPAGE if order.is_buy else 1 - _SLIPPAGE))
            level = plain(order.trigger)
            condition = f"Price {'above' if is_above else 'below'} {level}"
            trigger = {"triggerCondition": condition, "isTrigger": True, "triggerPx": level}
            tif, kind = None, _TRIGGERS[order.kind]
        if price is None:
            price = tape.on_tick(order.fills[0].price * (1 + _SLIPPAGE if order.is_buy else 1 - _SLIPPAGE))
        return {
            "coin": episode.leg.symbol,
            "side": "B" if order.is_buy else "A",
            "limitPx": plain(price),
            "sz": plain(round(left * tape.unit, 8)),
            "oid": order_id(order.placed_ms, order.number),
            "timestamp": order.placed_ms,
            **trigger,
            "children": [],
            "isPositionTpsl": order.trigger is not None and order.parent is None,
            "reduceOnly": order.is_closing and episode.leg.market != "spot",
            "orderType": kind,
            "origSz": plain(round(order.lots * tape.unit, 8)),
            "tif": tif,
            "cloid": client_id(order.placed_ms, order.number),
        }


def _status_ms(row: Json) -> int:
    return int(str(row["statusTimestamp"]))
