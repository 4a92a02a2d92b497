"""Requests and prices for the plots, without a board."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.candles import CandleArrays
from monitor.state.series import TimeSeries

NOW_S = 10_000.0
NOW_UTC = datetime(2026, 11, 23, 12, 3, 20, tzinfo=UTC)


def attempt(
    ended_s: float,
    latency_s: float = 0.06,
    *,
    is_cold: bool | None = False,
    is_failed: bool = False,
    is_healed: bool = False,
    request_id: int = 1,
    attempt_number: int = 1,
) -> RequestTrace:
    return RequestTrace(
        request_id=request_id,
        attempt=attempt_number,
        venue="bitunix",
        endpoint="bitunix.tickers",
        method="GET",
        host="127.0.0.1:443",
        started_at=NOW_UTC,
        started_mono_s=ended_s - latency_s,
        ended_mono_s=ended_s,
        total_s=latency_s,
        is_cold=is_cold,
        connection_id=3,
        status=None if is_failed or is_healed else 200,
        error_kind=ErrorKind.DROPPED if is_failed or is_healed else None,
        is_healed=is_healed,
    )


def series_of(values: Sequence[float], *, newest_age_s: float = 0.0, every_s: float = 1.0) -> TimeSeries:
    """A series whose last value is ``newest_age_s`` old at ``NOW_S``."""
    series = TimeSeries(max(1, len(values)))
    for number, value in enumerate(values):
        series.append(NOW_S - newest_age_s - (len(values) - 1 - number) * every_s, value)
    return series


def candles_of(rows: Sequence[tuple[float, float, float, float]], interval_s: float = 60.0) -> CandleArrays:
    """Closed candles of (open, high, low, close), the last one ending at ``NOW_UTC``; volume 1 each."""
    prices = np.array(rows, dtype=np.float64)
    count = len(rows)
    opened = NOW_UTC.timestamp() - np.arange(count, 0, -1, dtype=np.float64) * interval_s
    return CandleArrays(
        open_time_epoch_s=opened,
        open=prices[:, 0],
        high=prices[:, 1],
        low=prices[:, 2],
        close=prices[:, 3],
        volume=np.ones(count),
        is_closed=np.ones(count, dtype=np.bool_),
        is_reconciled=np.ones(count, dtype=np.bool_),
    )
