"""Executions of a Bitunix account, read so that the day's are all known."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.domain.account import ALL_KEPT, JUST_AFTER, Fill, FillList, RowProblem
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import BudgetExhausted
from monitor.exchanges.account_rows import fill_list
from monitor.exchanges.asking import Asking
from monitor.exchanges.bitunix import account_parse as parse
from monitor.exchanges.bitunix.account_pages import PAGE_ROWS, read_pages, span_of
from monitor.exchanges.bitunix.private import PrivateSession
from monitor.transport.interface import Endpoint

FILLS_KEPT = 2_000
BACK_PAGES = 4
"""Older pages that a poll asks for at most."""
OVERLAP = timedelta(minutes=1)
"""What is listed late must not be missed."""


class FillReader:
    """Reads one account's executions and remembers what :meth:`poll` brought. Thread: ``poll`` from one at a time."""

    def __init__(self, session: PrivateSession, account: AccountRef, endpoint: Endpoint) -> None:
        self._session = session
        self._account = account
        self._endpoint = endpoint
        self._held: FillList | None = None

    def fetch(self, asking: Asking, start: datetime | None, end: datetime | None, limit: int) -> FillList:
        """The newest ``limit`` in [start, end]."""
        problems: list[RowProblem] = []
        fills, is_all = self._read(asking, start, end, problems, limit)
        return fill_list(self._account, _newest(fills), (start or ALL_KEPT) if is_all else None, limit, problems)

    def poll(self, asking: Asking) -> FillList:
        """The newest ones: a page, as many as it takes back to midnight UTC, then only what came since.

        ``BACK_PAGES`` at a call; until they reach back ``complete_since`` says how far they do.
        """
        problems: list[RowProblem] = []
        known = () if self._held is None else self._held.fills
        since = None if self._held is None else self._held.complete_since
        start = known[0].time - OVERLAP if known else None
        new, is_all = self._read(asking, start, None, problems, None if known else PAGE_ROWS)
        if not known:
            since = ALL_KEPT if is_all else None
        elif not is_all and new:
            # Between what is new and what was known some may be missing.
            since = _newest(new)[-1].time + JUST_AFTER
        together = _newest({fill.key: fill for fill in (*new, *known)}.values())
        listed = fill_list(self._account, together, since, FILLS_KEPT, problems)
        self._held = listed = self._fill_back(asking, listed)
        return listed

    def _fill_back(self, asking: Asking, listed: FillList) -> FillList:
        """``listed`` with older ones, until it reaches back to midnight UTC or this poll has asked enough."""
        midnight = self._session.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        problems = list(listed.problems)
        for _ in range(BACK_PAGES):
            since, fills = listed.complete_since, listed.fills
            is_lost = any(problem.is_row_lost for problem in problems)
            if is_lost or not fills or len(fills) >= FILLS_KEPT or since is None or since <= midnight:
                break
            edge = since - JUST_AFTER
            try:
                older, is_all = self._read(asking, None, edge, problems, PAGE_ROWS)
            except BudgetExhausted:
                break
            reached = _newest(older)[-1].time + JUST_AFTER if older else edge
            if not is_all and reached >= since:
                break  # a page of one instant tells nothing new
            together = _newest({fill.key: fill for fill in (*fills, *older)}.values())
            listed = fill_list(self._account, together, ALL_KEPT if is_all else reached, FILLS_KEPT, problems)
        return listed

    def _read(
        self,
        asking: Asking,
        start: datetime | None,
        end: datetime | None,
        problems: list[RowProblem],
        limit: int | None,
    ) -> tuple[list[Fill], bool]:
        return read_pages(
            self._session,
            asking,
            self._endpoint,
            span_of(start, end),
            parse.parse_trades,
            key=lambda fill: fill.key,
            problems=problems,
            limit=limit,
        )


def _newest(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    return tuple(sorted(fills, key=lambda fill: (fill.time, fill.fill_id), reverse=True))
