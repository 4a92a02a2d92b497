import itertools

import pytest
from urllib3.exceptions import ProtocolError

from monitor.transport.retry import HealDrops
from monitor.transport.tracing import CURRENT, Record


@pytest.mark.parametrize(
    ("is_cold", "wire_bytes", "is_dropped"), list(itertools.product([None, True, False], [0, 1], [False, True]))
)
def test_only_a_drop_of_a_connection_without_a_byte_is_healed(
    is_cold: bool | None, wire_bytes: int, is_dropped: bool
) -> None:
    record = Record.detached()
    record.is_cold, record.wire_bytes, record.is_dropped = is_cold, wire_bytes, is_dropped
    retries, error = HealDrops(), ProtocolError("Connection aborted.")
    CURRENT.record = record
    try:
        if is_cold is not None and wire_bytes == 0 and is_dropped:
            assert retries.increment("POST", "/info", error=error) is retries
            assert (record.attempt, record.is_fresh_required) == (2, True)
        else:
            with pytest.raises(ProtocolError) as caught:
                retries.increment("POST", "/info", error=error)
            assert caught.value is error
            assert record.attempt == 1
    finally:
        CURRENT.record = None


@pytest.mark.parametrize("is_kept", [False, True])
def test_no_request_is_made_more_than_three_times(is_kept: bool) -> None:
    record = Record.detached()
    retries, error = HealDrops(), ProtocolError("Connection aborted.")
    CURRENT.record = record
    try:
        for attempt in (1, 2):
            record.is_cold, record.is_dropped = not is_kept or attempt > 1, True
            assert retries.increment("GET", "/api/x", error=error) is retries
        record.is_cold = record.is_dropped = True
        with pytest.raises(ProtocolError):
            retries.increment("GET", "/api/x", error=error)
    finally:
        CURRENT.record = None

    assert record.attempt == 3
    assert len(record.traces) == 2


def test_nothing_is_healed_outside_a_request() -> None:
    error = ProtocolError("Connection aborted.")
    with pytest.raises(ProtocolError):
        HealDrops().increment("GET", "/api/x", error=error)


def test_no_status_is_retried() -> None:
    for status in (413, 418, 429, 500, 503):
        assert not HealDrops().is_retry("GET", status, has_retry_after=True)
