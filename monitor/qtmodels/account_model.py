"""Rows of an account table for Qt: texts, covered amounts, sorting by value and filtering by what is visible."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QObject, Qt

from monitor.domain.credentials import AccountRef
from monitor.domain.market import Instrument
from monitor.qtmodels.account_columns import COVERED, Column, Look, file_text, number_text, show
from monitor.qtmodels.figures import DASH, age_range_text, plain_tooltip, quoted_text
from monitor.qtmodels.headed_model import NO_PARENT, ROW_ROLE, Head, HeadedModel, Index, RowsModel
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.account_figures import Sum
from monitor.state.account_tables import Row, RowTotals
from monitor.state.ages import explain_age

COLUMN_ROLE = ROW_ROLE + 1
"""The ``Column`` of a cell."""
VALUE_ROLE = ROW_ROLE + 2
"""The value read, covered amounts included: for drawing in colour and bars, never for text."""

LATE_ROLE = ROW_ROLE + 3
"""Of a sum: whether a part of it is too old to be believed."""

MARK = "⚠"
OLD_MARK = "The mark price it follows from is old: no new one came from the quotes."
LATE_PART = "A part of it is late, so the sum is not current."

RowT = TypeVar("RowT", bound=Row)


class AccountModel(RowsModel[RowT]):
    """The rows of one table. ``name`` of each account's venue comes from ``venue_title``.

    Thread: GUI.
    """

    def __init__(
        self, columns: Sequence[Column[RowT]], venue_title: Callable[[str], str], parent: QObject | None = None
    ) -> None:
        super().__init__(_heads_of(columns), parent)
        self.columns = tuple(columns)
        self._venue_title = venue_title
        self.instrument_of: Callable[[str, str], Instrument | None] = lambda _venue, _symbol: None
        """What is known of an instrument, by venue and venue symbol."""
        self.label_of: Callable[[AccountRef], str] = lambda ref: ref.name
        """What an account is called."""
        self._wanted: Sequence[RowT] = ()
        self._now_mono_s = 0.0
        self._is_covered = False

    @property
    def rows(self) -> tuple[RowT, ...]:
        """What is shown, in the model's own order."""
        return tuple(self._rows)

    def set_rows(self, rows: Sequence[RowT], now_mono_s: float) -> None:
        """Show ``rows`` as of ``now_mono_s`` without disturbing selection or scrolling.

        The very list that was shown before is taken to be unchanged.
        """
        self._now_mono_s = now_mono_s
        if rows is not self._wanted:
            sync_rows(self, self._rows, rows, lambda row: row.key)
            self._wanted = rows
        ages = [number for number, column in enumerate(self.columns) if column.look is Look.AGE]
        if self._rows and ages:
            self.dataChanged.emit(self.index(0, ages[0]), self.index(len(self._rows) - 1, ages[-1]))

    @property
    def is_covered(self) -> bool:
        """Whether amounts are hidden."""
        return self._is_covered

    def set_covered(self, is_covered: bool) -> None:
        """Hide or show every amount."""
        if is_covered != self._is_covered:
            self._is_covered = is_covered
            if self._rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self.columns) - 1))

    def text(self, row: RowT, column: Column[RowT]) -> str:
        """What a cell says, amounts covered when they are to be."""
        if column.look is Look.AGE:
            age = None if row.stamp is None else row.stamp.age(self._now_mono_s)
            return DASH if age is None else age_range_text(age.low_s, age.high_s)
        value = column.value_of(row)
        if column.is_amount and self._is_covered and value != "":
            return COVERED
        if column.look is Look.QUOTED and isinstance(value, Decimal):
            text = quoted_text(value, self._instrument(row))
        elif column.name == "account":
            text = show(column, self.label_of(row.ref))
        else:
            text = show(column, value)
        if column.name == "account" and row.notes:
            return f"{MARK} {text}"
        if any(aside.is_partial and aside.column == column.name for aside in row.asides):
            return f"{text} *"
        return text

    def _instrument(self, row: RowT) -> Instrument | None:
        parts = (getattr(row, name, None) for name in ("position", "order", "fill"))
        about = next((part for part in parts if part is not None), None)
        return None if about is None else self.instrument_of(row.ref.venue, about.venue_symbol)

    def file_row(self, row: RowT, *, with_amounts: bool) -> list[str]:
        """The row for a file: whole values, and empty fields for amounts unless they are wanted."""
        cells = []
        for column in self.columns:
            if column.look is Look.AGE:
                age = None if row.stamp is None else row.stamp.age(self._now_mono_s)
                cells.append("" if age is None else f"{age.high_s:.3f}")
            else:
                cells.append("" if column.is_amount and not with_amounts else file_text(column.value_of(row)))
        return [row.ref.venue, *cells, "; ".join(row.notes)]

    @property
    def file_head(self) -> list[str]:
        """The headings of :meth:`file_row`."""
        return ["venue", *(column.name for column in self.columns), "notes"]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: as any table; the column and the value too, for the delegate, and what a screen reader says."""
        if role in {COLUMN_ROLE, VALUE_ROLE, Qt.ItemDataRole.AccessibleTextRole}:
            if not index.isValid() or index.row() >= len(self._rows):
                return None
            row, column = self._rows[index.row()], self.columns[index.column()]
            if role == COLUMN_ROLE:
                return column
            return column.value_of(row) if role == VALUE_ROLE else f"{column.title}: {self.text(row, column)}"
        return super().data(index, role)

    def text_of(self, row: RowT, column: int) -> str:
        """See :meth:`text`."""
        return self.text(row, self.columns[column])

    def tooltip_of(self, row: RowT, column: int) -> str:
        """Its definition, what could not be read, and what must be said of it."""
        return self._tooltip(row, self.columns[column])

    def _tooltip(self, row: RowT, column: Column[RowT]) -> str:
        lines = [f"{column.title}: {column.definition}."]
        if column.name == "account":
            lines.insert(0, f"{row.ref.name} at {self._venue_title(row.ref.venue)}")
        if row.notes and column.name in {"account", "instrument", "asset"}:
            lines.append(f"{MARK} Not readable: {'; '.join(row.notes)}.")
        lines += [
            aside.text
            for aside in row.asides
            if aside.column == column.name and not (aside.is_amount and self._is_covered)
        ]
        if column.look is Look.AGE or not row.is_believable:
            lines.append(explain_age(row.stamp, self._now_mono_s))
        elif not row.is_current(column.name):
            lines.append(OLD_MARK)
        return "\n".join(lines)


class SumFigure(msgspec.Struct, frozen=True):
    """One sum in words. ``value`` is ``None`` when it is unknown or covered; ``story`` says what it is a sum of.

    ``is_late``: a part of it is too old to be believed.
    """

    title: str
    text: str
    look: Look
    value: Decimal | None
    story: str
    is_late: bool = False


class VenueFigures(msgspec.Struct, frozen=True):
    """The sums of one venue, by its name and its title."""

    venue: str
    title: str
    figures: tuple[SumFigure, ...]


class TotalsModel(HeadedModel):
    """The sums below a table: a line per venue where there are several, and one of all."""

    def __init__(
        self, columns: Sequence[Column[Any]], venue_title: Callable[[str], str], parent: QObject | None = None
    ) -> None:
        super().__init__(_heads_of(columns), parent)
        self._columns = tuple(columns)
        self._venue_title = venue_title
        self._totals: tuple[RowTotals, ...] = ()
        self._late: frozenset[tuple[str, str]] = frozenset()
        self._is_covered = False

    @property
    def lines(self) -> tuple[RowTotals, ...]:
        """What is shown."""
        return self._totals

    def set_lines(
        self, lines: Sequence[RowTotals], *, is_covered: bool, late: frozenset[tuple[str, str]] = frozenset()
    ) -> None:
        """Show ``lines``. ``late``: venue and name of each sum with a part that is too old to be believed."""
        if (tuple(lines), is_covered, late) == (self._totals, self._is_covered, self._late):
            return
        self.beginResetModel()
        self._totals, self._is_covered, self._late = tuple(lines), is_covered, late
        self.endResetModel()

    def _is_late(self, line: RowTotals, column: Column[Any]) -> bool:
        return any(name == column.total and line.venue in {None, venue} for venue, name in self._late)

    def figures_of(self, line: RowTotals, *, is_covered: bool) -> VenueFigures:
        """The sums of a venue's ``line``, for showing them in one line of text."""
        figures = []
        for column in self._columns:
            found = line.sum_of(column.total)
            if found is not None:
                figures.append(
                    SumFigure(
                        title=column.sum_title or column.title,
                        text=COVERED if is_covered else sum_text(found, column.look, line.unread),
                        look=column.look,
                        value=None if is_covered else found.value,
                        story=self._tooltip(line, column),
                        is_late=self._is_late(line, column),
                    )
                )
        venue = line.venue or ""
        return VenueFigures(venue, self._venue_title(venue) if venue else "All", tuple(figures))

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of lines."""
        return 0 if parent.isValid() else len(self._totals)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: the sums, and of how many parts they are."""
        if not index.isValid() or index.row() >= len(self._totals):
            return None
        line, column = self._totals[index.row()], self._columns[index.column()]
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return self._text(line, column)
        if role == COLUMN_ROLE:
            return column
        if role == VALUE_ROLE:
            found = line.sum_of(column.total)
            return None if found is None else found.value
        if role == LATE_ROLE:
            return self._is_late(line, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._heads[index.column()].alignment
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self._tooltip(line, column))
        return None

    def _text(self, line: RowTotals, column: Column[Any]) -> str:
        if column.name == "account":
            return "All" if line.venue is None else self._venue_title(line.venue)
        if column.name in {"instrument", "asset"}:
            return f"{line.count:,} so far" if line.unread else f"{line.count:,} in all"
        if column.name == "currency":
            return line.currency or DASH
        found = line.sum_of(column.total)
        if found is None:
            return ""
        if self._is_covered:
            return COVERED
        return sum_text(found, column.look, line.unread)

    def _tooltip(self, line: RowTotals, column: Column[Any]) -> str:
        found = line.sum_of(column.total)
        if found is None:
            return ""
        whole = "" if found.is_whole else f" * Only {found.known} of {found.count} are known in full."
        if found.without:
            whole += f" Not in it, no price is known: {'; '.join(found.without)}."
        if line.unread:
            whole += f" * Of {line.unread} account(s) not everything was read yet, so rows are missing."
        late = f" {LATE_PART}" if self._is_late(line, column) else ""
        return f"Sum. {column.title}: {column.definition}. Dollar coins are counted as one dollar each.{whole}{late}"


def sum_text(total: Sum, look: Look, unread: int) -> str:
    """A sum; a star marks one that misses a part, or the rows of ``unread`` accounts; its tooltip says so."""
    if total.value is None:
        return DASH
    text = number_text(Look.GAIN if look is Look.GAIN else Look.MONEY, total.value)
    return text if total.is_whole and not unread else f"{text} *"


def _heads_of(columns: Sequence[Column[Any]]) -> list[Head]:
    return [Head(column.title, f"{column.title}: {column.definition}.", column.is_right) for column in columns]
