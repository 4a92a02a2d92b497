"""How Bitunix says no: code and text in an envelope, with HTTP status 200."""

from __future__ import annotations

import json

from monitor.simulator.replies import Reply, Request

PARAMETER = (10002, "Parameter Error")
MISSING = (1, "Network Error")  # the venue's own words for a missing parameter
NO_PERMISSION = (403, "This API key does not support this operation")


class Refused(Exception):
    """A request is turned down with this code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def whole(request: Request, name: str, default: int) -> int:
    """Return a parameter that is a whole number, not negative. Raises Refused."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise Refused(*PARAMETER)
    return int(text)


def envelope(code: int, text: str) -> Reply:
    """Return the reply that carries a code and a text."""
    return Reply(200, json.dumps({"code": code, "data": None, "msg": text}, separators=(",", ":")).encode())
