"""Numbers as the venues write them: decimal text without an exponent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from monitor.simulator.noise import F64


def plain(value: float) -> str:
    """Return the shortest text that reads back as value, never with an exponent or as minus zero, whole numbers with
    ".0"."""
    text = repr(value + 0.0)
    if "e" in text:
        text = format(Decimal(text), "f")
        if "." not in text:
            text += ".0"
    return text


def trimmed(value: float) -> str:
    """Return the same without a trailing ".0"."""
    text = plain(value)
    return text[:-2] if text.endswith(".0") else text


def plains(values: F64) -> list[str]:
    """Return `plain` of every element."""
    return [plain(value) for value in values.tolist()]


def trimmeds(values: F64) -> list[str]:
    """Return `trimmed` of every element."""
    return [trimmed(value) for value in values.tolist()]


def objects(columns: Mapping[str, Sequence[object]], bare: Collection[str] = ()) -> list[str]:
    """Return one JSON object as text for each row of equally long columns, keys in the order given.

    Values are written between quotes as they are, so they must not need escaping; those of the names in `bare`
    without quotes.
    """
    fields = (f'"{name}":%s' if name in bare else f'"{name}":"%s"' for name in columns)
    template = "{" + ",".join(fields) + "}"
    return [template % row for row in zip(*columns.values(), strict=True)]


def listed(rows: Sequence[str]) -> bytes:
    """Return rows of JSON text as one JSON list."""
    return ("[" + ",".join(rows) + "]").encode()
