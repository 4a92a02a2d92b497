"""The demo markets and venues without a server: ask them at any simulated instant."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from monitor.simulator.bitunix import BitunixVenue
from monitor.simulator.holdings import Holdings
from monitor.simulator.hyperliquid import HyperliquidVenue
from monitor.simulator.replies import Moment, Reply, Request
from monitor.simulator.world import World

# 2026-11-23 10:17:31.600 UTC: inside a month, a week, a day, an hour, a minute and a slot.
NOON_MS = 1_795_429_051_600


class DemoWorld:
    """Both venues over one world. Pure computation: no clock, no sockets."""

    def __init__(self, seed: int = 1, instruments: int = 300) -> None:
        self.world = World(seed, instruments, NOON_MS)
        self.bitunix = BitunixVenue(self.world)
        self.hyperliquid = HyperliquidVenue(self.world)

    def get(self, path: str, now_ms: int = NOON_MS) -> Reply:
        """Ask Bitunix for a path below /api/v1/futures/, query included."""
        plain, _, query = path.partition("?")
        full = plain if plain.startswith("/") else f"/api/v1/futures/{plain}"
        request = Request("GET", full, dict(parse_qsl(query, keep_blank_values=True)), {}, b"", "127.0.0.1")
        return self.bitunix.answer(request, Moment(now_ms, now_ms))

    def post(self, body: object, now_ms: int = NOON_MS, content_type: str = "application/json") -> Reply:
        """Ask Hyperliquid's /info; bytes are sent as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request("POST", "/info", {}, {"content-type": content_type}, raw, "127.0.0.1")
        return self.hyperliquid.answer(request, Moment(now_ms, now_ms))

    def data(self, path: str, now_ms: int = NOON_MS) -> Any:
        """Return the data of a successful Bitunix reply."""
        value = json.loads(self.get(path, now_ms).body)
        assert value["code"] == 0, value
        return value["data"]

    def info(self, body: object, now_ms: int = NOON_MS) -> Any:
        """Return the value of a successful Hyperliquid reply."""
        reply = self.post(body, now_ms)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def hyperliquid_holdings(self, address: str) -> Holdings:
        """Return what the demo's own books say of an address."""
        return self.hyperliquid.people.holdings(address)
