"""Reading the body of a `POST /info`, and the replies that every request may get."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from monitor.simulator.replies import Reply

Body = Mapping[str, object]

NULL = Reply(200, b"null", weight=0)
SERVER_ERROR = Reply(500, b"null")


class WrongBody(Exception):
    """The body does not fit the type it names; answered with 422."""


class ServerFails(Exception):
    """The real server answers this with 500 and null."""


def text(body: Body, name: str) -> str:
    """Return a text field. Raises WrongBody."""
    value = body.get(name)
    if not isinstance(value, str):
        raise WrongBody
    return value


def stamp(body: Body, name: str, default: int | None = None) -> int:
    """Return a time in ms; default when it is absent or null. Raises WrongBody."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise WrongBody
    return value


def flag(body: Body, name: str) -> bool:
    """Return a switch, False when it is absent or null. Raises WrongBody."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise WrongBody
    return bool(value)


def address(body: Body, name: str = "user") -> str:
    """Return an address in lower case, as replies echo it. Raises WrongBody."""
    value = text(body, name).lower()
    if len(value) != 42 or value[:2] != "0x" or not set(value[2:]) <= set("0123456789abcdef"):
        raise WrongBody
    return value


def raw(body: bytes) -> Reply:
    """Return a reply of ready JSON, its weight still to come."""
    return Reply(200, body, weight=0)


def as_json(value: object, *, rows: int = 0) -> Reply:
    """Return a value as a reply; rows: how many are charged, one for every 20."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return replace(raw(body), weight=rows // 20)
