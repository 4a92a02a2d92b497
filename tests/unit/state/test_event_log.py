"""Events collapse while they repeat within a growing window, and nothing is lost of their number."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.state.event_log import COLLAPSE_FIRST_S, COLLAPSE_MAX_S, EventEntry, EventLog

START = datetime(2026, 9, 26, 12, tzinfo=UTC)


def say(
    log: EventLog, mono_s: float, text: str = "late", *, venue: str | None = "bitunix", key: str = ""
) -> EventEntry:
    return log.add(text, at=START + timedelta(seconds=mono_s), mono_s=mono_s, venue=venue, key=key)


def test_repeats_become_a_count() -> None:
    log = EventLog()
    say(log, 0.0)
    say(log, 10.0)
    say(log, 20.0)

    (entry,) = log.items
    assert entry.count == 3
    assert (entry.at, entry.last_at) == (START, START + timedelta(seconds=20))


def test_the_window_grows_with_each_repeat_up_to_its_limit() -> None:
    log = EventLog()
    mono_s = 0.0
    window_s = COLLAPSE_FIRST_S
    say(log, mono_s)
    for _ in range(8):
        mono_s += window_s
        say(log, mono_s)
        window_s = min(2 * window_s, COLLAPSE_MAX_S)
    assert len(log) == 1
    say(log, mono_s + COLLAPSE_MAX_S + 0.1)

    assert [entry.count for entry in log.items] == [9, 1]


def test_a_repeat_after_the_window_is_a_new_line() -> None:
    log = EventLog()
    say(log, 0.0)
    say(log, COLLAPSE_FIRST_S + 0.1)

    assert [entry.count for entry in log.items] == [1, 1]


def test_venues_and_keys_do_not_collapse_into_each_other() -> None:
    log = EventLog()
    say(log, 0.0)
    say(log, 0.0, venue="hyperliquid")
    say(log, 0.0, venue=None)
    say(log, 0.0, "missed 2 polls", key="missed")
    say(log, 0.0, "missed 3 polls", key="missed")

    assert [(entry.venue, entry.text, entry.count) for entry in log.items] == [
        ("bitunix", "late", 1),
        ("hyperliquid", "late", 1),
        (None, "late", 1),
        ("bitunix", "missed 3 polls", 2),
    ]


def test_since_gives_new_and_changed_entries_once() -> None:
    log = EventLog()
    first = say(log, 0.0)
    say(log, 0.0, "other")
    seen = log.revision
    say(log, 1.0)
    say(log, 2.0)
    say(log, 2.0, "third")

    assert [(entry.entry_id == first.entry_id, entry.count) for entry in log.since(seen)] == [(True, 3), (False, 1)]


@given(
    st.lists(st.tuples(st.floats(0, 400), st.sampled_from(["a", "b", "c"])), max_size=60),
    st.integers(1, 5),
)
def test_a_reader_that_follows_has_the_same_list(gaps: list[tuple[float, str]], step: int) -> None:
    log = EventLog(capacity=1_000)
    mirror: dict[int, EventEntry] = {}
    mono_s = 0.0
    seen = 0
    for number, (gap_s, text) in enumerate(gaps):
        mono_s += gap_s
        say(log, mono_s, text)
        if number % step == 0:
            mirror.update((entry.entry_id, entry) for entry in log.since(seen))
            seen = log.revision
    mirror.update((entry.entry_id, entry) for entry in log.since(seen))

    assert tuple(mirror[entry_id] for entry_id in sorted(mirror)) == log.items
    assert sum(entry.count for entry in log.items) == len(gaps)


def test_the_oldest_entries_are_forgotten() -> None:
    log = EventLog(capacity=3)
    for number in range(10):
        say(log, 0.0, f"event {number}")

    assert [entry.text for entry in log.items] == ["event 7", "event 8", "event 9"]
    assert len(log.since(0)) == 3
