"""Accounts of invented people, and clients that read them."""

import json
from collections.abc import Callable
from typing import Any

from monitor.domain.credentials import AccountRef, Address, Credentials, Secret
from monitor.exchanges.bitunix.account import BitunixAccount
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from tests.fakes.exchange_data import as_bytes, ok, reply_json
from tests.fakes.fake_transport import Answer, Asked, FakeTransport

KEY = "k3y0" * 8
SECRET = "s3cr" * 8
ADDRESS = "0x" + "5bA1" * 10

BITUNIX_PATHS = {
    "account": "account",
    "position/get_pending_positions": "account_positions",
    "trade/get_pending_orders": "account_orders",
    "trade/get_history_orders": "account_past_orders",
    "position/get_history_positions": "account_past_positions",
    "trade/get_history_trades": "account_trades",
    "account/get_leverage_margin_mode": "account_leverage",
}
"""Path after the common part, and the reply under tests/data/bitunix."""

HYPERLIQUID_KINDS = {
    "userAbstraction": "account_mode",
    "perpDexs": "perpDexs",
    "clearinghouseState": "account_state",
    "spotClearinghouseState": "account_spot",
    "frontendOpenOrders": "account_orders",
    "historicalOrders": "account_past_orders",
    "userFills": "account_fills",
    "userFillsByTime": "account_fills",
    "userFunding": "account_funding",
    "portfolio": "account_portfolio",
    "userRateLimit": "account_limits",
    "subAccounts": "account_subs",
    "userRole": "account_role",
    "spotMeta": "spotMeta",
    "allMids": "allMids",
    "meta": "meta_xyz",
}
"""``type`` of the question, and the reply under tests/data/hyperliquid."""

BITUNIX_CREDENTIALS = Credentials(
    account=AccountRef("bitunix", "main"), values={"api_key": Secret(KEY), "secret": Secret(SECRET)}
)
HYPERLIQUID_CREDENTIALS = Credentials(
    account=AccountRef("hyperliquid", "vault money"), values={"address": Address(ADDRESS.lower())}
)


def error(code: int | str, text: str = "no") -> bytes:
    """Bitunix's envelope of a refusal."""
    return as_bytes({"code": code, "data": None, "msg": text})


def bitunix_data(path: str) -> Any:
    """``data`` of the usual reply, to be changed by a test."""
    return reply_json("bitunix", BITUNIX_PATHS[path])["data"]


def bitunix_position(number: int = 0, **changes: object) -> dict[str, Any]:
    """A row of the usual open positions, changed."""
    return {**bitunix_data("position/get_pending_positions")[number], **changes}


def bitunix_answer(asked: Asked) -> Answer:
    """The usual reply to a Bitunix request."""
    path = asked.endpoint.path.removeprefix("/api/v1/futures/")
    if path == "tpsl/get_pending_orders":
        return ok([])
    data = bitunix_data(path)
    if path.startswith("trade/get_history_orders") and asked.params and asked.params["queryCanceled"] == "true":
        data = {"orderList": [], "total": "0"}
    return ok(data)


def bitunix_account(*answers: Answer) -> tuple[BitunixAccount, FakeTransport]:
    """A client that is served ``answers`` in order, the last one for ever; without any, the usual replies."""
    return bitunix_account_by(None if answers else bitunix_answer, *answers)


def bitunix_account_by(
    responder: Callable[[Asked], Answer] | None, *answers: Answer
) -> tuple[BitunixAccount, FakeTransport]:
    """A client whose every request ``responder`` answers."""
    transport = FakeTransport(venue="bitunix", answers=list(answers), responder=responder)
    client = BitunixAccount(
        transport,
        BITUNIX_CREDENTIALS,
        wall_clock=transport.clock.utc_now,
        clock=transport.clock,
        pause=transport.clock.advance,
    )
    return client, transport


def hyperliquid_data(kind: str) -> Any:
    """The usual reply, to be changed by a test."""
    return reply_json("hyperliquid", HYPERLIQUID_KINDS[kind])


def hyperliquid_answers(**changed: object) -> Callable[[Asked], Answer]:
    """The usual replies, with others by ``type``: JSON, ready bytes or a reply, or a function of the request's body.

    Builder dexes are empty unless changed.
    """

    def answer(asked: Asked) -> Answer:
        body = asked.document
        kind = body["type"]
        value = changed.get(kind)
        if callable(value):
            value = value(body)
        if value is not None:
            return value if not isinstance(value, dict | list | str) else as_bytes(value)  # type: ignore[return-value]  # an Answer
        if body.get("dex") and kind == "clearinghouseState":
            return as_bytes(EMPTY_STATE)
        if body.get("dex") and kind == "frontendOpenOrders":
            return b"[]"
        return json.dumps(hyperliquid_data(kind)).encode()

    return answer


EMPTY_STATE = {
    "marginSummary": {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"},
    "crossMarginSummary": {"accountValue": "0.0", "totalNtlPos": "0.0", "totalRawUsd": "0.0", "totalMarginUsed": "0.0"},
    "crossMaintenanceMarginUsed": "0.0",
    "withdrawable": "0.0",
    "assetPositions": [],
    "time": 1795435200000,
}


def hyperliquid_account(**changed: object) -> tuple[HyperliquidAccount, FakeTransport]:
    """A client with the usual replies, except for those given by ``type``."""
    return hyperliquid_account_by(hyperliquid_answers(**changed))


def hyperliquid_account_by(responder: Callable[[Asked], Answer]) -> tuple[HyperliquidAccount, FakeTransport]:
    """A client whose every request ``responder`` answers."""
    transport = FakeTransport(venue="hyperliquid", responder=responder)
    client = HyperliquidAccount(
        transport,
        HYPERLIQUID_CREDENTIALS,
        wall_clock=transport.clock.utc_now,
        clock=transport.clock,
        pause=transport.clock.advance,
    )
    return client, transport


def kinds_asked(transport: FakeTransport) -> list[str]:
    """``type`` of every question so far, with its dex."""
    documents = [asked.document for asked in transport.asked]
    return [f"{one['type']}:{one['dex']}" if one.get("dex") else one["type"] for one in documents]
