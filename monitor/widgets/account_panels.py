"""The account tables of four panels: what each shows of the board, and what it says while there is nothing to show."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow

from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind
from monitor.qtmodels.figures import age_range_text, age_text, safe_text
from monitor.qtmodels.quote_figures import short_name
from monitor.state.account_past_tables import (
    funding_rows,
    funding_totals,
    past_order_rows,
    past_order_totals,
    past_position_rows,
    past_position_totals,
)
from monitor.state.account_rounds import past_block
from monitor.state.account_tables import (
    Row,
    RowTotals,
    balance_rows,
    balance_totals,
    fill_rows,
    fill_totals,
    order_rows,
    order_totals,
    position_rows,
    position_totals,
)
from monitor.state.accounts import Access, AccountBlock, AccountState, account_label
from monitor.state.ages import SPACED, explain_age, held_text
from monitor.state.board import Board
from monitor.state.verdict import Verdict
from monitor.widgets.account_chips import Chip, EmptyState
from monitor.widgets.account_views import AccountViews, View
from monitor.widgets.dock import Dock
from monitor.widgets.marks import VERDICT_DEFINITIONS
from monitor.widgets.theme import Theme

if TYPE_CHECKING:
    from monitor.widgets.account_table import AccountTable

NAMES: Final = ("positions", "orders", "balances", "fills")
"""Docks, in their order as tabs; each is also the name of the table that it shows first."""


PAST_KEPT_S: Final = 60.0
"""A list of the past that is older than this is asked for again when somebody begins to look at it."""
_NO_ACCOUNT: Final = (
    "No account yet. Add one to see {what} here: an API key that may only read, or a public address. "
    "This app only reads and cannot trade."
)
_NOTHING: Final = {
    "positions": "No open positions.",
    "orders": "No open orders.",
    "balances": "Nothing is held.",
    "fills": "No fills in what the venues still list.",
    "past_positions": "No closed positions in what the venues still list.",
    "past_orders": "No past orders in what the venues still list.",
    "funding": "No funding in the last seven days, nor of closed positions.",
}
_WORDS: Final = {"past_positions": "closed positions", "past_orders": "past orders", "funding": "funding payments"}

_MENDING: Final = {ErrorKind.CREDENTIALS: 0, ErrorKind.BUDGET: 2}
"""Which failure is told of several: what the accounts dialog mends first, what only takes time last."""
_INCOMPLETE: Final = "Not every part of the account was read yet, so there may be more."

_Part: TypeAlias = tuple[str, str, str, str]
"""Key, title, word on the switch, what that shows."""
_PANELS: Final[tuple[tuple[str, str, tuple[_Part, ...]], ...]] = (
    (
        "positions",
        "Positions",
        (
            ("positions", "Positions", "Open", "Positions that are held now"),
            ("past_positions", "Closed positions", "Closed", "Positions that were closed"),
        ),
    ),
    (
        "orders",
        "Orders",
        (
            ("orders", "Orders", "Open", "Orders that are open now"),
            ("past_orders", "Past orders", "Past", "Orders that were filled, cancelled or refused"),
        ),
    ),
    ("balances", "Balances", (("balances", "Balances", "", ""),)),
    (
        "fills",
        "Fills",
        (
            ("fills", "Fills", "Trades", "Executions, the newest first"),
            ("funding", "Funding", "Funding", "Funding paid and received"),
        ),
    ),
)


class AccountPanels(QObject):
    """Makes and feeds the tables of positions, orders, balances and fills. A table nobody sees is left alone.

    Signals:
        accounts_requested(): the user wants to add or mend an account.
        export_requested(object): the ``AccountTable`` whose rows the user wants in a file.
        read_again_requested(str, str): venue and job of what is now looked at and is not asked for often.

    Thread: GUI.
    """

    accounts_requested = Signal()
    export_requested = Signal(object)
    read_again_requested = Signal(str, str)

    def __init__(
        self,
        window: QMainWindow,
        board: Board,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
        venue_title: Callable[[str], str],
        theme: Theme,
    ) -> None:
        super().__init__(window)
        self._board = board
        self._clock = clock
        self._wall_clock = wall_clock
        self._venue_title = venue_title
        self._theme = theme
        self._is_covered = False
        self._seen_revision = -1
        self._lists: dict[str, _List] = {}
        self.views: dict[str, AccountViews] = {}
        docks = []
        for name, title, parts in _PANELS:
            panel = AccountViews(title, [self._view(*part) for part in parts])
            self.views[name] = panel
            panel.changed.connect(partial(self._on_view, panel))
            dock = Dock(name, title, panel, extra=(panel.head,), parent=window)
            dock.visibilityChanged.connect(self._on_shown)
            docks.append(dock)
        self.docks = tuple(docks)

    @property
    def tables(self) -> Mapping[str, "AccountTable"]:
        """Every table by key; those that were not shown yet are made for it."""
        return {
            view.key: panel.table(number) for panel in self.views.values() for number, view in enumerate(panel.views)
        }

    @property
    def made(self) -> Mapping[str, "AccountTable"]:
        """The tables that were shown or asked for, by key."""
        return {key: table for panel in self.views.values() for key, table in panel.made.items()}

    def _view(self, key: str, title: str, word: str, what: str) -> View:
        return View(key, word, what, partial(self._make_table, key, title))

    def _make_table(self, key: str, title: str) -> "AccountTable":
        # Imported with the first table: no start shows one.
        from monitor.qtmodels.account_tables import COLUMNS  # noqa: PLC0415 - see above
        from monitor.widgets.account_table import AccountTable  # noqa: PLC0415 - see above

        table = AccountTable(title, COLUMNS[key], venue_title=self._venue_title, theme=self._theme)
        table.model.instrument_of = lambda venue, symbol: self._board.instruments.get((venue, symbol))
        table.model.label_of = self.label_of
        table.set_covered(self._is_covered)
        table.accounts_requested.connect(self.accounts_requested)
        table.export_requested.connect(self._on_export)
        return table

    # Frames

    def on_frame(self) -> None:
        """Show what a new reply brought."""
        if self._board.accounts.revision != self._seen_revision:
            self.refresh()

    def on_slow_frame(self) -> None:
        """Let ages run, and marks from the quotes follow their market."""
        self.refresh()

    def refresh(self) -> None:
        """Bring every table that can be seen to now."""
        self._seen_revision = self._board.accounts.revision
        for panel in self.views.values():
            # A dock behind a tab is not "hidden" to Qt, but has no visible region.
            if panel.isVisible() and not panel.visibleRegion().isEmpty():
                self._show(panel.key, panel.shown)

    def refresh_all(self) -> None:
        """The same for every table, seen or not: for whoever takes rows out of one."""
        for name, table in self.tables.items():
            self._show(name, table)

    def set_covered(self, is_covered: bool) -> None:
        """Hide or show every amount."""
        self._is_covered = is_covered
        for table in self.made.values():
            table.set_covered(is_covered)

    def set_theme(self, theme: Theme) -> None:
        """Draw everything in the colours of ``theme``."""
        self._theme = theme
        for table in self.made.values():
            table.set_theme(theme)

    def _on_shown(self, is_visible: bool) -> None:
        if is_visible:
            self.refresh()

    def _on_view(self, panel: AccountViews) -> None:
        self.refresh()
        name = panel.key
        if name not in _WORDS:
            return
        now_mono_s = self._clock()
        for state in self._board.accounts:
            block = _block_of(state, name)
            age = block.age(now_mono_s)
            if block.feed is not None and age is not None and age.low_s > PAST_KEPT_S:
                self.read_again_requested.emit(state.ref.venue, block.feed.key)

    def _on_export(self) -> None:
        self.export_requested.emit(self.sender())

    # Content

    def _show(self, name: str, table: "AccountTable") -> None:
        board, now_mono_s, now = self._board, self._clock(), self._wall_clock()
        states = tuple(board.accounts)
        rows: Sequence[Row]
        lines: list[RowTotals]
        venues = [venue for venue in board.venue_names if board.accounts.of_venue(venue)]
        # A line of all says the same as that of the only venue.
        groups: list[str | None] = [*(venues if len(venues) > 1 else []), None]
        if name == "balances":
            rows = balance_rows(states, now_mono_s, now)
            lines = [balance_totals(states, now, group) for group in groups]
        elif name == "positions":
            rows = positions = position_rows(states, board, self._name_of, now_mono_s, now)
            lines = [position_totals(positions, group) for group in groups]
        else:
            rows, lines = self._list(name, states, groups, now_mono_s)
        if name != "balances":
            # Those count accounts, and say which of them a sum lacks.
            lines = [replace(line, unread=_unread(name, states, line.venue)) for line in lines]
        table.show_rows(rows, now_mono_s, self._empty_state(name, states, now_mono_s))
        table.show_totals(lines if rows else ())
        table.show_chips([self._chip(state, _block_of(state, name), now_mono_s) for state in states])

    def _list(
        self, name: str, states: Sequence[AccountState], groups: Sequence[str | None], now_mono_s: float
    ) -> tuple[Sequence[Row], list[RowTotals]]:
        """Rows and sums of a list that may be long; made again only when something of it is another."""
        parts: list[object] = [*states]
        for state in states:
            block = _block_of(state, name)
            parts += [block.value, block.stamp, block.verdict(now_mono_s), state.funding.value]
            if name == "orders":
                parts += [state.attached.value, state.attached.stamp, state.attached.verdict(now_mono_s)]
        known = len(self._board.instruments)
        held = self._lists.get(name)
        if held is not None and held.is_same(parts, known):
            return held.rows, held.lines
        make_rows, add = _LISTS[name]
        rows = make_rows(states, self._name_of, now_mono_s)
        lines = [add(rows, group) for group in groups]
        self._lists[name] = _List(tuple(parts), known, rows, lines)
        return rows, lines

    def _name_of(self, venue: str, symbol: str) -> str:
        return short_name(self._board.instruments.get((venue, symbol)), symbol)

    def label_of(self, ref: AccountRef) -> str:
        """What an account is called here: with its venue where two have one name."""
        return account_label(ref, self._board.accounts.states, self._venue_title)

    def _chip(self, state: AccountState, block: AccountBlock[Any], now_mono_s: float) -> Chip:
        verdict, venue, name = block.verdict(now_mono_s), state.ref.venue, self.label_of(state.ref)
        failure = state.failure_of(block)
        age = block.age(now_mono_s)
        story = f"{state.ref.name} at {self._venue_title(state.ref.venue)}, {block.name}: {verdict.word}."
        if state.access is Access.OPENING:
            return Chip(venue, name, "waiting for the keyring", verdict, f"{story} The keyring is being asked.")
        if state.access is Access.CLOSED:
            return Chip(venue, name, "not opened", verdict, f"{story}\n{state.access_text}", is_failed=True)
        if block.feed is not None:
            cadence_s, spaced_s = block.feed.cadence_s, block.feed.spaced_s
            why = explain_age(
                block.stamp, now_mono_s, cadence_s=cadence_s, spaced_s=spaced_s, is_in_parts=block.is_in_parts
            )
            is_spaced = block.feed.grace_s > 0.0 and verdict.is_trustworthy
            story += f" {SPACED if is_spaced else VERDICT_DEFINITIONS[verdict]}\n{why}"
        if block.problems:
            story += f"\n{len(block.problems)} part(s) of the reply could not be read; the rows are marked."
        text = "waiting for the first reply" if age is None else age_range_text(age.low_s, age.high_s)
        if not block.is_complete:
            story += f"\n{_INCOMPLETE}"
            text = f"{text}, not all yet"
        if failure is not None and failure.failure.kind is ErrorKind.BUDGET:
            pause = failure.failure.pause
            story += f"\n{held_text(failure.failure, is_first=age is None)}"
            if age is None:
                text = "waiting for the budget" if pause is None else pause.words
        elif failure is not None:
            ago = age_text(max(0.0, now_mono_s - failure.failed_mono_s))
            story += f"\nLast try failed {ago} ago: {safe_text(failure.failure.user_text, 300)}"
            text = "failing" if age is None else f"failing, {text}"
            return Chip(venue, name, text, verdict, story, is_failed=True)
        return Chip(venue, name, text, verdict, story)

    def _empty_state(self, name: str, states: Sequence[AccountState], now_mono_s: float) -> EmptyState:
        if not states:
            return EmptyState(text=_NO_ACCOUNT.format(what=_WORDS.get(name, name)), offers_accounts=True)
        blocks = [(state, _block_of(state, name)) for state in states]
        waiting = [state for state, block in blocks if block.verdict(now_mono_s) is Verdict.UNKNOWN]
        closed = [state for state in waiting if state.access is Access.CLOSED]
        refused = [
            (state, report.failure)
            for state, block in blocks
            if state in waiting and (report := state.failure_of(block)) is not None
        ]
        if closed:
            text = f"{closed[0].ref.name}: {closed[0].access_text}"
            return EmptyState(text=text, offers_accounts=True, button="Accounts…")
        if refused:
            # What somebody can mend comes before what mends itself.
            state, failure = min(refused, key=lambda one: _MENDING.get(one[1].kind, 1))
            if failure.kind is ErrorKind.BUDGET:
                return EmptyState(text=f"{state.ref.name}: {held_text(failure, is_first=True)}")
            return EmptyState(
                text=f"{state.ref.name}: {safe_text(failure.user_text, 300)}",
                offers_accounts=failure.kind is ErrorKind.CREDENTIALS,
                button="Accounts…",
            )
        if any(state.access is Access.OPENING for state in waiting):
            return EmptyState(text="Waiting for the keyring. Its unlock dialog may be behind this window.")
        if waiting:
            return EmptyState(text="Waiting for the first reply…")
        if partial := [state.ref.name for state, block in blocks if not block.is_complete]:
            return EmptyState(text=f"{_NOTHING[name].rstrip('.')} of {', '.join(partial)} so far. {_INCOMPLETE}")
        return EmptyState(text=_NOTHING[name])


class _List(msgspec.Struct, frozen=True):
    """Rows and sums, and what they were made of: ``parts``, and so many instruments with names."""

    parts: tuple[object, ...]
    known: int
    rows: Sequence[Row]
    lines: list[RowTotals]

    def is_same(self, parts: Sequence[object], known: int) -> bool:
        """Whether they would be the same again."""
        return (
            known == self.known
            and len(parts) == len(self.parts)
            and all(one is other for one, other in zip(parts, self.parts, strict=True))
        )


_LISTS: Final[dict[str, tuple[Callable[..., Sequence[Any]], Callable[..., RowTotals]]]] = {
    "orders": (order_rows, order_totals),
    "fills": (fill_rows, fill_totals),
    "past_orders": (past_order_rows, past_order_totals),
    "past_positions": (past_position_rows, past_position_totals),
    "funding": (funding_rows, funding_totals),
}
"""How the rows of a table are made, and its sums."""


def _block_of(state: AccountState, name: str) -> AccountBlock[Any]:
    if name == "past_positions":
        return past_block(state)
    block: AccountBlock[Any] = state.summary if name == "balances" else getattr(state, name)
    return block


def _unread(name: str, states: Sequence[AccountState], venue: str | None) -> int:
    """Accounts of ``venue`` (``None``: of all) of which rows of the table ``name`` may be missing."""
    chosen = [state for state in states if venue in {None, state.ref.venue}]
    found = [(_block_of(state, name), state.attached if name == "orders" else None) for state in chosen]
    return sum(
        block.value is None or not block.is_complete or (more is not None and not more.is_complete)
        for block, more in found
    )
