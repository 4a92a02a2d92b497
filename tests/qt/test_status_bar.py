"""The status bar: what a refusal looks like while it lasts, and who is to blame for it."""

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from monitor.domain.errors import ErrorKind, PauseCause
from monitor.domain.telemetry import BudgetState
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.status_bar import VenueLight
from tests.fakes.poll_results import FakeClock, make_failure
from tests.fakes.sample_markets import FIRST, SECOND, SampleVenue
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


@pytest.fixture
def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=30)
    s.window.resize(1680, 900)
    s.window.show()
    s.show_now()
    return s


def refuse(s: SampleWindow, monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """The next reply of the first venue brings a budget that says so; those after it are ordinary again."""
    ordinary = SampleVenue.budget

    def budget(venue: SampleVenue) -> BudgetState:
        return replace(ordinary(venue), **changes) if venue.name == FIRST else ordinary(venue)

    with monkeypatch.context() as patch:
        patch.setattr(SampleVenue, "budget", budget)
        s.feed.deliver_quotes(FIRST)
    s.show_now()


def light(s: SampleWindow, venue: str = FIRST) -> VenueLight:
    return s.window.status.lights[venue]


def test_a_refusal_counts_down_on_the_status_bar_and_goes(shown: SampleWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(shown, monkeypatch, paused_for_s=30.0, refusals=1)
    seen = []
    for _ in range(4):
        seen.append(next(part for part in light(shown).text.split(" · ") if part.startswith("asked to wait")))
        shown.clock.now_s += 7.0
        shown.window.on_slow_frame()

    assert seen == ["asked to wait 30 s", "asked to wait 23 s", "asked to wait 16 s", "asked to wait 9.0 s"]
    assert "asked to wait 2.0 s" in light(shown).accessibleName()
    shown.clock.now_s += 7.0
    shown.window.on_slow_frame()
    assert "asked to wait" not in light(shown).text
    assert "asked to wait" not in light(shown, SECOND).text


def test_an_outage_is_named_with_its_countdown(shown: SampleWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(shown, monkeypatch, paused_for_s=30.0, pause_cause=PauseCause.UNAVAILABLE)
    clock = FakeClock(shown.clock.now_s)
    shown.board.apply([make_failure(clock, venue=FIRST, endpoint="bitunix.depth", kind=ErrorKind.BUDGET)])
    refuse(shown, monkeypatch, paused_for_s=30.0, pause_cause=PauseCause.UNAVAILABLE)

    assert "unavailable (HTTP 503), next try in 30 s" in light(shown).text
    assert (
        "unavailable (HTTP 503), next try in 30 s; nothing is sent until then: bitunix.depth" in light(shown).toolTip()
    )
    assert "asked to wait" not in light(shown).text + light(shown).toolTip()
    assert "503" not in light(shown, SECOND).text


def test_a_refusal_is_of_now_beside_the_figures_of_a_period(
    shown: SampleWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(shown, monkeypatch, paused_for_s=30.0, refusals=1, is_shared_suspected=True)
    shown.window.panels.period.choose(shown.clock.now_s - 20.0, shown.clock.now_s)
    of_now, _, of_period = light(shown).text.partition(" now · ")

    assert all(words in of_now for words in ("age", "asked to wait 30 s", "someone else on this IP"))
    assert "calls" in of_period
    assert "asked to wait" not in of_period


def test_somebody_else_on_this_address_is_named(shown: SampleWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "someone else" not in light(shown).text + light(shown).toolTip()
    refuse(shown, monkeypatch, paused_for_s=5.0, refusals=1, is_shared_suspected=True)

    assert "someone else on this IP" in light(shown).text
    assert "although this app was within its own cap" in light(shown).toolTip()
    assert "someone else" not in light(shown, SECOND).text
    events = [shown.window.events.model.row_at(row).text for row in range(shown.window.events.model.rowCount())]
    assert any("someone else" in text for text in events)
    shown.run(1)
    assert "someone else" not in light(shown).text


def test_a_refusal_of_our_own_doing_blames_nobody(shown: SampleWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(shown, monkeypatch, paused_for_s=5.0, refusals=1)

    assert "asked to wait" in light(shown).text
    assert "someone else" not in light(shown).text + light(shown).toolTip()


def test_the_pointer_over_the_text_of_a_light_is_told_what_its_figures_are(shown: SampleWindow) -> None:
    (label,) = light(shown).findChildren(ElidedLabel)

    assert label.toolTip() == light(shown).toolTip()
    assert "headroom" in label.toolTip()
    assert "p95" in label.toolTip()


def test_waiting_for_our_own_share_is_not_called_a_failure(shown: SampleWindow) -> None:
    before = light(shown).toolTip()
    shown.board.apply(
        [make_failure(FakeClock(shown.clock.now_s), venue=FIRST, endpoint="bitunix.depth", kind=ErrorKind.BUDGET)]
    )
    shown.show_now()
    waiting = light(shown).toolTip()

    assert "failing" not in waiting
    assert "waiting for our own share of the rate limit: bitunix.depth" in waiting
    assert _failed(waiting) == _failed(before), "missed, not failed"


def _failed(text: str) -> str:
    (line,) = (line for line in text.splitlines() if line.startswith("polls since start"))
    return next(part for part in line.split(", ") if part.endswith("failed"))
