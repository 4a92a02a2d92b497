"""The hand-written replies under tests/data, and clients that get them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.domain.errors import MonitorError
from monitor.domain.market import Instrument
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from tests.fakes.fake_transport import Answer, Asked, FakeTransport

DATA = Path(__file__).parents[1] / "data"
RECORDED = Path(__file__).parents[3] / "shared" / "exchanges"
"""Recorded replies of the live services; they are not part of the project and may be absent."""


def reply_bytes(venue: str, name: str) -> bytes:
    """The body of a hand-written reply."""
    return (DATA / venue / f"{name}.json").read_bytes()


def reply_json(venue: str, name: str) -> Any:
    """The same, parsed, to be changed by a test."""
    return json.loads(reply_bytes(venue, name))


def as_bytes(document: object) -> bytes:
    """JSON as the venues send it."""
    return json.dumps(document, separators=(",", ":")).encode()


def ok(data: object) -> bytes:
    """Bitunix's envelope around ``data``."""
    return as_bytes({"code": 0, "data": data, "msg": "Success"})


def outcome(read: Callable[[], object]) -> object:
    """What ``read`` returns, or the error of ours that it raises; any other exception gets through."""
    try:
        return read()
    except MonitorError as error:
        return error


def bitunix(*answers: Answer) -> tuple[BitunixClient, FakeTransport]:
    """A client that is served ``answers`` in order, the last one for ever."""
    transport = FakeTransport(venue="bitunix", answers=list(answers))
    return BitunixClient(transport, wall_clock=transport.clock.utc_now, pause=transport.clock.advance), transport


def hyperliquid(*answers: Answer) -> tuple[HyperliquidClient, FakeTransport]:
    """A client that is served ``answers`` in order, the last one for ever."""
    transport = FakeTransport(venue="hyperliquid", answers=list(answers))
    return HyperliquidClient(transport, wall_clock=transport.clock.utc_now, pause=transport.clock.advance), transport


def bitunix_instruments() -> dict[str, Instrument]:
    """The usual trading pairs as a client reads them, by symbol."""
    client, _ = bitunix(reply_bytes("bitunix", "trading_pairs"))
    return {one.venue_symbol: one for one in client.fetch_instruments().value.instruments}


def hyperliquid_instruments() -> dict[str, Instrument]:
    """The usual perpetuals and spot pairs as a client reads them, by coin."""
    client, _ = hyperliquid(reply_bytes("hyperliquid", "spotMeta"), reply_bytes("hyperliquid", "allPerpMetas"))
    return {one.venue_symbol: one for one in client.fetch_instruments().value.instruments}


def bitunix_by(responder: Callable[[Asked], Answer]) -> tuple[BitunixClient, FakeTransport]:
    """A client whose every request ``responder`` answers."""
    transport = FakeTransport(venue="bitunix", responder=responder)
    return BitunixClient(transport, wall_clock=transport.clock.utc_now, pause=transport.clock.advance), transport


def hyperliquid_by(responder: Callable[[Asked], Answer]) -> tuple[HyperliquidClient, FakeTransport]:
    """A client whose every request ``responder`` answers."""
    transport = FakeTransport(venue="hyperliquid", responder=responder)
    return HyperliquidClient(transport, wall_clock=transport.clock.utc_now, pause=transport.clock.advance), transport
