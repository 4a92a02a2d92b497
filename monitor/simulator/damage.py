"""Faults inside a reply: pure functions from a healthy reply to a damaged one."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from monitor.simulator.faults import Fault, FaultKind
from monitor.simulator.replies import Reply

_BLOCKED_PAGE = (
    b'<!DOCTYPE html>\n<html lang="en-US"><head><title>Access denied</title></head><body><h1>Error 1010</h1>'
    b"<p>The owner of this website has banned your access based on your browser's signature.</p></body></html>\n"
)
_TITLES = {500: "500 Internal Server Error", 502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}


def error_page(status: int) -> bytes:
    """Return the HTML page of an edge whose upstream is in trouble."""
    title = _TITLES.get(status, f"{status} Error")
    head = f"<html>\r\n<head><title>{title}</title></head>\r\n"
    return f"{head}<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n".encode()


def damage(reply: Reply, faults: Mapping[FaultKind, Fault]) -> Reply:
    """Return the reply with every body fault applied; unchanged when there is none."""
    if FaultKind.SERVER_ERROR in faults:
        status = faults[FaultKind.SERVER_ERROR].status
        if status == 500:
            return replace(reply, status=500, body=b"null", content_type="application/json")
        return replace(reply, status=status, body=error_page(status), content_type="text/html")
    if FaultKind.FORBIDDEN_HTML in faults:
        return replace(reply, status=403, body=_BLOCKED_PAGE, content_type="text/html; charset=UTF-8")
    if FaultKind.NULL_BODY in faults:
        return replace(reply, status=200, body=b"null")
    body = reply.body
    edits = [faults[kind] for kind in _EDITS if kind in faults]
    if edits:
        body = _edit(body, edits)
    if FaultKind.RAW_VALUE in faults:
        body = _with_raw_value(body, faults[FaultKind.RAW_VALUE])
    if FaultKind.MALFORMED_JSON in faults:
        middle = len(body) // 2
        body = body[:middle] + b'}{,"' + body[middle:]
    if FaultKind.TRUNCATED_JSON in faults:
        body = body[: max(1, len(body) // 2)]
    if FaultKind.HUGE_BODY in faults:
        body = _huge(body, faults[FaultKind.HUGE_BODY].bytes)
    return reply if body is reply.body else replace(reply, body=body)


_EDITS = (FaultKind.VANISHED_INSTRUMENT, FaultKind.RENAMED_FIELD, FaultKind.UNKNOWN_ENUM, FaultKind.WRONG_TYPES)


def _edit(body: bytes, edits: list[Fault]) -> bytes:
    try:
        value: object = json.loads(body)
    except ValueError:
        return body  # a text error of the venue: nothing inside it to change
    for fault in edits:
        if fault.kind is FaultKind.VANISHED_INSTRUMENT:
            value = _without(value, fault.instrument or "")
        else:
            value = _walk(value, fault, None)
    return json.dumps(value, separators=(",", ":")).encode()


def _with_raw_value(body: bytes, fault: Fault) -> bytes:
    # On the bytes, because what is put in may be nothing that a JSON library would write.
    name = re.escape(json.dumps(fault.field).encode())
    value = rb'(?:"(?:[^"\\]|\\.)*"|[^\s,}\]\[{]+)'
    raw = (fault.to or "NaN").encode()
    places = itertools.count()

    def put(found: re.Match[bytes]) -> bytes:
        is_meant = fault.row is None or next(places) == fault.row
        return found.group(1) + raw if is_meant else found.group(0)

    return re.sub(rb"(" + name + rb"\s*:\s*)" + value, put, body)


def _walk(value: object, fault: Fault, key: str | None) -> object:
    if isinstance(value, dict):
        renames = fault.kind is FaultKind.RENAMED_FIELD
        new_name = fault.to or f"{fault.field}V2"
        return {
            (new_name if renames and name == fault.field else name): _walk(item, fault, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_walk(item, fault, key) for item in value]
    if fault.kind is FaultKind.UNKNOWN_ENUM and key == fault.field and isinstance(value, str):
        return fault.to or "SOMETHING_NEW"
    if fault.kind is FaultKind.WRONG_TYPES and key not in ("code", "msg"):
        return _other_type(value)
    return value


def _other_type(value: object) -> object:
    if isinstance(value, str):
        return {"value": value}
    if isinstance(value, bool) or value is None:
        return "yes"
    return [value]


def _without(value: object, instrument: str) -> object:
    # Lists of rows lose the row, name-to-value objects lose the key, and contexts without names lose the row at the
    # same index.
    if isinstance(value, dict):
        return {name: _without(item, instrument) for name, item in value.items() if name != instrument}
    if isinstance(value, list):
        if (
            len(value) == 2
            and isinstance(value[0], dict)
            and isinstance(value[0].get("universe"), list)
            and isinstance(value[1], list)
        ):
            names = [row.get("name") for row in value[0]["universe"]]
            if instrument in names and "tokens" not in value[0]:
                index = names.index(instrument)
                return [_without(value[0], instrument), value[1][:index] + value[1][index + 1 :]]
        return [_without(item, instrument) for item in value if not _is_row_of(item, instrument)]
    return value


def _is_row_of(item: object, instrument: str) -> bool:
    if isinstance(item, dict):
        return instrument in (item.get("symbol"), item.get("name"), item.get("coin"))
    return isinstance(item, list) and bool(item) and item[0] == instrument


def _huge(body: bytes, length: int) -> bytes:
    # Valid JSON that goes on and on: white space before the end, which a parser must read to the last byte.
    missing = length - len(body)
    return body if missing <= 0 else body[:-1] + b" " * missing + body[-1:]
