"""Bitunix futures: routes, parameters, envelopes and the exact refusals of the public GET endpoints; signed ones are
handed on.

Wire format: recorded replies and probes of 2026; where the venue contradicts its own documentation the code says so
in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from monitor.simulator.bitunix_account import FuturesAccount, maintenance_rate
from monitor.simulator.bitunix_data import FuturesReads
from monitor.simulator.bitunix_private import PrivateReads
from monitor.simulator.bitunix_refusals import MISSING, Refused, envelope, whole
from monitor.simulator.demo_accounts import BITUNIX_KEYS
from monitor.simulator.holdings import Holdings
from monitor.simulator.noise import text_key
from monitor.simulator.playing import Rules
from monitor.simulator.replies import Headers, Moment, Reply, Request
from monitor.simulator.scripts import SCRIPTS, Script
from monitor.simulator.tape import Tape
from monitor.simulator.texts import trimmed
from monitor.simulator.world import World

_PREFIX = "/api/v1/futures/"
_INTERVALS = frozenset({"1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"})
_DEPTHS = {"1": 1, "5": 5, "15": 15, "50": 50, "max": 8000}
_MAX_ROWS = 200

_NOT_ALLOWED = (20015, "this Futures is not allowed to trade.")
_TOO_FAST = (10006, "Request too frequently")
_MAKER_FEE, _TAKER_FEE = 0.0002, 0.0006  # the published base fees


class BitunixVenue:
    """Answers like fapi.bitunix.com. refusal: how a request over the limit is turned down; shapes: account replies as
    they come live, or as documented. Thread: the event loop."""

    name = "bitunix"

    def __init__(
        self,
        world: World,
        refusal: Literal["code", "edge"] = "code",
        shapes: Literal["live", "documented"] = "live",
    ) -> None:
        self._reads = FuturesReads(world)
        self._refusal = refusal
        self._routes: dict[str, Callable[[Request, Moment], bytes]] = {
            "market/tickers": self._tickers,
            "market/depth": self._depth,
            "market/kline": self._kline,
            "market/trading_pairs": lambda request, _: self._reads.pairs(self._chosen(request, self._reads.everything)),
            "market/funding_rate": self._funding_rate,
            "market/funding_rate/batch": lambda _, moment: self._reads.all_funding(moment.data_ms),
            "market/get_funding_rate_history": self._funding_history,
            "position/get_position_tiers": lambda request, _: self._reads.tiers(self._row(request)),
        }
        self._tapes: dict[str, Tape] = {}
        is_documented = shapes == "documented"
        names = dict.fromkeys(key.script for key in BITUNIX_KEYS)
        self._books = [self._holdings(SCRIPTS[name], world) for name in names]
        accounts = {
            holdings.script.name: FuturesAccount(holdings, self._mark, is_documented=is_documented)
            for holdings in self._books
        }
        self._private = PrivateReads(
            accounts, lambda symbol: self._reads.find(symbol) is not None, is_documented=is_documented
        )
        self._account_endpoints = frozenset(_endpoint(route) for route in self._private.routes)

    def endpoint(self, request: Request) -> str:
        route = self._route(request)
        return "other" if route is None else _endpoint(route)

    def warm_up(self, now_ms: int) -> Iterator[None]:
        for holdings in self._books:
            yield from holdings.warm_up(now_ms)

    def is_account(self, endpoint: str) -> bool:
        return endpoint in self._account_endpoints

    def headers(self, stamp_ms: int) -> Headers:
        del stamp_ms
        return (
            ("Server", "cloudflare"),
            ("cf-cache-status", "DYNAMIC"),
            ("x-envoy-upstream-service-time", "4"),
            ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
            ("X-Demo-Exchange", "1"),
        )

    def refusal(self, request: Request, wait_s: float | None, *, is_edge: bool = False) -> Reply:
        del request
        if is_edge or self._refusal == "edge":
            retry: Headers = () if wait_s is None else (("Retry-After", trimmed(float(wait_s))),)
            return Reply(429, b"error code: 1015", "text/plain; charset=UTF-8", retry)
        return envelope(*_TOO_FAST)

    def error(self, code: int, text: str) -> Reply:
        return envelope(code, text or "Network Error")

    def answer(self, request: Request, moment: Moment) -> Reply:
        route = self._route(request)
        if route is None or request.method != "GET":
            return envelope(404, "Not Found")  # the HTTP status is 200 all the same
        try:
            is_private = route in self._private.routes
            data = self._private.answer(route, request, moment) if is_private else self._routes[route](request, moment)
        except Refused as exc:
            return envelope(exc.code, exc.text)
        return Reply(200, b'{"code":0,"data":' + data + b',"msg":"Success"}')

    def _route(self, request: Request) -> str | None:
        if not request.path.startswith(_PREFIX):
            return None
        route = request.path[len(_PREFIX) :].strip("/")
        return route if route in self._routes or route in self._private.routes else None

    def _holdings(self, script: Script, world: World) -> Holdings:
        tapes: dict[str, Tape] = {}
        rules: dict[str, Rules] = {}
        for leg in script.legs:
            tape = self._tape(leg.symbol, world)
            if tape is not None:
                tapes[leg.name] = tape
                key = text_key(world.seed, "bitunix account", script.name, leg.name)
                rules[leg.name] = Rules(
                    seed_key=key, maintenance=maintenance_rate(tape), maker_fee=_MAKER_FEE, taker_fee=_TAKER_FEE
                )
        return Holdings(script, tapes, rules)

    def _tape(self, symbol: str, world: World) -> Tape | None:
        row = self._reads.find(symbol)
        if row is None:
            return None
        if symbol not in self._tapes:
            hours = self._reads.interval_h(row)
            self._tapes[symbol] = Tape(world.futures, row, interval_h=hours, rate_factor=hours, places=8)
        return self._tapes[symbol]

    def _mark(self, tape: Tape, now_ms: int) -> float:
        return self._reads.mark(tape.row, now_ms)

    def _row(self, request: Request) -> int:
        symbol = request.query.get("symbol", "")
        if not symbol:
            raise Refused(*MISSING)
        row = self._reads.find(symbol)
        if row is None:
            raise Refused(*_NOT_ALLOWED)
        return row

    def _chosen(self, request: Request, known: list[int]) -> list[int]:
        text = request.query.get("symbols", "")
        if not text:
            return known
        found = [self._reads.find(name) for name in text.split(",")]
        chosen = [row for row in found if row is not None and row in set(known)]
        if not chosen:
            raise Refused(*_NOT_ALLOWED)
        return chosen

    def _tickers(self, request: Request, moment: Moment) -> bytes:
        if not request.query.get("symbols"):
            return self._reads.all_tickers(moment.data_ms)
        return self._reads.tickers(self._chosen(request, self._reads.quoted), moment.data_ms)

    def _depth(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        limit = request.query.get("limit", "max")  # without a limit the whole book comes
        if limit not in _DEPTHS:
            raise Refused(10008, "limit must be one of [1, 5, 15, 50, max]")
        return self._reads.depth(row, _DEPTHS[limit], moment.data_ms)

    def _kline(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        interval = request.query.get("interval", "")
        if not interval:
            raise Refused(*MISSING)
        if interval not in _INTERVALS or self._reads.is_preview(row):
            return b"[]"
        limit = min(_MAX_ROWS, max(1, whole(request, "limit", 100)))
        span_ms = (whole(request, "startTime", 0), whole(request, "endTime", moment.data_ms))
        return self._reads.klines(row, interval, limit, span_ms, moment.data_ms)

    def _funding_rate(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        if self._reads.is_preview(row):
            raise Refused(*_NOT_ALLOWED)
        return self._reads.funding(row, moment.data_ms)

    def _funding_history(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        limit = min(_MAX_ROWS, max(1, whole(request, "limit", 100)))
        # "starTime" is the venue's own spelling; both are taken.
        start_ms = whole(request, "starTime", whole(request, "startTime", 0))
        end_ms = whole(request, "endTime", moment.data_ms)
        return self._reads.funding_history(row, limit, (start_ms, end_ms), moment.data_ms)


def _endpoint(route: str) -> str:
    return route.removeprefix("market/").removeprefix("position/")
