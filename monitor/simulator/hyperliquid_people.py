"""Hyperliquid's account side on `POST /info`: whatever is asked by address.

As at the real venue nothing is secret: an address that was never used has an empty account, one of an API wallet has
nothing of its own, and neither is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.simulator.demo_accounts import HYPERLIQUID_ADDRESSES, HyperliquidAddress
from monitor.simulator.holdings import Holdings
from monitor.simulator.hyperliquid_account import AddressMoney, Token, maintenance_rate
from monitor.simulator.hyperliquid_bodies import NULL, Body, ServerFails, WrongBody, address, as_json, flag, stamp, text
from monitor.simulator.hyperliquid_contexts import BUILDER_MULTIPLIER, marks
from monitor.simulator.hyperliquid_data import MarketReads
from monitor.simulator.hyperliquid_events import AddressEvents
from monitor.simulator.hyperliquid_meta import Json
from monitor.simulator.hyperliquid_orders import AddressOrders
from monitor.simulator.noise import text_key
from monitor.simulator.playing import Rules
from monitor.simulator.replies import Moment, Reply
from monitor.simulator.scripts import SCRIPTS, Script
from monitor.simulator.tape import Tape
from monitor.simulator.texts import plain
from monitor.simulator.world import World

_MAKER_FEE, _TAKER_FEE = 0.00015, 0.00045  # the published base fees
_SPOT_MAKER_FEE, _SPOT_TAKER_FEE = 0.0004, 0.0007
_MOST_FILLS = 2000
_MOST_ROWS = 500
_NOBODY = "nobody"
_FEE_TOKENS = {"hyna": "USDE", "flx": "USDH"}

_EMPTY_LISTS = (
    "delegations",
    "delegatorRewards",
    "delegatorHistory",
    "userVaultEquities",
    "userTwapSliceFills",
    "twapHistory",
    "extraAgents",
)

Handler = Callable[[Body, Moment], Reply]


@dataclass(frozen=True, slots=True)
class _Person:
    """One address with everything that is told about it."""

    entry: HyperliquidAddress
    money: AddressMoney
    orders: AddressOrders
    events: AddressEvents


class People:
    """Everybody who has an account, and the handlers by request type. Thread: the event loop."""

    def __init__(self, world: World, reads: MarketReads) -> None:
        self._world = world
        self._reads = reads
        self._tapes: dict[str, Tape] = {}
        self._tokens = self._make_tokens()
        self._people = {entry.address: self._make(entry) for entry in HYPERLIQUID_ADDRESSES}
        self.types: Mapping[str, Handler] = {
            "clearinghouseState": self._state,
            "spotClearinghouseState": lambda body, now: as_json(self._who(body).money.spot_state(now.data_ms)),
            "openOrders": lambda body, now: as_json(self._who(body).orders.open(self._dex(body), now.data_ms)),
            "frontendOpenOrders": self._orders_in_full,
            "historicalOrders": self._past_orders,
            "orderStatus": self._order_status,
            "userFills": self._fills,
            "userFillsByTime": self._fills_by_time,
            "userFunding": lambda body, now: _ranged(self._who(body).events.funding(now.data_ms), body, now),
            "userNonFundingLedgerUpdates": self._ledger,
            "userRateLimit": self._rate_limit,
            "portfolio": lambda body, now: as_json(self._who(body).events.portfolio(now.data_ms)),
            "userRole": self._role,
            "userAbstraction": lambda body, _: as_json(self._who(body).money.mode),
            "userDexAbstraction": lambda body, _: as_json(self._who(body).money.mode == "dexAbstraction"),
            "subAccounts": self._sub_accounts,
            "subAccounts2": self._sub_accounts,
            "activeAssetData": self._asset_data,
            "userFees": self._fees,
            "delegatorSummary": self._staked,
            "referral": self._referral,
            "userToMultiSigSigners": _always(None),
            "maxBuilderFee": _always(0),
            **dict.fromkeys(_EMPTY_LISTS, _always([])),
        }

    def warm_up(self, now_ms: int) -> Iterator[None]:
        """Play everybody's past, a cycle at a step."""
        for person in self._people.values():
            yield from person.money.holdings.warm_up(now_ms)

    def holdings(self, user: str) -> Holdings:
        """Return the books of one of the demo's addresses. Raises KeyError for another."""
        return self._people[user].money.holdings

    def _make_tokens(self) -> dict[str, Token]:
        tokens = {"USDC": Token(0, None)}
        for index, name in ((235, "USDE"), (268, "USDT0"), (360, "USDH")):
            tokens[name] = Token(index, None)
        for pair in self._world.pairs:
            if pair.quote_token == 0 and pair.base not in tokens:
                tape = self._tape(pair.listing.symbol)
                tokens[pair.base] = Token(pair.base_token, tape)
        return tokens

    def _make(self, entry: HyperliquidAddress) -> _Person:
        script = SCRIPTS[entry.script] if entry.script is not None else Script(_NOBODY, {})
        tapes: dict[str, Tape] = {}
        rules: dict[str, Rules] = {}
        for leg in script.legs:
            tape = self._tape(leg.symbol)
            if tape is None:
                continue
            is_spot = leg.market == "spot"
            tapes[leg.name] = tape
            rules[leg.name] = Rules(
                seed_key=text_key(self._world.seed, "hyperliquid account", script.name, leg.name),
                maintenance=0.0 if is_spot else maintenance_rate(tape),
                maker_fee=_SPOT_MAKER_FEE if is_spot else _MAKER_FEE,
                taker_fee=_SPOT_TAKER_FEE if is_spot else _TAKER_FEE,
            )
        holdings = Holdings(_with_known_tokens(script, self._tokens), tapes, rules)
        money = AddressMoney(holdings, entry.mode, self._mark, self._tokens)
        return _Person(entry, money, AddressOrders(holdings), AddressEvents(entry.address, money, _FEE_TOKENS))

    def _tape(self, symbol: str) -> Tape | None:
        found = self._reads.find(symbol)
        if found is None:
            return None
        if symbol not in self._tapes:
            market, row = found
            is_spot = market is self._world.spot
            factor = 1.0 if market is self._world.perps else BUILDER_MULTIPLIER
            self._tapes[symbol] = Tape(
                market, row, interval_h=0 if is_spot else 1, rate_factor=factor, places=10, is_late=True
            )
        return self._tapes[symbol]

    def _mark(self, tape: Tape, now_ms: int) -> float:
        return float(marks(tape.market, now_ms)[tape.row])

    def _who(self, body: Body) -> _Person:
        user = address(body)
        found = self._people.get(user)
        return self._make(HyperliquidAddress(user, None, _NOBODY, "", role="missing")) if found is None else found

    def _dex(self, body: Body) -> str:
        dex = body.get("dex")
        if dex is None or dex == "":
            return ""
        if not isinstance(dex, str):
            raise WrongBody
        if dex not in self._world.builders:
            raise ServerFails
        return dex

    def _state(self, body: Body, moment: Moment) -> Reply:
        dex = self._dex(body)
        return as_json(self._who(body).money.perp_state(dex, moment.data_ms, moment.told_ms))

    def _orders_in_full(self, body: Body, moment: Moment) -> Reply:
        dex = self._dex(body)
        return as_json(self._who(body).orders.open_in_full(dex, moment.data_ms))

    def _past_orders(self, body: Body, moment: Moment) -> Reply:
        rows = self._who(body).orders.past(moment.data_ms)
        return as_json(rows, rows=len(rows))

    def _order_status(self, body: Body, moment: Moment) -> Reply:
        wanted = body.get("oid")
        if isinstance(wanted, bool) or not isinstance(wanted, int | str):
            raise WrongBody
        found = self._who(body).orders.find(wanted, moment.data_ms)
        return as_json({"status": "unknownOid"} if found is None else {"status": "order", "order": found})

    def _fills(self, body: Body, moment: Moment) -> Reply:
        flag(body, "aggregateByTime")
        rows = self._who(body).events.fills(moment.data_ms)[:_MOST_FILLS]
        return as_json(rows, rows=len(rows))

    def _fills_by_time(self, body: Body, moment: Moment) -> Reply:
        flag(body, "aggregateByTime")
        start_ms, end_ms = stamp(body, "startTime"), stamp(body, "endTime", moment.data_ms)
        rows = [row for row in self._who(body).events.fills(moment.data_ms) if start_ms <= _time(row) <= end_ms]
        if not flag(body, "reversed"):
            rows.reverse()
        rows = rows[:_MOST_FILLS]
        return as_json(rows, rows=len(rows))

    def _ledger(self, body: Body, moment: Moment) -> Reply:
        return _ranged(self._who(body).events.ledger(moment.data_ms), body, moment)

    def _rate_limit(self, body: Body, moment: Moment) -> Reply:
        person = self._who(body)
        volume = person.events.volume(moment.data_ms)
        used = 3 * len(person.events.fills(moment.data_ms))
        return as_json(
            {
                "cumVlm": plain(round(volume, 6)),
                "nRequestsUsed": used,
                "nRequestsCap": 10_000 + int(volume),
                "nRequestsSurplus": 0,
            }
        )

    def _role(self, body: Body, moment: Moment) -> Reply:
        del moment
        entry = self._who(body).entry
        reply: Json = {"role": entry.role}
        if entry.owner is not None:
            reply["data"] = {"user" if entry.role == "agent" else "master": entry.owner}
        return as_json(reply)

    def _sub_accounts(self, body: Body, moment: Moment) -> Reply:
        master = address(body)
        rows: list[Json] = []
        for person in self._people.values():
            if person.entry.role != "subAccount" or person.entry.owner != master:
                continue
            state = person.money.perp_state("", moment.data_ms, moment.told_ms)
            row: Json = {"name": person.entry.name, "subAccountUser": person.entry.address, "master": master}
            if body["type"] == "subAccounts":
                row["clearinghouseState"] = state
            else:
                row["dexToClearinghouseState"] = [["", state]]
            row["spotState"] = person.money.spot_state(moment.data_ms)
            rows.append(row)
        return as_json(rows) if rows else NULL

    def _asset_data(self, body: Body, moment: Moment) -> Reply:
        person, coin = self._who(body), text(body, "coin")
        found = self._reads.find(coin)
        if found is None or found[0] is self._world.spot:
            raise ServerFails
        market, row = found
        listing = market.rows.listings[row]
        mark = float(marks(market, moment.data_ms)[row])
        leverage = person.money.leverage(coin, listing.max_leverage)
        free = person.money.free(coin.rpartition(":")[0], moment.data_ms)
        most = plain(round(free * int(str(leverage["value"])) / mark, listing.size_decimals))
        return as_json(
            {
                "user": person.entry.address,
                "coin": coin,
                "leverage": leverage,
                "maxTradeSzs": [most, most],
                "availableToTrade": [plain(round(free, 6))] * 2,
                "markPx": plain(mark),
            }
        )

    def _fees(self, body: Body, moment: Moment) -> Reply:
        person = self._who(body)
        tiers = {
            "vip": [{"ntlCutoff": "5000000.0", "cross": "0.0004", "add": "0.00012"}],
            "mm": [{"makerFractionCutoff": "0.005", "add": "-0.00001"}],
        }
        cross, add = plain(_TAKER_FEE), plain(_MAKER_FEE)
        schedule = {"cross": cross, "add": add, "tiers": tiers, "referralDiscount": "0.04"}
        traded = plain(round(person.events.volume(moment.data_ms, moment.data_ms - 86_400_000), 2))
        day = {"date": _date(moment.data_ms), "userCross": traded, "userAdd": "0.0", "exchange": "9059718523.64"}
        return as_json(
            {
                "dailyUserVlm": [day],
                "feeSchedule": schedule,
                "userCrossRate": cross,
                "userAddRate": add,
                "activeReferralDiscount": "0.0",
            }
        )

    def _staked(self, body: Body, moment: Moment) -> Reply:
        del moment
        address(body)
        nothing = {"delegated": "0.0", "undelegated": "0.0", "totalPendingWithdrawal": "0.0", "nPendingWithdrawals": 0}
        return as_json(nothing)

    def _referral(self, body: Body, moment: Moment) -> Reply:
        traded = plain(round(self._who(body).events.volume(moment.data_ms), 6))
        return as_json(
            {
                "referredBy": None,
                "cumVlm": traded,
                "unclaimedRewards": "0.0",
                "claimedRewards": "0.0",
                "builderRewards": "0.0",
                "referrerState": {"stage": "needToCreateCode"},
                "rewardHistory": [],
            }
        )


def _always(value: object) -> Handler:
    # What nobody in the demo has; the address must be one all the same.
    def answer(body: Body, moment: Moment) -> Reply:
        del moment
        address(body)
        return as_json(value)

    return answer


def _ranged(rows: list[Json], body: Body, moment: Moment) -> Reply:
    start_ms, end_ms = stamp(body, "startTime", 0), stamp(body, "endTime", moment.data_ms)
    chosen = [row for row in rows if start_ms <= _time(row) <= end_ms][:_MOST_ROWS]
    return as_json(chosen, rows=len(chosen))


def _with_known_tokens(script: Script, tokens: Mapping[str, Token]) -> Script:
    known = {coin: amount for coin, amount in script.tokens.items() if coin in tokens}
    return Script(script.name, script.wallets, script.legs, known)


def _time(row: Json) -> int:
    return int(str(row["time"]))


def _date(now_ms: int) -> str:
    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
