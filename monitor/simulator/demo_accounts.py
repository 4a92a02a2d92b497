"""Who has an account at the demo exchange. These credentials are published and worth nothing: they open made-up money
at a server on loopback, and no real venue knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BITUNIX_SECRET = "demo-secret-worth-nothing"  # noqa: S105  # published on purpose: see the module's first line


@dataclass(frozen=True, slots=True)
class BitunixKey:
    """One API key. script names the account that it opens; is_listed: it is offered to whoever wants to look.

    may_read False: it lacks the futures permission. ip_list None: any address may use it. code: refuses everything
    with this code, as a blocked account does.
    """

    key: str
    secret: str
    script: str
    name: str
    about: str
    is_listed: bool = False
    may_read: bool = True
    ip_list: tuple[str, ...] | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True)
class HyperliquidAddress:
    """One address. script names the account, None for one that has none of its own; role, owner and mode as the venue
    tells them."""

    address: str
    script: str | None
    name: str
    about: str
    is_listed: bool = True
    role: str = "user"
    owner: str | None = None
    mode: str = "default"


def _key(key: str, script: str, name: str, about: str) -> BitunixKey:
    return BitunixKey(key, BITUNIX_SECRET, script, name, about, is_listed=True)


def _address(number: int) -> str:
    return f"0xde{number:038d}"


BITUNIX_KEYS = (
    _key("demo-key-worth-nothing", "bitunix", "demo", "swings, a scalper that gets liquidated, orders that fill"),
    _key("demo-key-busy", "bitunix busy", "demo busy", "more open orders than three pages hold"),
    _key("demo-key-flat", "bitunix flat", "demo flat", "money and nothing else"),
    BitunixKey("demo-key-no-permission", BITUNIX_SECRET, "bitunix", "no permission", "answers 403", may_read=False),
    BitunixKey("demo-key-other-ip", BITUNIX_SECRET, "bitunix", "other IP", "answers 10004", ip_list=("192.0.2.1",)),
    BitunixKey("demo-key-this-ip", BITUNIX_SECRET, "bitunix", "this IP", "loopback only", ip_list=("127.0.0.1",)),
    BitunixKey("demo-key-blocked", BITUNIX_SECRET, "bitunix", "blocked", "answers 20011", code=20011),
)

MASTER = _address(1)
HYPERLIQUID_ADDRESSES = (
    HyperliquidAddress(MASTER, "hyperliquid", "demo", "standard: a perp account per dex, and spot"),
    HyperliquidAddress(_address(2), "unified", "demo unified", "one balance for everything", mode="unifiedAccount"),
    HyperliquidAddress(_address(3), "portfolio", "demo portfolio", "portfolio margin", mode="portfolioMargin"),
    HyperliquidAddress(
        _address(4), "sub", "demo sub", "a sub-account of the first", role="subAccount", owner=MASTER
    ),
    HyperliquidAddress(
        _address(5), None, "agent", "an API wallet of the first: nothing of its own", False, "agent", MASTER
    ),
    HyperliquidAddress(_address(6), "vault", "vault", "a vault", False, "vault"),
)  # fmt: skip


def published() -> list[dict[str, object]]:
    """Return the accounts to look at, as JSON: venue, name, about, and what a person would type, by field."""
    keys = [key for key in BITUNIX_KEYS if key.is_listed]
    addresses = [address for address in HYPERLIQUID_ADDRESSES if address.is_listed]
    return [
        *(_row("bitunix", key.name, key.about, {"api_key": key.key, "secret": key.secret}) for key in keys),
        *(_row("hyperliquid", one.name, one.about, {"address": one.address}) for one in addresses),
    ]


def _row(venue: str, name: str, about: str, inputs: Mapping[str, str]) -> dict[str, object]:
    return {"venue": venue, "name": name, "about": about, "inputs": dict(inputs)}
