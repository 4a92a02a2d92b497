import itertools

import pytest
from urllib3.exceptions import ProtocolError

from monitor.transport.retry import HealOnce
from monitor.transport.tracing import CURRENT, Record


@pytest.mark.parametrize(
    ("is_cold", "wire_bytes", "is_dropped"), list(itertools.product([None, True, False], [0, 1], [False, True]))
)
def test_only_a_dropped_reused_connection_without_a_byte_is_healed(
    is_cold: bool | None, wire_bytes: int, is_dropped: bool
) -> None:
    record = Record.detached()
    record.is_cold, record.wire_bytes, record.is_dropped = is_cold, wire_bytes, is_dropped
    retries, error = HealOnce(), ProtocolError("Connection aborted.")
    CURRENT.record = record
    try:
        if (is_cold, wire_bytes, is_dropped) == (False, 0, True):
            assert retries.increment("POST", "/info", error=error) is retries
            assert (record.attempt, record.is_fresh_required) == (2, True)
            # Whatever becomes of the second attempt, there is no third.
            record.is_cold, record.is_dropped = False, True
        with pytest.raises(ProtocolError) as caught:
            retries.increment("POST", "/info", error=error)
    finally:
        CURRENT.record = None

    assert caught.value is error


def test_nothing_is_healed_outside_a_request() -> None:
    error = ProtocolError("Connection aborted.")
    with pytest.raises(ProtocolError):
        HealOnce().increment("GET", "/api/x", error=error)


def test_no_status_is_retried() -> None:
    for status in (413, 418, 429, 500, 503):
        assert not HealOnce().is_retry("GET", status, has_retry_after=True)
