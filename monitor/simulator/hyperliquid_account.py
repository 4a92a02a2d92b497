"""What Hyperliquid tells about the money and the positions of an address, with the arithmetic of recorded accounts.

accountValue = totalRawUsd + sum of szi x mark; the margin of an isolated position is its rawUsd + szi x mark;
liquidation is where what is left equals the maintenance margin, notional / (2 x max leverage). In a unified or
portfolio-margin account the spot balance holds everything, and the perp side shows no more than what is tied up.
Approximated: only the lowest margin tier, and funding of an isolated position is taken from the free money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitor.simulator.episodes import week_start
from monitor.simulator.holdings import Held, Holdings
from monitor.simulator.hyperliquid_meta import Json
from monitor.simulator.tape import Tape
from monitor.simulator.texts import plain

MarkOf = Callable[[Tape, int], float]
SEPARATE = ("default", "disabled", "dexAbstraction")
_PLACES = 6


@dataclass(frozen=True, slots=True)
class Token:
    """A spot token: its index, and the tape of its pair with USDC, None for what is a dollar itself."""

    index: int
    tape: Tape | None


@dataclass(frozen=True, slots=True)
class _Perp:
    """One dex at one instant. cross_equity is what stands behind the cross positions."""

    cross_value: float
    cross_equity: float
    maintenance: float
    cross_margin: float
    rows: tuple[tuple[Held, float], ...]  # with the mark


def maintenance_rate(tape: Tape) -> float:
    """Return the maintenance margin as a fraction of the notional."""
    return 0.5 / tape.listing.max_leverage


class AddressMoney:
    """Perp states and spot balances of one address. mode is what userAbstraction says. Thread: the event loop."""

    def __init__(self, holdings: Holdings, mode: str, mark_of: MarkOf, tokens: Mapping[str, Token]) -> None:
        self.holdings = holdings
        self.mode = mode
        self._mark_of = mark_of
        self._tokens = tokens

    @property
    def is_separate(self) -> bool:
        """Whether every dex has money of its own."""
        return self.mode in SEPARATE

    def perp_state(self, dex: str, now_ms: int, told_ms: int) -> Json:
        """Return clearinghouseState."""
        perp = self._perp(dex, now_ms)
        cross = [(held, mark) for held, mark in perp.rows if held.leg.is_cross]
        isolated = [(held, mark) for held, mark in perp.rows if not held.leg.is_cross]
        cross_ntl = sum(abs(held.size) * mark for held, mark in cross)
        cross_raw = perp.cross_value - sum(held.size * mark for held, mark in cross)
        margins = [_isolated_raw(held) + held.size * mark for held, mark in isolated]
        whole = _summary(
            perp.cross_value + sum(margins),
            cross_ntl + sum(abs(held.size) * mark for held, mark in isolated),
            cross_raw + sum(_isolated_raw(held) for held, _ in isolated),
            perp.cross_margin + sum(margins),
        )
        return {
            "marginSummary": whole,
            "crossMarginSummary": _summary(perp.cross_value, cross_ntl, cross_raw, perp.cross_margin),
            "crossMaintenanceMarginUsed": _text(perp.maintenance),
            "withdrawable": _text(max(0.0, perp.cross_value - perp.cross_margin)),
            "assetPositions": [
                {"type": "oneWay", "position": self._position(held, mark, perp, now_ms)} for held, mark in perp.rows
            ],
            "time": told_ms,
        }

    def spot_state(self, now_ms: int) -> Json:
        """Return spotClearinghouseState."""
        amounts, costs, holds = self._spot(now_ms)
        is_portfolio = self.mode == "portfolioMargin"
        balances: list[Json] = []
        tied = value = 0.0
        if not self.is_separate:
            tied, value = self._tied(now_ms)
            amounts["USDC"] = amounts.get("USDC", 0.0) + self._wallet(now_ms) + self._unrealized(now_ms)
            holds["USDC"] = holds.get("USDC", 0.0) + tied
        for coin, amount in sorted(amounts.items(), key=lambda row: self._tokens[row[0]].index):
            row: Json = {
                "coin": coin,
                "token": self._tokens[coin].index,
                "total": plain(round(amount, 8)),
                "hold": plain(round(holds.get(coin, 0.0), 8)),
                "entryNtl": plain(round(costs.get(coin, 0.0), 8)),
            }
            if is_portfolio:
                row["ltv"] = "0.0" if coin == "USDC" else "0.5"
                if amount < 0:
                    row["borrowed"] = plain(round(-amount, 8))
                elif coin == "USDC":
                    row["supplied"] = plain(round(amount - value, 8))
            balances.append(row)
        state: Json = {"balances": balances}
        if not self.is_separate:
            free = plain(round(max(0.0, amounts["USDC"] - holds["USDC"]), 8))
            state["tokenToAvailableAfterMaintenance"] = [[0, free]]
        if is_portfolio:
            state |= {
                "portfolioMarginEnabled": True,
                "portfolioMarginRatio": plain(round(self._perp("", now_ms).maintenance / amounts["USDC"], 9)),
                "tokenToPortfolioBorrowRatio": [[0, "0.0"]],
                "tokenToPortfolioSupplyRatio": [],
            }
        return state

    def leverage(self, coin: str, max_leverage: int) -> Json:
        """Return what a new position of a market would have."""
        leg = next((leg for leg in self.holdings.legs if leg.symbol == coin), None)
        if leg is None:
            return {"type": "cross", "value": min(20, max_leverage)}
        return {"type": "cross" if leg.is_cross else "isolated", "value": leg.leverage}

    def free(self, dex: str, now_ms: int) -> float:
        """Return the money of a dex that no position uses."""
        perp = self._perp(dex, now_ms)
        return max(0.0, perp.cross_equity - perp.cross_margin)

    def worth(self, now_ms: int, *, is_perp_only: bool) -> float:
        """Return the value of the account at the start of a minute, cheaply."""
        won = self.holdings.won(now_ms, week_start(now_ms))
        total = sum(self.holdings.script.wallets.values()) + sum(won.values())
        total += sum(held.unrealized(held.episode.tape.rough_price(now_ms)) for held in self.holdings.held(now_ms))
        if is_perp_only:
            return total
        for coin, amount in self.holdings.script.tokens.items():
            tape = self._tokens[coin].tape
            total += amount * (1.0 if tape is None else tape.rough_price(now_ms))
        return total

    def gained(self, now_ms: int, since_ms: int) -> float:
        """Return profit or loss up to a minute since the cycles that were running at since_ms began."""
        won = sum(self.holdings.won(now_ms, since_ms).values())
        return won + sum(held.unrealized(held.episode.tape.rough_price(now_ms)) for held in self.holdings.held(now_ms))

    def _wallet(self, now_ms: int, dex: str | None = None) -> float:
        won = self.holdings.won(now_ms, week_start(now_ms))
        wallets = self.holdings.script.wallets
        start = sum(wallets.values()) if dex is None else wallets.get(dex, 0.0)
        return start + sum(
            amount for leg, amount in won.items() if leg.market != "spot" and (dex is None or leg.market == dex)
        )

    def _unrealized(self, now_ms: int) -> float:
        return sum(
            held.unrealized(self._mark_of(held.episode.tape, now_ms))
            for held in self.holdings.held(now_ms)
            if held.leg.market != "spot"
        )

    def _tied(self, now_ms: int) -> tuple[float, float]:
        # Margin in use on all dexes, and the account value that the perp side shows for it.
        margin = value = 0.0
        for dex in {leg.market for leg in self.holdings.legs if leg.market != "spot"}:
            perp = self._perp(dex, now_ms)
            margins = [_isolated_raw(held) + held.size * mark for held, mark in perp.rows if not held.leg.is_cross]
            margin += perp.cross_margin + sum(margins)
            value += perp.cross_value + sum(margins)
        return margin, value

    def _perp(self, dex: str, now_ms: int) -> _Perp:
        rows = tuple(
            (held, self._mark_of(held.episode.tape, now_ms))
            for held in self.holdings.held(now_ms)
            if held.leg.market == dex
        )
        cross = [(held, mark) for held, mark in rows if held.leg.is_cross]
        margin = sum(abs(held.size) * mark / held.leg.leverage for held, mark in cross)
        pnl = sum(held.unrealized(mark) for held, mark in cross)
        maintenance = sum(abs(held.size) * mark * maintenance_rate(held.episode.tape) for held, mark in cross)
        posted = sum(_posted(held) for held, _ in rows if not held.leg.is_cross)
        if self.is_separate:
            value = self._wallet(now_ms, dex) - posted + pnl
            return _Perp(value, value, maintenance, margin, rows)
        equity = self._wallet(now_ms) - posted + pnl
        return _Perp(margin + pnl if cross else 0.0, equity, maintenance, margin, rows)

    def _position(self, held: Held, mark: float, perp: _Perp, now_ms: int) -> Json:
        tape, leg, size = held.episode.tape, held.leg, held.size
        rate = maintenance_rate(tape)
        leverage: Json = {"type": "cross" if leg.is_cross else "isolated", "value": leg.leverage}
        slope = size - rate * abs(size)
        if leg.is_cross:
            margin = abs(size) * mark / leg.leverage
            others = perp.maintenance - abs(size) * mark * rate
            liquidation = (others - perp.cross_equity + size * mark) / slope
        else:
            raw = _isolated_raw(held)
            leverage["rawUsd"] = _text(raw)
            margin = raw + size * mark
            liquidation = -raw / slope
        pnl = held.unrealized(mark)
        paid = [
            (row.time_ms, -row.amount)
            for episode, row in self.holdings.payments(now_ms)
            if episode.leg.symbol == leg.symbol
        ]
        return {
            "coin": leg.symbol,
            "szi": plain(round(size, 8)),
            "leverage": leverage,
            "entryPx": plain(round(held.average, 6)),
            "positionValue": _text(abs(size) * mark),
            "unrealizedPnl": _text(pnl),
            "returnOnEquity": plain(round(pnl * leg.leverage / (abs(size) * held.average), 10)),
            "liquidationPx": None if liquidation <= 0 else plain(round(liquidation, 10)),
            "marginUsed": _text(margin),
            "maxLeverage": tape.listing.max_leverage,
            # Positive is paid here, and received in userFunding.
            "cumFunding": {
                "allTime": _text(sum(amount for _, amount in paid)),
                "sinceOpen": _text(-held.funding),
                "sinceChange": _text(sum(amount for time_ms, amount in paid if time_ms > held.changed_ms)),
            },
        }

    def _spot(self, now_ms: int) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        # Amounts, what was paid for them, and what orders hold back, by coin.
        amounts = dict(self.holdings.script.tokens)
        costs = {
            coin: abs(amount) * tape.listing.price_usd
            for coin, amount in amounts.items()
            if (tape := self._tokens[coin].tape) is not None and amount > 0
        }
        holds: dict[str, float] = {}
        won = self.holdings.won(now_ms, week_start(now_ms))
        for leg in self.holdings.legs:
            if leg.market == "spot":
                amounts["USDC"] = amounts.get("USDC", 0.0) + won[leg]
        for held in self.holdings.held(now_ms):
            if held.leg.market == "spot":
                coin = self.base_of(held.leg.symbol)
                cost = held.size * held.average
                amounts[coin] = amounts.get(coin, 0.0) + held.size
                amounts["USDC"] = amounts.get("USDC", 0.0) - cost
                costs[coin] = costs.get(coin, 0.0) + cost
        for episode, order in self.holdings.open_orders(now_ms):
            if episode.leg.market == "spot" and order.price is not None:
                left = (order.lots - order.done_lots(now_ms)) * episode.tape.unit
                coin, amount = (
                    ("USDC", left * order.price) if order.is_buy else (self.base_of(episode.leg.symbol), left)
                )
                holds[coin] = holds.get(coin, 0.0) + amount
        return amounts, costs, holds

    def base_of(self, symbol: str) -> str:
        """Return the token that a spot pair is about."""
        return next(
            coin
            for coin, token in self._tokens.items()
            if token.tape is not None and token.tape.listing.symbol == symbol
        )


def _posted(held: Held) -> float:
    return abs(held.size) * held.average / held.leg.leverage


def _isolated_raw(held: Held) -> float:
    return _posted(held) - held.size * held.average


def _summary(value: float, notional: float, raw: float, margin: float) -> Json:
    return {
        "accountValue": _text(value),
        "totalNtlPos": _text(notional),
        "totalRawUsd": _text(raw),
        "totalMarginUsed": _text(margin),
    }


def _text(value: float) -> str:
    return plain(round(value, _PLACES))
