"""Names and secrets of accounts: values that never show what they hold, and the rules for what a person types.

``CredentialError`` says why a secret is not to be had, ``CredentialInputError`` why an input is refused; neither text
ever quotes the input.
"""

import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn

import msgspec

from monitor.domain.errors import ErrorKind, MonitorError

MAX_NAME_CHARS = 40
MAX_ENTRY_CHARS = 1_280
"""Windows keeps 2,560 bytes of UTF-16 a secret; what does not fit there is refused everywhere."""

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_PRIVATE_KEY = re.compile(r"[0-9a-fA-F]{64}")
# What people put between the parts of a key, and what pasting adds.
_BETWEEN_PARTS = re.compile(r"[\s\-_:.,;'\"\u200b\u2060\ufeff]+")
_LONG_HEX = re.compile(r"[0-9a-fA-F]{24,}")


class CredentialProblem(StrEnum):
    """Why a secret cannot be kept or read."""

    ABSENT = "keyring_absent"
    LOCKED = "keyring_locked"
    DISMISSED = "keyring_dismissed"
    DENIED = "keyring_denied"
    REFUSED_BACKEND = "keyring_refused"
    FAILED = "keyring_failed"
    TOO_LARGE = "too_large"
    NOT_KEPT = "not_kept"
    """What was read back is not what was stored."""
    DAMAGED = "damaged"
    MISSING = "missing"
    """No such account, or its entry is gone from the keyring."""
    DUPLICATE = "duplicate"
    INDEX = "index"
    """The list of account names cannot be read or written."""


class CredentialError(MonitorError):
    """A secret is unavailable; ``problem`` says why. Handled by whoever asked: public data works without."""

    kind = ErrorKind.CREDENTIALS

    def __init__(self, user_text: str, *, problem: CredentialProblem, detail: str = "") -> None:
        super().__init__(user_text, detail=detail)
        self.problem = problem


class CredentialInputError(ValueError):
    """An input that is refused before anything is stored; the text says why, for people, without the input."""


class Hidden:
    """A text that is neither shown, formatted, logged, copied by ``asdict`` nor pickled; ``reveal()`` is the only way.

    Thread: any; immutable.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself, for signing, sending and the keyring only."""
        return self._text

    @property
    def shown(self) -> str:
        """What may be shown: nothing of it."""
        return "***"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a hidden text cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("a hidden text cannot be changed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown})"

    def __str__(self) -> str:
        return self.shown

    def __format__(self, spec: str) -> str:
        return format(self.shown, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hidden):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    # A hash of a short text would give it away to whoever can try them all.
    __hash__ = None  # type: ignore[assignment]  # Python's own way of saying "not hashable"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __copy__(self) -> "Hidden":
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> "Hidden":
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a hidden text is never pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a hidden text is never pickled")


class Secret(Hidden):
    """An API key or its secret."""

    __slots__ = ()


class Address(Hidden):
    """A public account address, lower case: no secret, but whose it is is nobody's business, so it is shown cut."""

    __slots__ = ()

    @property
    def shown(self) -> str:
        """``0x1234…abcd``."""
        return f"{self._text[:6]}…{self._text[-4:]}"


class AccountRef(msgspec.Struct, frozen=True, order=True):
    """Which account: the user's name for it, unique within its venue whatever the case."""

    venue: str
    name: str

    def __str__(self) -> str:
        return f"{self.venue}/{self.name}"


class CredentialField(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to ask the user for. ``is_secret`` fields are typed without echo and never shown again."""

    name: str
    title: str
    is_secret: bool
    hint: str = ""


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What opens one account, by the names of its venue's :class:`CredentialField` list."""

    account: AccountRef
    values: Mapping[str, Hidden]

    def __getitem__(self, name: str) -> Hidden:
        return self.values[name]


class CheckOutcome(StrEnum):
    """What "Test" found; the keyring's own problems are :class:`CredentialProblem`."""

    OK = "ok"
    WRONG_KEY = "wrong_key"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of an outcome
    IP_NOT_ALLOWED = "ip_not_allowed"
    CLOCK_SKEW = "clock_skew"
    NO_PERMISSION = "no_permission"
    ACCOUNT_CLOSED = "account_closed"
    WRONG_ADDRESS = "wrong_address"
    UNUSED_ADDRESS = "unused_address"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    VENUE_DOWN = "venue_down"
    OTHER = "other"


class AccountCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a test of credentials: sentences for people, and the clock as far as the venue showed its own.

    ``is_ok``: the account can be read; with ``CLOCK_SKEW`` or ``UNUSED_ADDRESS`` there is still something to mend.
    ``clock_offset_s``: venue minus ours, wrong by at most ``clock_offset_error_s``. ``can_trade``: the key could place
    orders; ``None`` where the venue does not tell. ``equity`` of an account that could be read.
    """

    account: AccountRef
    outcome: CheckOutcome
    is_ok: bool
    text: str
    clock_offset_s: float | None = None
    clock_offset_error_s: float | None = None
    can_trade: bool | None = None
    equity: Decimal | None = None
    currency: str | None = None

    @property
    def is_flawless(self) -> bool:
        """The account can be read, and nothing is left to mend."""
        return self.is_ok and self.outcome is CheckOutcome.OK

    @property
    def permission_hint(self) -> str:
        """What to say of what the key may do, of credentials that work; empty where there is nothing to say."""
        if not self.is_ok:
            return ""
        if self.can_trade is None:
            return "The venue does not tell what a key may do: make sure that this one is read-only."
        return "This key can trade: a read-only key is safer, and enough here." if self.can_trade else ""


def clean_name(text: str) -> str:
    """A user's name for an account, trimmed, or ``CredentialInputError``.

    Names are shown, logged and kept in a plain file, so nothing that looks like a key or an address may be one.
    """
    refuse_private_key(text)
    name = text.strip()
    if not name:
        raise CredentialInputError("The account needs a name.")
    if _LONG_HEX.search(_BETWEEN_PARTS.sub("", name)):
        raise CredentialInputError(
            "This looks like a key or an address. Names are shown and kept in a plain file: choose a word instead."
        )
    if len(name) > MAX_NAME_CHARS:
        raise CredentialInputError(f"A name may have at most {MAX_NAME_CHARS} characters.")
    if not name.isprintable() or name.startswith("-") or any(char in "/\\:" for char in name):
        raise CredentialInputError("A name may not begin with a minus sign or hold /, \\, : or invisible characters.")
    return " ".join(name.split())


def refuse_private_key(text: str) -> None:
    """Raise ``CredentialInputError`` when ``text`` holds 64 hexadecimal digits in a row, spread out or not."""
    if _PRIVATE_KEY.search(_BETWEEN_PARTS.sub("", text)):
        raise CredentialInputError(
            "This is 64 hexadecimal digits, the form of a private key, and was refused; nothing was stored. "
            "Reading an account needs its public address only (0x and 40 digits). Whoever has the private key can take "
            "the money: if it was copied anywhere else, move your funds."
        )


def clean_address(text: str) -> Address:
    """A public address, lower case, or ``CredentialInputError``."""
    refuse_private_key(text)
    trimmed = text.strip()
    if not _ADDRESS.fullmatch(trimmed):
        raise CredentialInputError("A public address is 0x followed by 40 hexadecimal digits.")
    return Address(trimmed.lower())


def clean_token(text: str, title: str) -> Secret:
    """An API key or secret, trimmed, or ``CredentialInputError``. ``title`` names the field."""
    trimmed = text.strip().strip("\u200b\u2060\ufeff")
    if not trimmed:
        raise CredentialInputError(f"{title} is empty.")
    if any(char.isspace() for char in trimmed):
        raise CredentialInputError(f"{title} has white space inside: copy it again, it is one word.")
    # It travels in an HTTP header.
    if not (trimmed.isascii() and trimmed.isprintable()):
        raise CredentialInputError(f"{title} has characters that no key has: copy it again.")
    if not 8 <= len(trimmed) <= 256:
        raise CredentialInputError(f"{title} has {len(trimmed)} characters; 8 to 256 are possible.")
    return Secret(trimmed)
