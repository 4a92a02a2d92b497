"""Plays one cycle of a leg: entries, fills, exits and funding against the tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from monitor.simulator.candles import MINUTE_MS
from monitor.simulator.episodes import End, Episode, Execution, Leg, Order, OrderKind, Payment
from monitor.simulator.noise import U64, bits
from monitor.simulator.tape import Tape


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the venue sets, as fractions of the notional: maintenance margin of the leg's market, fees; and the seed."""

    seed_key: int
    maintenance: float
    maker_fee: float
    taker_fee: float


class _Play:
    """One cycle being played."""

    def __init__(self, leg: Leg, tape: Tape, rules: Rules, cycle: int) -> None:
        self._leg, self._tape, self._rules, self._cycle = leg, tape, rules, cycle
        start_ms = self._start_ms = leg.start_of(cycle)
        # Legs of one account that act together do not do so in the same millisecond; a price lasts a quarter second.
        self._own_ms = 10 * leg.number
        self._first_ms = start_ms + 37 + 251 * leg.number
        self._end_ms = start_ms + self._leg.length_ms - 400 + 9 * leg.number
        self._key: U64 = np.array([rules.seed_key], dtype=np.uint64)
        self.side = leg.side or (1 if self._draw(0) % 2 else -1)
        self._last_number = 0

    def _draw(self, stream: int, counter: int = 0) -> int:
        return int(bits(self._key, self._cycle * 1024 + counter, 200 + stream)[0])

    def _next(self) -> int:
        self._last_number += 1
        return self._last_number

    def run(self) -> Episode:
        entries = self._entries()
        fills = sorted((fill for order in entries for fill in order.fills), key=lambda fill: fill.time_ms)
        exits: list[Order] = []
        liquidation = None
        if fills:
            if not self._leg.is_cross:
                liquidation = self._liquidation_price(fills[0])
            entries, fills, exits = self._close(entries, fills, liquidation)
        fills = _booked(fills, self.side, self._tape.unit, self._rules)
        by_order: dict[int, list[Execution]] = {}
        for fill in fills:
            by_order.setdefault(fill.order, []).append(fill)
        orders = tuple(replace(order, fills=tuple(by_order.get(order.number, ()))) for order in (*entries, *exits))
        return Episode(
            leg=self._leg,
            tape=self._tape,
            cycle=self._cycle,
            number=self._draw(1),
            side=self.side,
            start_ms=self._start_ms,
            end_ms=self._start_ms + self._leg.length_ms,
            orders=orders,
            fills=tuple(fills),
            funding=tuple(self._funding(fills)),
            liquidation=liquidation,
        )

    def _entries(self) -> list[Order]:
        orders = []
        for number, entry in enumerate(self._leg.entries):
            placed_ms = self._first_ms + round(entry.at_min * MINUTE_MS) + number
            price = self._tape.price(placed_ms)
            lots = self._tape.lots(self._leg.usd * entry.share, price)
            orders.append(
                self._market(placed_ms, price, lots)
                if entry.offset is None
                else self._limit(placed_ms, price * (1 - self.side * entry.offset), lots, number)
            )
        return orders

    def _market(self, placed_ms: int, price: float, lots: int) -> Order:
        number = self._next()
        fill = Execution(placed_ms, self._next(), number, self.side > 0, lots, price, is_maker=False)
        return Order(
            number, OrderKind.MARKET, self.side > 0, lots, None, placed_ms, placed_ms, End.FILLED, fills=(fill,)
        )

    def _limit(self, placed_ms: int, level: float, lots: int, entry: int) -> Order:
        price = self._tape.on_tick(level)
        until_ms = self._start_ms + round(self._leg.length_ms * self._leg.give_up) + 11 * entry
        number, is_buy = self._next(), self.side > 0
        fills: list[Execution] = []
        parts = _parts(lots, 1 + self._draw(2, entry) % 3)
        from_ms = placed_ms
        for part, size in enumerate(parts):
            # The rest of it is further back in the queue.
            from_ms += 2000 + self._draw(3, entry * 4 + part) % 40_000 if part else 0
            at_ms = self._tape.first_touch(price, from_ms, until_ms, is_below=is_buy)
            if at_ms is None:
                break
            from_ms = at_ms + self._own_ms
            fills.append(Execution(from_ms, self._next(), number, is_buy, size, price, is_maker=True))
        is_done = len(fills) == len(parts)
        end_ms = fills[-1].time_ms if is_done else until_ms
        end = End.FILLED if is_done else End.CANCELLED
        return Order(number, OrderKind.LIMIT, is_buy, lots, price, placed_ms, end_ms, end, fills=tuple(fills))

    def _liquidation_price(self, first: Execution) -> float:
        # margin + side * size * (p - entry) = maintenance * size * p
        leg = self._leg
        own = self.side - 1 / leg.leverage
        return first.price * own / (self.side - self._rules.maintenance)

    def _close(
        self, entries: list[Order], fills: list[Execution], liquidation: float | None
    ) -> tuple[list[Order], list[Execution], list[Order]]:
        leg, side, first = self._leg, self.side, fills[0]
        profit = None if leg.take_profit is None else self._tape.on_tick(first.price * (1 + side * leg.take_profit))
        stop = None if leg.stop is None else self._tape.on_tick(first.price * (1 - side * leg.stop))
        reached: list[tuple[int, OrderKind]] = [(self._end_ms, OrderKind.MARKET)]
        for level, is_above, kind in (
            (liquidation, side < 0, OrderKind.LIQUIDATION),
            (stop, side < 0, OrderKind.STOP),
            (profit, side > 0, OrderKind.TAKE_PROFIT),
        ):
            if level is not None:
                at_ms = self._tape.first_touch(level, first.time_ms + 250, self._end_ms, is_below=not is_above)
                if at_ms is not None:
                    reached.append((at_ms + self._own_ms, kind))
        closed_ms, why = min(reached, key=lambda item: item[0])
        fills = [fill for fill in fills if fill.time_ms < closed_ms]
        lots = sum(fill.lots for fill in fills)
        # What has not filled when the position ends goes with it, what would have come later never comes.
        entries = [_cut(order, closed_ms, why) for order in entries if order.placed_ms < closed_ms]
        is_buy = side < 0
        exits: list[Order] = []
        for level, kind in ((profit, OrderKind.TAKE_PROFIT), (stop, OrderKind.STOP)):
            if level is None:
                continue
            is_limit = kind is OrderKind.TAKE_PROFIT and leg.is_profit_limit
            end = End.FILLED if kind is why else (End.LIQUIDATED if why is OrderKind.LIQUIDATION else End.SIBLING)
            waits = entries[0].kind is OrderKind.LIMIT and not is_limit
            exits.append(
                Order(
                    self._next(), OrderKind.LIMIT if is_limit else kind, is_buy, lots,
                    level if is_limit else None,
                    1 + (entries[0].placed_ms if waits else first.time_ms), closed_ms, end, is_closing=True,
                    trigger=None if is_limit else level,
                    parent=entries[0].number if waits else None,
                    live_ms=first.time_ms,
                )
            )  # fmt: skip
        filled = next((order for order in exits if order.end is End.FILLED), None)
        if filled is None:
            kind = OrderKind.LIQUIDATION if why is OrderKind.LIQUIDATION else OrderKind.MARKET
            filled = Order(self._next(), kind, is_buy, lots, None, closed_ms, closed_ms, End.FILLED, is_closing=True)
            exits.append(filled)
        price = self._tape.price(closed_ms)
        if filled.kind is OrderKind.LIMIT and filled.price is not None:
            price = filled.price
        fills.append(
            Execution(
                closed_ms, self._next(), filled.number, is_buy, lots, price,
                is_maker=filled.kind is OrderKind.LIMIT, is_closing=True,
                mark_price=price if why is OrderKind.LIQUIDATION else None,
            )
        )  # fmt: skip
        return entries, fills, exits

    def _funding(self, fills: Sequence[Execution]) -> list[Payment]:
        if not fills:
            return []
        payments = []
        for row in self._tape.settlements(fills[0].time_ms, fills[-1].time_ms):
            lots = sum(fill.lots if fill.is_buy else -fill.lots for fill in fills if fill.time_ms < row.time_ms)
            if lots:
                amount = -lots * self._tape.unit * row.price * row.rate
                payments.append(Payment(row.time_ms, row.rate, lots, amount))
        return payments


def play(leg: Leg, tape: Tape, rules: Rules, cycle: int) -> Episode:
    """Return what happened, or will, in one cycle."""
    return _Play(leg, tape, rules, cycle).run()


def _parts(lots: int, count: int) -> list[int]:
    count = min(count, lots)
    size = lots // count
    return [size] * (count - 1) + [lots - size * (count - 1)]


def _cut(order: Order, closed_ms: int, why: OrderKind) -> Order:
    if order.end_ms < closed_ms:
        return order
    end = End.LIQUIDATED if why is OrderKind.LIQUIDATION else End.CANCELLED
    return replace(order, end_ms=closed_ms, end=end)


def _booked(fills: Sequence[Execution], side: int, unit: float, rules: Rules) -> list[Execution]:
    done: list[Execution] = []
    lots, cost = 0, 0.0
    for fill in fills:
        fee = fill.price * fill.lots * unit * (rules.maker_fee if fill.is_maker else rules.taker_fee)
        booked = replace(fill, before_lots=side * lots, fee=fee)
        if fill.is_closing:
            booked = replace(booked, pnl=side * (fill.price - cost / lots) * lots * unit)
            lots, cost = 0, 0.0
        else:
            lots, cost = lots + fill.lots, cost + fill.lots * fill.price
        done.append(booked)
    return done
