"""Rows of requests that an earlier run made, as traces again."""

from collections.abc import Mapping
from typing import Any, Final

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.history.units import from_ms

REQUEST_NUMBER: Final = "-(t.session * 1099511627776 + t.request)"
"""Unique in the file and below zero: a request number is unique within its own run only."""
SELECT_TRACES: Final = (
    f"SELECT {REQUEST_NUMBER}, attempt, venue, endpoint, method, host, started_ms,"
    " coalesce(elapsed_us, total_us), queue_us, lease_us, dns_us, tcp_us, tls_us, send_us, wait_us, read_us,"
    " unaccounted_us, total_us, is_cold, request_bytes, response_bytes, status, http_version, weight, error,"
    " is_healed, is_prewarmed, is_dns_cached, is_resumed, dials FROM trace t"
)
"""Rows for :func:`trace_of_row`; conditions follow."""


def trace_of_row(row: tuple[Any, ...], names: Mapping[int, str], offset_s: float) -> RequestTrace:
    """One attempt of an earlier run. ``names`` are the labels of the file; ``offset_s`` is added to seconds since 1970.

    It names no connection: the number means nothing in this run.
    """
    started_mono_s = row[6] / 1e3 + offset_s
    phases = [None if value is None else value / 1e6 for value in row[8:18]]
    return RequestTrace(
        request_id=row[0],
        attempt=row[1],
        venue=names[row[2]],
        endpoint=names[row[3]],
        method=names[row[4]],
        host=names[row[5]],
        started_at=from_ms(row[6]),
        started_mono_s=started_mono_s,
        ended_mono_s=started_mono_s + row[7] / 1e6,
        queue_s=phases[0],
        lease_wait_s=phases[1],
        dns_s=phases[2],
        tcp_s=phases[3],
        tls_s=phases[4],
        send_s=phases[5],
        wait_s=phases[6],
        read_s=phases[7],
        unaccounted_s=phases[8],
        total_s=row[17] / 1e6,
        is_cold=_flag(row[18]),
        request_bytes=row[19],
        response_bytes=row[20],
        status=row[21],
        http_version=None if row[22] is None else names[row[22]],
        weight=row[23],
        error_kind=None if row[24] is None else _error_kind(names[row[24]]),
        is_healed=bool(row[25]),
        is_prewarmed=bool(row[26]),
        is_dns_cached=_flag(row[27]),
        is_resumed=_flag(row[28]),
        addresses_tried=row[29],
    )


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _error_kind(text: str) -> ErrorKind:
    try:
        return ErrorKind(text)
    except ValueError:
        # A word of another version of the app.
        return ErrorKind.INTERNAL
