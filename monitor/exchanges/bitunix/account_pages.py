"""Bitunix's lists, page by page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from monitor.domain.account import RowProblem
from monitor.exchanges.asking import Asking
from monitor.exchanges.bitunix.private import Params, PrivateSession
from monitor.exchanges.decoding import to_ms
from monitor.transport.interface import Endpoint

T = TypeVar("T")

PAGE_ROWS = 100
"""Most rows of a page."""
MAX_PAGES = 50

ParsePage = Callable[[Any, str, list[RowProblem]], tuple[list[T], int | None, int]]


def read_pages(
    session: PrivateSession,
    asking: Asking,
    endpoint: Endpoint,
    params: Params,
    parse_page: ParsePage[T],
    *,
    key: Callable[[T], object],
    problems: list[RowProblem],
    limit: int | None = None,
) -> tuple[list[T], bool]:
    """Rows of as many pages as ``limit`` needs (``None``: all), each once, and whether that was all there is.

    All pages are asked under one end time, so that a new row does not push the others to the next page.
    """
    fixed: dict[str, str | int | bool | None] = {"endTime": to_ms(session.clock.now()), **params}
    found: dict[object, T] = {}
    skip = 0
    for _ in range(MAX_PAGES):
        wanted = PAGE_ROWS if limit is None else max(1, min(PAGE_ROWS, limit - len(found)))
        data = session.ask(asking, endpoint, {**fixed, "skip": skip, "limit": wanted})
        rows, total, count = parse_page(data, endpoint.name, problems)
        news = {key(row): row for row in rows if key(row) not in found}
        found.update(news)
        skip += count
        # A row that is lost to a problem is still a row of the page.
        if not count or (rows and not news):
            return list(found.values()), total is None or skip >= total
        is_end = skip >= total if total is not None else count < wanted
        if is_end or (limit is not None and len(found) >= limit):
            return list(found.values()), is_end
    return list(found.values()), False


def span_of(start: datetime | None, end: datetime | None) -> dict[str, str | int | bool | None]:
    """The parameters of a period."""
    span: dict[str, str | int | bool | None] = {}
    if start is not None:
        span["startTime"] = max(0, to_ms(start))
    if end is not None:
        span["endTime"] = max(0, to_ms(end))
    return span
