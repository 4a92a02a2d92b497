"""Numbers as the venues write them: decimal text without an exponent."""

from __future__ import annotations

from decimal import Decimal

from monitor.simulator.noise import F64


def plain(value: float) -> str:
    """Return the shortest text that reads back as value, never with an exponent, whole numbers with ".0"."""
    text = repr(value)
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
