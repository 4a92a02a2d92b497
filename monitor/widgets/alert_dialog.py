"""Asks for the price alerts of one instrument, as a line of text that can be typed without the mouse."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from PySide6.QtWidgets import QInputDialog, QLineEdit, QMessageBox, QWidget

Alert: TypeAlias = tuple[str, str, str, str]
"""(venue, venue symbol, ``above`` or ``below``, level as decimal text)."""

MAX_LEVEL_CHARS: Final = 40
_SIDES: Final = {">": "above", "<": "below"}


class AlertTextError(ValueError):
    """What was typed is no list of levels; the text says what was expected."""


def text_of(alerts: Sequence[Alert], key: tuple[str, str]) -> str:
    """The alerts of ``key`` as ``> 90000  < 80000``."""
    signs = {side: sign for sign, side in _SIDES.items()}
    return "  ".join(f"{signs[side]} {level}" for venue, symbol, side, level in alerts if (venue, symbol) == key)


def with_text(alerts: Sequence[Alert], key: tuple[str, str], text: str) -> tuple[Alert, ...]:
    """``alerts`` with those of ``key`` replaced by what ``text`` says; empty text removes them.

    Raises:
        AlertTextError: ``text`` is not understood.
    """
    words = text.replace(">", " > ").replace("<", " < ").split()
    kept = [one for one in alerts if one[:2] != key]
    for sign, level in zip(words[::2], words[1::2], strict=False):
        if sign not in _SIDES or not _is_price(level):
            raise AlertTextError(f"'{sign} {level}' is not understood. Write > 90000 or < 80000, without separators.")
        kept.append((*key, _SIDES[sign], level))
    if len(words) % 2:
        raise AlertTextError("Write a sign and a price for each alert: > 90000 or < 80000.")
    return tuple(dict.fromkeys(kept))


def ask_alerts(parent: QWidget, alerts: Sequence[Alert], key: tuple[str, str], name: str) -> tuple[Alert, ...] | None:
    """All alerts after the user changed those of ``key``; ``None``: they changed their mind."""
    text = text_of(alerts, key)
    while True:
        prompt = f"Tell me when {name} is at or above (>) or below (<) a price; empty for none."
        text, is_accepted = QInputDialog.getText(parent, "Price alert", prompt, QLineEdit.EchoMode.Normal, text)
        if not is_accepted:
            return None
        try:
            return with_text(alerts, key, text)
        except AlertTextError as error:
            QMessageBox.warning(parent, "Price alert", str(error))


def _is_price(text: str) -> bool:
    try:
        level = Decimal(text)
    except InvalidOperation:
        return False
    return level.is_finite() and level > 0 and len(text) <= MAX_LEVEL_CHARS
