"""The sentence about a poll interval and a host's patience."""

from monitor.domain.pool_health import IdleBucket, KeepAliveFit
from monitor.state.keep_alive_words import describe_fit

BUCKETS = (IdleBucket(idle_from_s=56.0, idle_to_s=68.0, survived=0, dropped=3),)
SIXTY = KeepAliveFit(
    host="a.test:443", buckets=BUCKETS, longest_survived_s=44.0, shortest_dropped_s=60.2, retire_after_s=48.2
)
PATIENT = KeepAliveFit(host="a.test:443", buckets=BUCKETS, longest_survived_s=30.0)


def test_nothing_is_claimed_before_a_sample() -> None:
    assert describe_fit(None, 5.0) == "Not known yet how long this host lets a connection idle."
    assert describe_fit(KeepAliveFit(host="a.test:443"), 5.0).startswith("Not known yet")


def test_interval_beyond_the_limit_says_what_would_help() -> None:
    assert describe_fit(SIXTY, 75.0) == (
        "75 s poll outlives this host's ~60 s sockets: 0 % benefit; poll at 45 s or keep one warm."
    )
    assert "kept warm" in describe_fit(SIXTY, 75.0, is_kept_warm=True)


def test_interval_between_our_limit_and_the_hosts_is_too_close() -> None:
    assert "comes too close to" in describe_fit(SIXTY, 55.0)


def test_shorter_interval_fits() -> None:
    assert describe_fit(SIXTY, 1.0) == "1 s poll fits this host's ~60 s sockets: they are reused."


def test_without_a_drop_only_what_was_seen_is_said() -> None:
    assert "so a 5 s poll reuses" in describe_fit(PATIENT, 5.0)
    assert "has not been tried" in describe_fit(PATIENT, 75.0)
    assert "beyond the 300 s" in describe_fit(PATIENT, 400.0)
