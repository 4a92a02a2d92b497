"""Checks that turn what a settings file says into values. Pure; each raises ``ValueError`` saying what was expected."""

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from monitor.domain.alerts import AlertRule

T = TypeVar("T")

Check = Callable[[object], object]

_MAX_TEXT = 4_096
_MAX_ITEMS = 2_000
_PROXY_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})


def choice(*allowed: object) -> Check:
    """One of ``allowed``, of the same type (``True`` is not 1)."""

    def check(value: object) -> object:
        for one in allowed:
            if type(one) is type(value) and one == value:
                return one
        raise ValueError("one of " + ", ".join(str(one) for one in allowed))

    return check


def flag(value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise ValueError("true or false")


def whole(lowest: int, highest: int) -> Check:
    """A whole number in [lowest, highest]."""

    def check(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        raise ValueError(f"a whole number from {lowest} to {highest}")

    return check


def number(lowest: float, highest: float) -> Check:
    """A finite number in [lowest, highest]."""

    def check(value: object) -> float:
        # The comparison comes first: float() of a whole number of 400 digits overflows.
        if isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest:
            return float(value)
        raise ValueError(f"a number from {lowest:g} to {highest:g}")

    return check


def text(value: object) -> str:
    """Text without control characters."""
    if isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable():
        return value
    raise ValueError("plain text")


def base64_text(value: object) -> str:
    """Base64 of opaque bytes; empty for none."""
    if isinstance(value, str):
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("Base64 text") from None
        return value
    raise ValueError("Base64 text")


def optional(check: Check) -> Check:
    """``check``, or null."""
    return lambda value: None if value is None else check(value)


def instrument(value: object) -> tuple[str, str]:
    """[venue, venue symbol] as a tuple."""
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(part, str) and part for part in value):
        return (text(value[0]), text(value[1]))
    raise ValueError("a venue and its symbol")


def alert(value: object) -> "AlertRule":
    """A rule as its list of values; also the four values (venue, symbol, side, level) of an earlier version."""
    # The window waits for the settings, and many have no alert in them.
    from monitor.domain.alerts import AlertKind, AlertRule, checked_rule  # noqa: PLC0415 - see above

    if isinstance(value, list | tuple) and len(value) == 4:
        value = (AlertKind.PRICE.value, *value)
    if not isinstance(value, list | tuple) or not 5 <= len(value) <= 8:
        raise ValueError("an alert as a list of its values")
    parts, numbers, muted = value[:5], value[5:7], value[7:]
    if not all(isinstance(part, str) for part in parts) or any(type(one) is not int for one in numbers):
        raise ValueError("an alert of texts and whole numbers")
    if not all(isinstance(one, bool) for one in muted):
        raise ValueError("an alert that is muted or not")
    kind, venue, symbol, side, level = (text(part) for part in parts)
    return checked_rule(AlertRule(kind, venue, symbol, side, level, *numbers, *muted))


def items(check: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A list whose items pass ``check``, each once; as a tuple."""

    def check_all(value: object) -> tuple[T, ...]:
        if not isinstance(value, list | tuple) or len(value) > _MAX_ITEMS:
            raise ValueError("a list")
        return tuple(dict.fromkeys(check(item) for item in value))

    return check_all


def mapping(check: Callable[[object], T]) -> Callable[[object], Mapping[str, T]]:
    """Names to values that pass ``check``; read-only."""

    def check_all(value: object) -> Mapping[str, T]:
        if not isinstance(value, Mapping) or len(value) > _MAX_ITEMS:
            raise ValueError("names with values")
        return MappingProxyType({text(name): check(item) for name, item in value.items()})

    return check_all


def venue_url(value: object) -> str:
    """An http or https address without query, fragment or user name; no slash at its end."""
    parts = _split(value)
    if parts is None or parts.scheme not in {"http", "https"} or "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("an http or https address without user name or query")
    return parts.geturl().rstrip("/")


def proxy_url(value: object) -> str:
    """Address of a proxy. A password in it is refused: settings are a plain file, secrets live in the keyring only."""
    parts = _split(value)
    if parts is None or parts.scheme not in _PROXY_SCHEMES:
        raise ValueError("a proxy address such as http://host:port or socks5h://host:port")
    if parts.password is not None:
        raise ValueError("a proxy address without a password (settings are no place for secrets)")
    return parts.geturl()


def _split(value: object) -> SplitResult | None:
    if not isinstance(value, str) or len(value) > _MAX_TEXT or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
        # Reading the port checks it.
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None
