"""Rows of an account reply to values, so that one bad field never hides the rest. Pure.

A field that identifies a row (symbol, side, size) must be right, or the row is left out; any other that is wrong is
unknown. Both are reported with the field's path.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from msgspec.structs import replace

from monitor.domain.account import JUST_AFTER, Fill, FillList, OpenOrder, Position, RowProblem
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import PayloadError
from monitor.exchanges.decoding import MAX_SYMBOL_CHARS, FieldReader, clean_text, is_symbol

T = TypeVar("T")

MAX_PROBLEMS = 50
"""Kept of one reply; a reply that is wrong throughout says the same thing in every row."""


class RowFields:
    """One row of a reply, read by the venue's field names.

    The plain readers raise :class:`PayloadError`, which costs the row; those ending in ``_or_none`` report what is
    wrong and give ``None``, which they also give, silently, for null, absent and the empty text.
    """

    __slots__ = ("_endpoint", "_problems", "_read", "_where", "row")

    def __init__(self, row: Mapping[str, Any], endpoint: str, where: str, problems: list[RowProblem]) -> None:
        self.row = row
        self._endpoint = endpoint
        self._where = where
        self._read = FieldReader(endpoint, "{}{}")
        self._problems = problems

    def has(self, field: str) -> bool:
        """Whether the field is there and says something."""
        return self.row.get(field) not in (None, "")

    def fail(self, field: str, expected: str) -> NoReturn:
        """This field costs the row."""
        raise PayloadError(endpoint=self._endpoint, path=self._path(field), expected=expected)

    def report(self, field: str, expected: str) -> None:
        """This field is wrong, the row stays."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(RowProblem(path=self._path(field), expected=expected, is_row_lost=False))

    def below(self, field: str) -> "RowFields | None":
        """The object in ``field``; ``None`` when absent, or not one (reported)."""
        value = self.row.get(field)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.report(field, "an object")
            return None
        return RowFields(value, self._endpoint, self._path(field), self._problems)

    def children(self, field: str) -> "list[RowFields]":
        """The objects in a list; what is none is reported and left out."""
        value = self.row.get(field)
        if not isinstance(value, list):
            self.report(field, "a list")
            return []
        found = []
        for number, row in enumerate(value):
            if isinstance(row, dict):
                found.append(RowFields(row, self._endpoint, self._path(f"{field}[{number}]"), self._problems))
            else:
                self.report(f"{field}[{number}]", "an object")
        return found

    def report_error(self, error: PayloadError) -> None:
        """Something of this row was wrong and only that is lost."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(RowProblem(path=error.path, expected=error.expected, is_row_lost=True))

    def number(self, field: str) -> Decimal:
        """A number of either sign."""
        return self._read.number(self.row.get(field), self._path(field), "")

    def size(self, field: str) -> Decimal:
        """A number that is not negative."""
        return self._read.price(self.row.get(field), self._path(field), "")

    def time(self, field: str) -> datetime:
        """Milliseconds since 1970."""
        return self._read.time_ms(self.row.get(field), self._path(field), "")

    def symbol(self, field: str) -> str:
        """An instrument's name."""
        return self._read.symbol(self.row.get(field), self._path(field), "")

    def ident(self, field: str) -> str:
        """An id, as text: 19 digits do not fit a double."""
        found = _ident(self.row.get(field))
        if found is None:
            self.fail(field, "an id")
        return found

    def number_or_none(self, field: str) -> Decimal | None:
        """A number of either sign."""
        return self._optional(field, self.number)

    def size_or_none(self, field: str) -> Decimal | None:
        """A number that is not negative."""
        return self._optional(field, self.size)

    def price_or_none(self, field: str) -> Decimal | None:
        """A price; 0 is how venues write "none"."""
        return self._optional(field, self.size) or None

    def time_or_none(self, field: str) -> datetime | None:
        """Milliseconds since 1970; 0 is "none"."""
        return None if self.row.get(field) in (0, "0") else self._optional(field, self.time)

    def ident_or_none(self, field: str) -> str | None:
        """An id, as text."""
        return self._optional(field, self.ident)

    def text_or_none(self, field: str, max_chars: int = 60) -> str | None:
        """Text of the venue, safe to show."""
        if not self.has(field):
            return None
        value = self.row[field]
        if not isinstance(value, str):
            self.report(field, "text")
            return None
        return clean_text(value, max_chars) or None

    def flag_or_none(self, field: str) -> bool | None:
        """True or false."""
        if not self.has(field):
            return None
        value = self.row[field]
        if not isinstance(value, bool):
            self.report(field, "true or false")
            return None
        return value

    def _optional(self, field: str, read: Callable[[str], T]) -> T | None:
        if not self.has(field):
            return None
        try:
            return read(field)
        except PayloadError as error:
            self.report(field, error.expected)
            return None

    def _path(self, field: str) -> str:
        return f"{self._where}.{field}" if self._where else field


def read_rows(
    rows: object, endpoint: str, where: str, build: Callable[[RowFields], T | None], problems: list[RowProblem]
) -> list[T]:
    """Build a value of every object in ``rows``; what cannot be built is added to ``problems``.

    ``where`` is the path of the list. ``build`` returns ``None`` for a row that means nothing, and may raise
    ``PayloadError``.

    Raises:
        PayloadError: ``rows`` is no list.
    """
    if not isinstance(rows, list):
        raise PayloadError(endpoint=endpoint, path=where or "$", expected="a list")
    found: list[T] = []
    for number, row in enumerate(rows):
        path = f"{where}[{number}]"
        known_problems = len(problems)
        try:
            value = build(read_object(row, endpoint, path, problems))
        except PayloadError as error:
            if len(problems) < MAX_PROBLEMS:
                problems.append(RowProblem(path=error.path, expected=error.expected, is_row_lost=True))
            continue
        if value is not None:
            found.append(value)
            row_id = _row_id(value)
            if row_id:
                problems[known_problems:] = [replace(one, row_id=row_id) for one in problems[known_problems:]]
    return found


def read_object(value: object, endpoint: str, where: str, problems: list[RowProblem]) -> RowFields:
    """The fields of an object; ``PayloadError`` when ``value`` is none."""
    if not isinstance(value, dict):
        raise PayloadError(endpoint=endpoint, path=where or "$", expected="an object")
    return RowFields(value, endpoint, where, problems)


def total_of(parts: Sequence[Decimal | None]) -> Decimal | None:
    """The sum; ``None`` when a part is unknown."""
    total = Decimal(0)
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def fill_list(
    account: AccountRef,
    fills: Sequence[Fill],
    since: datetime | None,
    limit: int,
    problems: Sequence[RowProblem],
    *,
    tells_sizes: bool = False,
) -> FillList:
    """The newest ``limit`` of ``fills``, newest first, and from when on they are all there are.

    ``since`` is so for all of ``fills``, ``None``: from the oldest of them on. A row of the reply that was lost may be
    as new as the newest.
    """
    kept = tuple(fills[: max(0, limit)])
    if any(problem.is_row_lost for problem in problems):
        since = kept[0].time + JUST_AFTER if kept else None
    elif kept and (since is None or len(kept) < len(fills)):
        since = kept[-1].time + JUST_AFTER
    elif len(kept) < len(fills):
        since = None
    return FillList(
        account=account, fills=kept, complete_since=since, tells_sizes=tells_sizes, problems=tuple(problems)
    )


def _row_id(value: object) -> str:
    """What the row is known by on screen; of a family of orders, its first."""
    match value:
        case Position():
            return value.position_id
        case OpenOrder():
            return value.order_id
        case Fill():
            return value.key
        case [OpenOrder() as first, *_]:
            return first.order_id
        case _:
            return ""


def _ident(value: object) -> str | None:
    if isinstance(value, str) and len(value) <= MAX_SYMBOL_CHARS * 2 and is_symbol(value[:MAX_SYMBOL_CHARS]):
        return value if all(char.isprintable() and not char.isspace() for char in value) else None
    if type(value) is int and 0 <= value < 10**30:
        return str(value)
    return None
