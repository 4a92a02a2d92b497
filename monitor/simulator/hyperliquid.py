"""Hyperliquid's `POST /info`, market side: routing, validation, weights and the exact error replies."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import msgspec

from monitor.simulator.hyperliquid_data import MarketReads
from monitor.simulator.hyperliquid_meta import pseudo_address
from monitor.simulator.replies import Headers, Moment, Reply, Request
from monitor.simulator.texts import trimmed
from monitor.simulator.world import World

_NOT_THE_TYPE = Reply(422, b"Failed to deserialize the JSON body into the target type", "text/plain")
_NOT_JSON = Reply(400, b"Failed to parse the request body as JSON", "text/plain")
_WRONG_CONTENT = Reply(415, b"Expected request with `Content-Type: application/json`", "text/plain")
_WRONG_METHOD = Reply(405, b"", None, (("Allow", "POST"),))
_NULL = Reply(200, b"null")
_SERVER_ERROR = Reply(500, b"null")

_CHEAP = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus"}
)
Body = Mapping[str, object]


class _WrongBody(Exception):
    """The body does not fit the type it names; answered with 422."""


class _ServerFails(Exception):
    """The real server answers this with 500 and null."""


class HyperliquidVenue:
    """Answers like api.hyperliquid.xyz. Thread: the event loop."""

    name = "hyperliquid"

    def __init__(self, world: World) -> None:
        self._reads = MarketReads(world)
        self._builders = frozenset(world.builders)
        self._types: dict[str, Callable[[Body, Moment], Reply]] = {
            "allMids": self._all_mids,
            "meta": lambda body, _: _json(self._reads.meta(self._dex(body))),
            "metaAndAssetCtxs": lambda body, now: _raw(self._reads.meta_and_contexts(self._dex(body), now.data_ms)),
            "allPerpMetas": lambda _, __: _json(self._reads.all_perp_metas()),
            "perpDexs": lambda _, __: _json(self._reads.static.perp_dexs),
            "spotMeta": lambda _, __: _json(self._reads.static.spot_meta),
            "spotMetaAndAssetCtxs": lambda _, now: _raw(self._reads.spot_meta_and_contexts(now.data_ms)),
            "l2Book": self._l2_book,
            "candleSnapshot": self._candles,
            "recentTrades": self._recent_trades,
            "fundingHistory": self._funding_history,
            "predictedFundings": lambda _, now: _json(self._reads.predicted_fundings(now.data_ms)),
            "exchangeStatus": lambda _, now: _json(self._reads.exchange_status(now.stamp_ms)),
            "perpsAtOpenInterestCap": self._at_cap,
            "perpDexLimits": self._dex_limits,
            "perpDexStatus": self._dex_status,
            "tokenDetails": self._token_details,
            "outcomeMeta": lambda _, __: _json({"outcomes": [], "questions": []}),
            "settledOutcome": self._settled_outcome,
        }

    def endpoint(self, request: Request) -> str:
        if request.path != "/info":
            return "other"
        kind = _peek_type(request.body)
        return kind if kind in self._types else "other"

    def is_account(self, endpoint: str) -> bool:
        del endpoint
        return False

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
        return _SERVER_ERROR

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
        except _WrongBody:
            return _NOT_THE_TYPE
        except _ServerFails:
            return replace(_SERVER_ERROR, weight=20)
        return replace(reply, weight=(2 if kind in _CHEAP else 20) + reply.weight)

    def _dex(self, body: Body) -> str:
        dex = body.get("dex")
        if dex is None or dex == "":
            return ""
        if not isinstance(dex, str):
            raise _WrongBody
        if dex not in self._builders:
            raise _ServerFails
        return dex

    def _all_mids(self, body: Body, moment: Moment) -> Reply:
        return _raw(self._reads.all_mids(self._dex(body), moment.data_ms))

    def _l2_book(self, body: Body, moment: Moment) -> Reply:
        coin, figures, mantissa = _text(body, "coin"), body.get("nSigFigs"), body.get("mantissa")
        if figures not in (None, 2, 3, 4, 5) or mantissa not in (None, 1, 2, 5) or isinstance(figures, bool):
            raise _WrongBody
        if mantissa is not None and figures != 5:
            raise _ServerFails
        assert figures is None or isinstance(figures, int)  # noqa: S101  # narrowed by the line above
        assert mantissa is None or isinstance(mantissa, int)  # noqa: S101  # as above
        book = self._reads.l2_book(coin, figures, mantissa, moment)
        return _NO_ROWS if book is None else _raw(book)

    def _candles(self, body: Body, moment: Moment) -> Reply:
        req = body.get("req")
        if not isinstance(req, dict):
            raise _WrongBody
        coin, interval = _text(req, "coin"), _text(req, "interval")
        start_ms, end_ms = _stamp(req, "startTime"), _stamp(req, "endTime", moment.data_ms)
        if interval not in self._reads.intervals:
            raise _WrongBody
        found = self._reads.candles(coin, interval, start_ms, end_ms, moment.data_ms)
        if found is None:
            raise _ServerFails
        text, count = found
        return Reply(200, text, weight=count // 60)

    def _recent_trades(self, body: Body, moment: Moment) -> Reply:
        trades = self._reads.recent_trades(_text(body, "coin"), moment.data_ms)
        if trades is None:
            raise _ServerFails
        return replace(_json(trades), weight=len(trades) // 20)

    def _funding_history(self, body: Body, moment: Moment) -> Reply:
        coin, start_ms = _text(body, "coin"), _stamp(body, "startTime")
        rows = self._reads.funding_history(coin, start_ms, _stamp(body, "endTime", moment.data_ms), moment.data_ms)
        if rows is None:
            raise _ServerFails
        return replace(_json(rows), weight=len(rows) // 20)

    def _at_cap(self, body: Body, moment: Moment) -> Reply:
        del moment
        return _json(["CANTO", "FTM"] if self._dex(body) == "" else [])

    def _dex_limits(self, body: Body, moment: Moment) -> Reply:
        del moment
        dex = _text(body, "dex")
        return _json(self._reads.dex_limits(dex)) if dex in self._builders else _NO_ROWS

    def _dex_status(self, body: Body, moment: Moment) -> Reply:
        del moment
        dex = body.get("dex", "")
        if not isinstance(dex, str):
            raise _WrongBody
        return _json({"totalNetDeposit": "44452174.1128069982"}) if dex == "" or dex in self._builders else _NO_ROWS

    def _token_details(self, body: Body, moment: Moment) -> Reply:
        details = self._reads.token_details(_text(body, "tokenId"), moment.data_ms)
        if details is None:
            raise _ServerFails
        return _json(details)

    def _settled_outcome(self, body: Body, moment: Moment) -> Reply:
        del moment
        if not isinstance(body.get("outcome"), int):
            raise _WrongBody
        return _NO_ROWS


_NO_ROWS = replace(_NULL, weight=0)
_HEAD = msgspec.json.Decoder(type=dict[str, msgspec.Raw])


def _peek_type(body: bytes) -> str:
    try:
        kind = msgspec.json.decode(_HEAD.decode(body).get("type", msgspec.Raw(b'""')))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return kind if isinstance(kind, str) else ""


def _text(body: Body, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise _WrongBody
    return value


def _stamp(body: Body, name: str, default: int | None = None) -> int:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise _WrongBody
    return value


def _raw(body: bytes) -> Reply:
    return Reply(200, body, weight=0)


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value, separators=(",", ":")).encode(), weight=0)
