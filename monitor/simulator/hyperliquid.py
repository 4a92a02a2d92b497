"""Hyperliquid's `POST /info`: routing, validation, weights and the exact error replies; the market side is answered
here, accounts elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec

from monitor.simulator.hyperliquid_bodies import (
    NULL,
    SERVER_ERROR,
    Body,
    ServerFails,
    WrongBody,
    as_json,
    raw,
    stamp,
    text,
)
from monitor.simulator.hyperliquid_data import MarketReads
from monitor.simulator.hyperliquid_meta import pseudo_address
from monitor.simulator.hyperliquid_people import People
from monitor.simulator.replies import Headers, Moment, Reply, Request
from monitor.simulator.texts import trimmed
from monitor.simulator.world import World

_NOT_THE_TYPE = Reply(422, b"Failed to deserialize the JSON body into the target type", "text/plain")
_NOT_JSON = Reply(400, b"Failed to parse the request body as JSON", "text/plain")
_WRONG_CONTENT = Reply(415, b"Expected request with `Content-Type: application/json`", "text/plain")
_WRONG_METHOD = Reply(405, b"", None, (("Allow", "POST"),))

_WEIGHTS = dict.fromkeys(
    ("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus"), 2
) | {"userRole": 60}  # everything else weighs 20


class HyperliquidVenue:
    """Answers like api.hyperliquid.xyz. Thread: the event loop."""

    name = "hyperliquid"

    def __init__(self, world: World) -> None:
        self._reads = MarketReads(world)
        self._builders = frozenset(world.builders)
        self._types: dict[str, Callable[[Body, Moment], Reply]] = {
            "allMids": self._all_mids,
            "meta": lambda body, _: as_json(self._reads.meta(self._dex(body))),
            "metaAndAssetCtxs": lambda body, now: raw(self._reads.meta_and_contexts(self._dex(body), now.data_ms)),
            "allPerpMetas": lambda _, __: as_json(self._reads.all_perp_metas()),
            "perpDexs": lambda _, __: as_json(self._reads.static.perp_dexs),
            "spotMeta": lambda _, __: as_json(self._reads.static.spot_meta),
            "spotMetaAndAssetCtxs": lambda _, now: raw(self._reads.spot_meta_and_contexts(now.data_ms)),
            "l2Book": self._l2_book,
            "candleSnapshot": self._candles,
            "recentTrades": self._recent_trades,
            "fundingHistory": self._funding_history,
            "predictedFundings": lambda _, now: as_json(self._reads.predicted_fundings(now.data_ms)),
            "exchangeStatus": lambda _, now: as_json(self._reads.exchange_status(now.stamp_ms)),
            "perpsAtOpenInterestCap": self._at_cap,
            "perpDexLimits": self._dex_limits,
            "perpDexStatus": self._dex_status,
            "tokenDetails": self._token_details,
            "outcomeMeta": lambda _, __: as_json({"outcomes": [], "questions": []}),
            "settledOutcome": self._settled_outcome,
        }
        self.people = People(world, self._reads)
        self._types |= self.people.types

    def endpoint(self, request: Request) -> str:
        if request.path != "/info":
            return "other"
        kind = _peek_type(request.body)
        return kind if kind in self._types else "other"

    def warm_up(self, now_ms: int) -> Iterator[None]:
        return self.people.warm_up(now_ms)

    def is_account(self, endpoint: str) -> bool:
        return endpoint in self.people.types

    def headers(self, stamp_ms: int) -> Headers:
        edge = pseudo_address("edge", stamp_ms)
        return (
            ("Server", "nginx/1.22.1"),
            ("Vary", "origin, access-control-request-method, access-control-request-headers"),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", "*"),
            ("X-Cache", "Miss from cloudfront"),
            ("Via", f"1.1 {edge[2:34]}.cloudfront.net (CloudFront)"),
            ("X-Amz-Cf-Pop", "DEMO1-P1"),
            ("X-Amz-Cf-Id", edge[2:]),
            ("X-Demo-Exchange", "1"),
        )

    def refusal(self, request: Request, wait_s: float | None, *, is_edge: bool = False) -> Reply:
        del request, is_edge
        headers: Headers = () if wait_s is None else (("Retry-After", trimmed(float(wait_s))),)
        return Reply(429, b"null", "application/json", headers)

    def error(self, code: int, text: str) -> Reply:
        del code, text
        return SERVER_ERROR

    def answer(self, request: Request, moment: Moment) -> Reply:
        if request.path != "/info":
            return Reply(404, b"", None)
        if request.method != "POST":
            return _WRONG_METHOD
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            return _WRONG_CONTENT
        try:
            body = msgspec.json.decode(request.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _NOT_JSON
        if not isinstance(body, dict):
            return _NOT_THE_TYPE
        kind = body.get("type")
        handler = self._types.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return _NOT_THE_TYPE
        try:
            reply = handler(body, moment)
        except WrongBody:
            return _NOT_THE_TYPE
        except ServerFails:
            return replace(SERVER_ERROR, weight=20)
        return replace(reply, weight=_WEIGHTS.get(str(kind), 20) + reply.weight)

    def _dex(self, body: Body) -> str:
        dex = body.get("dex")
        if dex is None or dex == "":
            return ""
        if not isinstance(dex, str):
            raise WrongBody
        if dex not in self._builders:
            raise ServerFails
        return dex

    def _all_mids(self, body: Body, moment: Moment) -> Reply:
        return raw(self._reads.all_mids(self._dex(body), moment.data_ms))

    def _l2_book(self, body: Body, moment: Moment) -> Reply:
        coin, figures, mantissa = text(body, "coin"), body.get("nSigFigs"), body.get("mantissa")
        if figures not in (None, 2, 3, 4, 5) or mantissa not in (None, 1, 2, 5) or isinstance(figures, bool):
            raise WrongBody
        if mantissa is not None and figures != 5:
            raise ServerFails
        assert figures is None or isinstance(figures, int)  # noqa: S101  # narrowed by the line above
        assert mantissa is None or isinstance(mantissa, int)  # noqa: S101  # as above
        book = self._reads.l2_book(coin, figures, mantissa, moment)
        return NULL if book is None else raw(book)

    def _candles(self, body: Body, moment: Moment) -> Reply:
        req = body.get("req")
        if not isinstance(req, dict):
            raise WrongBody
        coin, interval = text(req, "coin"), text(req, "interval")
        start_ms, end_ms = stamp(req, "startTime"), stamp(req, "endTime", moment.data_ms)
        if interval not in self._reads.intervals:
            raise WrongBody
        found = self._reads.candles(coin, interval, start_ms, end_ms, moment.data_ms)
        if found is None:
            raise ServerFails
        rows, count = found
        return Reply(200, rows, weight=count // 60)

    def _recent_trades(self, body: Body, moment: Moment) -> Reply:
        trades = self._reads.recent_trades(text(body, "coin"), moment.data_ms)
        if trades is None:
            raise ServerFails
        return as_json(trades, rows=len(trades))

    def _funding_history(self, body: Body, moment: Moment) -> Reply:
        coin, start_ms = text(body, "coin"), stamp(body, "startTime")
        rows = self._reads.funding_history(coin, start_ms, stamp(body, "endTime", moment.data_ms), moment.data_ms)
        if rows is None:
            raise ServerFails
        return as_json(rows, rows=len(rows))

    def _at_cap(self, body: Body, moment: Moment) -> Reply:
        del moment
        return as_json(["CANTO", "FTM"] if self._dex(body) == "" else [])

    def _dex_limits(self, body: Body, moment: Moment) -> Reply:
        del moment
        dex = text(body, "dex")
        return as_json(self._reads.dex_limits(dex)) if dex in self._builders else NULL

    def _dex_status(self, body: Body, moment: Moment) -> Reply:
        del moment
        dex = body.get("dex", "")
        if not isinstance(dex, str):
            raise WrongBody
        return as_json({"totalNetDeposit": "44452174.1128069982"}) if dex == "" or dex in self._builders else NULL

    def _token_details(self, body: Body, moment: Moment) -> Reply:
        details = self._reads.token_details(text(body, "tokenId"), moment.data_ms)
        if details is None:
            raise ServerFails
        return as_json(details)

    def _settled_outcome(self, body: Body, moment: Moment) -> Reply:
        del moment
        if not isinstance(body.get("outcome"), int):
            raise WrongBody
        return NULL


_HEAD = msgspec.json.Decoder(type=dict[str, msgspec.Raw])


def _peek_type(body: bytes) -> str:
    try:
        kind = msgspec.json.decode(_HEAD.decode(body).get("type", msgspec.Raw(b'""')))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return kind if isinstance(kind, str) else ""
