"""When a connection is due, and when one may be opened for nobody: on made-up times."""

import random

import pytest

from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.config import TransportConfig
from monitor.transport.rounds import AGE_JITTER, Use, idle_limit_s, is_overdue, is_too_old, needs_warming

MAX_AGE_S = 1_800.0


def make_entry(number: int = 1) -> SocketEntry:
    entry = SocketEntry(number, peer=None, address_family=None)
    entry.opened_s = 0.0
    return entry


def end_s(entry: SocketEntry) -> float:
    """When the connection is first found too old, to the second."""
    return next(float(now) for now in range(int(MAX_AGE_S) + 2) if is_too_old(entry, MAX_AGE_S, float(now)))


def test_connections_opened_together_do_not_end_together() -> None:
    random.seed(11)
    ends = sorted(end_s(make_entry(number)) for number in range(200))

    assert ends[0] >= MAX_AGE_S * (1.0 - AGE_JITTER)
    assert ends[-1] <= MAX_AGE_S + 1.0
    span_s = MAX_AGE_S * AGE_JITTER
    tenths = {int((end - MAX_AGE_S * (1.0 - AGE_JITTER)) / (span_s / 10.0)) for end in ends}
    assert tenths >= set(range(10)), "every tenth of the jitter's span has some"
    assert max(ends.count(end) for end in set(ends)) <= 8, "no two hundred handshakes in one second"


def test_the_share_of_the_jitter_is_the_connections_own_and_stays() -> None:
    entry = make_entry()
    entry.age_jitter = 0.0
    assert not is_too_old(entry, 100.0, 100.0)
    assert is_too_old(entry, 100.0, 100.1)
    entry.age_jitter = 1.0
    assert not is_too_old(entry, 100.0, 90.0)
    assert is_too_old(entry, 100.0, 90.1)


def test_what_cannot_be_replaced_goes_later_but_goes() -> None:
    entry = make_entry()

    assert not is_overdue(entry, 100.0, 124.0)
    assert is_overdue(entry, 100.0, 126.0)


@pytest.mark.parametrize(
    ("max_idle_s", "drops_at_s", "limit_s"),
    [(300.0, None, 300.0), (300.0, 60.0, 48.0), (30.0, 60.0, 30.0), (None, None, None), (None, 60.0, 48.0)],
)
def test_the_idle_limit_is_the_shorter_of_the_set_and_the_learned_one(
    max_idle_s: float | None, drops_at_s: float | None, limit_s: float | None
) -> None:
    account = OriginAccount(venue="venue", scheme="https", host="venue.test:443")
    if drops_at_s is not None:
        for _ in range(2):
            account.idle_times.survived(drops_at_s)
            account.idle_times.dropped_after_all(drops_at_s)

    found_s = idle_limit_s(account, TransportConfig(max_idle_s=max_idle_s))
    assert found_s == (None if limit_s is None else pytest.approx(limit_s))


def test_warming_comes_before_the_limit_and_not_long_before() -> None:
    assert not needs_warming(37.0, 48.0)
    assert needs_warming(39.0, 48.0)
    assert not needs_warming(1.9, 4.0)
    assert needs_warming(2.1, 4.0)


def test_a_venue_nobody_asks_is_left_alone_and_failed_openings_come_ever_rarer() -> None:
    account = OriginAccount(venue="venue", scheme="https", host="venue.test:443")
    use = Use(0.0)
    use.notice(account, 1.0)
    assert not use.is_recent(1.0), "nothing was asked yet"
    account.attempts, account.kept_warm = 2, 1
    use.notice(account, 10.0)
    assert use.is_recent(900.0)
    account.attempts, account.kept_warm = 3, 2
    use.notice(account, 800.0)
    assert not use.is_recent(911.0), "what only kept a connection warm is no use"

    pauses = []
    now = 0.0
    for _ in range(7):
        assert use.may_open(now)
        use.opened(False, now)
        began = now
        while not use.may_open(now):
            now += 10.0
        pauses.append(now - began)
    assert pauses == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0, 600.0]
    use.opened(True, now)
    assert use.may_open(now + 30.0)
