"""What happened to an address at Hyperliquid: fills, funding, money in and out, and how its worth went."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.simulator.candles import DAY_MS, HOUR_MS
from monitor.simulator.episodes import WEEK_MS, Episode, Execution, week_start
from monitor.simulator.hyperliquid_account import AddressMoney
from monitor.simulator.hyperliquid_meta import Json, pseudo_address
from monitor.simulator.hyperliquid_orders import client_id, order_id
from monitor.simulator.texts import plain

_NO_HASH = "0x" + "0" * 64
_DAY_STEP_MS, _WEEK_STEP_MS = 2 * HOUR_MS, 6 * HOUR_MS
_KEPT_MS = 60_000


class AddressEvents:
    """The past of one address. fee_tokens: what fees are paid in, by dex. Thread: the event loop."""

    def __init__(self, address: str, money: AddressMoney, fee_tokens: Mapping[str, str]) -> None:
        self._address = address
        self._money = money
        self._holdings = money.holdings
        self._fee_tokens = fee_tokens
        self._portfolio: tuple[int, list[object]] | None = None

    def fills(self, now_ms: int) -> list[Json]:
        """Return every execution, newest first, of all dexes and spot."""
        return [self._fill(episode, fill) for episode, fill in self._holdings.fills(now_ms)]

    def funding(self, now_ms: int) -> list[Json]:
        """Return every funding payment, oldest first; positive was received."""
        return [
            {
                "time": row.time_ms,
                "hash": _NO_HASH,
                "delta": {
                    "type": "funding",
                    "coin": episode.leg.symbol,
                    "usdc": plain(round(row.amount, 6)),
                    "szi": plain(round(row.lots * episode.tape.unit, 8)),
                    "fundingRate": plain(row.rate),
                    "nSamples": None,
                },
            }
            for episode, row in self._holdings.payments(now_ms)
        ]

    def ledger(self, now_ms: int) -> list[Json]:
        """Return the deposit or withdrawal of each Monday, which makes up for what the week before won or lost."""
        rows: list[Json] = []
        monday_ms = week_start(now_ms)
        while monday_ms >= self._holdings.since_ms(now_ms):
            won = sum(self._holdings.won(monday_ms - 1, monday_ms - WEEK_MS).values())
            kind = "withdraw" if won > 0 else "deposit"
            delta: Json = {"type": kind, "usdc": plain(round(abs(won), 6))}
            if won > 0:
                delta |= {"nonce": monday_ms, "fee": "0.0"}
            rows.append({"time": monday_ms, "hash": _hash("ledger", self._address, monday_ms), "delta": delta})
            monday_ms -= WEEK_MS
        return rows[::-1]

    def volume(self, now_ms: int, since_ms: int = 0) -> float:
        """Return what was traded since a time, in quote."""
        return sum(
            fill.price * fill.lots * episode.tape.unit
            for episode, fill in self._holdings.fills(now_ms)
            if fill.time_ms >= since_ms
        )

    def portfolio(self, now_ms: int) -> list[object]:
        """Return worth and profit by period. The account is as old as its past: month and allTime show no more than
        that. The same for a minute."""
        if self._portfolio is None or not 0 <= now_ms - self._portfolio[0] < _KEPT_MS:
            self._portfolio = (now_ms, self._make_portfolio(now_ms))
        return self._portfolio[1]

    def _make_portfolio(self, now_ms: int) -> list[object]:
        since_ms = self._holdings.since_ms(now_ms)
        spans = {
            "day": (max(since_ms, now_ms - DAY_MS), _DAY_STEP_MS),
            "week": (max(since_ms, now_ms - WEEK_MS), _WEEK_STEP_MS),
            "month": (since_ms, _WEEK_STEP_MS),
            "allTime": (since_ms, _WEEK_STEP_MS),
        }
        gained: dict[int, float] = {}
        worth: dict[tuple[int, bool], float] = {}
        rows: list[object] = []
        for is_perp in (False, True):
            for name, (start_ms, step_ms) in spans.items():
                times = [*range(start_ms, now_ms, step_ms), now_ms]
                for time_ms in times:
                    if time_ms not in gained:
                        gained[time_ms] = self._money.gained(time_ms, since_ms)
                    if (time_ms, is_perp) not in worth:
                        worth[time_ms, is_perp] = self._money.worth(time_ms, is_perp_only=is_perp)
                title = f"perp{name[0].upper()}{name[1:]}" if is_perp else name
                first = gained[times[0]]
                values = {
                    "accountValueHistory": [[at, plain(round(worth[at, is_perp], 6))] for at in times],
                    "pnlHistory": [[at, plain(round(gained[at] - first, 6))] for at in times],
                    "vlm": plain(round(self.volume(now_ms, start_ms), 6)),
                }
                rows.append([title, values])
        return rows

    def _fill(self, episode: Episode, fill: Execution) -> Json:
        leg, unit = episode.leg, episode.tape.unit
        order = next(order for order in episode.orders if order.number == fill.order)
        is_spot = leg.market == "spot"
        before = fill.before_lots * unit
        fee, fee_token = fill.fee, self._fee_tokens.get(leg.market, "USDC")
        if is_spot:
            coin = self._money.base_of(leg.symbol)
            before += self._holdings.script.tokens.get(coin, 0.0)
            if fill.is_buy:
                fee, fee_token = fill.fee / fill.price, coin
        row: Json = {
            "coin": leg.symbol,
            "px": plain(fill.price),
            "sz": plain(round(fill.lots * unit, 8)),
            "side": "B" if fill.is_buy else "A",
            "time": fill.time_ms,
            "startPosition": plain(round(before, 8)),
            "dir": _direction(episode, fill),
            "closedPnl": plain(round(fill.pnl, 6)),
            "hash": _hash("fill", self._address, fill.time_ms, fill.number),
            "oid": order_id(order.placed_ms, order.number),
            "crossed": not fill.is_maker,
            "fee": plain(round(fee, 8)),
            "tid": int(_hash("tid", self._address, fill.time_ms, fill.number)[2:18], 16) % 1_100_000_000_000_000,
            "feeToken": fee_token,
            "twapId": None,
        }
        cloid = client_id(order.placed_ms, order.number)
        if cloid is not None:
            row["cloid"] = cloid
        if fill.mark_price is not None:
            mark = plain(fill.mark_price)
            row["liquidation"] = {"liquidatedUser": self._address, "markPx": mark, "method": "market"}
        return row


def _direction(episode: Episode, fill: Execution) -> str:
    if episode.leg.market == "spot":
        return "Buy" if fill.is_buy else "Sell"
    side = "Long" if episode.side > 0 else "Short"
    if fill.mark_price is not None:
        return f"Liquidated Isolated {side}"
    return f"{'Close' if fill.is_closing else 'Open'} {side}"


def _hash(*parts: object) -> str:
    return pseudo_address(*parts) + pseudo_address("more", *parts)[2:26]
