"""Verdicts follow from what was received, by thresholds that are multiples of the cadence."""

import pytest

from monitor.exchanges.base import Source
from monitor.state.feeds import HABIT_CHANGES, HABIT_RUN_CAP, FeedState
from monitor.state.verdict import (
    FROZEN_REPLIES,
    FROZEN_REPLIES_NEVER_CHANGED,
    Verdict,
    late_after_s,
    quote_verdict,
    replies_to_freeze,
)


def make_feed(cadence_s: float = 1.0) -> FeedState:
    return FeedState(venue="bitunix", key="bitunix.tickers", endpoint="bitunix.tickers", cadence_s=cadence_s)


def feed_replies(feed: FeedState, at_s: list[float], *, changed: bool, instruments: int = 500) -> None:
    for received_s in at_s:
        feed.note_reply(
            requested_mono_s=received_s - 0.05,
            received_mono_s=received_s,
            is_changed=changed,
            instruments=instruments,
        )


def seconds(start: int, count: int) -> list[float]:
    return [float(start + number) for number in range(count)]


def test_only_live_and_quiet_are_trustworthy() -> None:
    trusted = {verdict for verdict in Verdict if verdict.is_trustworthy}

    assert trusted == {Verdict.LIVE, Verdict.QUIET}


def test_a_feed_without_a_reply_is_unknown() -> None:
    assert make_feed().verdict(10.0) is Verdict.UNKNOWN


@pytest.mark.parametrize("cadence_s", [0.25, 1.0, 30.0, 60.0])
def test_late_begins_after_the_threshold_of_the_cadence(cadence_s: float) -> None:
    feed = make_feed(cadence_s)
    feed_replies(feed, [100.0], changed=True)
    limit_s = late_after_s(cadence_s)

    assert feed.verdict(100.0 + limit_s) is Verdict.LIVE
    assert feed.verdict(100.0 + limit_s + 0.001) is Verdict.LATE


def test_replies_that_change_nothing_freeze_a_feed_that_used_to_change() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, 20), changed=True)
    feed_replies(feed, seconds(120, FROZEN_REPLIES - 1), changed=False)
    before = feed.verdict(float(120 + FROZEN_REPLIES - 2))
    feed_replies(feed, [float(120 + FROZEN_REPLIES - 1)], changed=False)

    assert before is Verdict.LIVE
    assert feed.verdict(float(120 + FROZEN_REPLIES - 1)) is Verdict.FROZEN


def test_one_change_thaws_a_frozen_feed() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, 20), changed=True)
    feed_replies(feed, seconds(120, 50), changed=False)
    assert feed.verdict(169.0) is Verdict.FROZEN
    feed_replies(feed, [170.0], changed=True)

    assert feed.verdict(170.0) is Verdict.LIVE


def test_a_burst_of_refreshes_does_not_freeze_a_feed() -> None:
    feed = make_feed(cadence_s=30.0)
    feed_replies(feed, [100.0, 130.0, 160.0], changed=True)
    feed_replies(feed, [160.1, 160.2, 160.3, 160.4, 160.5, 160.6], changed=False)

    assert feed.verdict(160.6) is Verdict.LIVE


def test_a_reply_of_few_instruments_goes_quiet_and_never_frozen() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, 20), changed=True, instruments=3)
    feed_replies(feed, seconds(120, 200), changed=False, instruments=3)

    assert feed.verdict(319.0) is Verdict.QUIET


def test_a_feed_that_never_changed_needs_longer_to_be_called_frozen() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, FROZEN_REPLIES_NEVER_CHANGED), changed=False)
    before = feed.verdict(float(100 + FROZEN_REPLIES_NEVER_CHANGED - 1))
    feed_replies(feed, [float(100 + FROZEN_REPLIES_NEVER_CHANGED)], changed=False)

    assert before is Verdict.LIVE
    assert feed.verdict(float(100 + FROZEN_REPLIES_NEVER_CHANGED)) is Verdict.FROZEN


def test_a_feed_that_changes_every_fourth_reply_is_not_frozen_by_its_habit() -> None:
    feed = make_feed()
    for number in range(200):
        feed_replies(feed, [float(100 + number)], changed=number % 4 == 0)
    feed_replies(feed, seconds(300, 10), changed=False)

    assert feed.verdict(309.0) is Verdict.LIVE


def test_one_long_freeze_does_not_hide_the_next() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, HABIT_CHANGES), changed=True)
    feed_replies(feed, seconds(200, 3_000), changed=False)
    feed_replies(feed, [3_200.0], changed=True)

    assert feed.replies_needed <= HABIT_RUN_CAP


def test_cached_replies_are_no_evidence_of_a_freeze() -> None:
    feed = make_feed()
    feed_replies(feed, seconds(100, 20), changed=True)
    for received_s in seconds(120, 40):
        feed.note_reply(
            requested_mono_s=received_s,
            received_mono_s=received_s,
            is_changed=False,
            instruments=500,
            cache_age_s=1.0,
            source=Source.CACHE,
        )

    assert feed.verdict(159.0) is Verdict.LIVE


def test_replies_to_freeze_grows_as_the_habit_gets_calmer() -> None:
    needed = [replies_to_freeze(changed, 100) for changed in (100, 75, 50, 25, 5)]

    assert needed == sorted(needed)
    assert needed[0] == FROZEN_REPLIES
    assert needed[-1] > 200
    assert replies_to_freeze(0, 100) == FROZEN_REPLIES_NEVER_CHANGED


@pytest.mark.parametrize(
    ("age_s", "still_s", "of_feed", "expected"),
    [
        (0.5, 0.5, Verdict.LIVE, Verdict.LIVE),
        (0.5, 10.0, Verdict.LIVE, Verdict.LIVE),
        (0.5, 10.1, Verdict.LIVE, Verdict.QUIET),
        (0.5, 60.0, Verdict.FROZEN, Verdict.FROZEN),
        (0.5, 0.5, Verdict.LATE, Verdict.LATE),
        (3.1, 3.1, Verdict.LIVE, Verdict.LATE),
        (3.1, 3.1, Verdict.FROZEN, Verdict.LATE),
    ],
)
def test_a_quote_is_judged_by_its_own_age_and_its_feed(
    age_s: float, still_s: float, of_feed: Verdict, expected: Verdict
) -> None:
    verdict = quote_verdict(
        now_mono_s=100.0,
        received_mono_s=100.0 - age_s,
        changed_mono_s=100.0 - still_s,
        cadence_s=1.0,
        of_feed=of_feed,
    )

    assert verdict is expected
