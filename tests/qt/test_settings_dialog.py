"""The settings dialog, and the question of the first start."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.state.board import Board
from monitor.widgets.first_run import FirstRunDialog, StartChoice
from monitor.widgets.settings_dialog import SettingsDialog
from monitor.widgets.theme import DARK
from tests.fakes.board_samples import make_board
from tests.fakes.sample_markets import FIRST, SECOND, TITLES, title_of


def fetch_nothing() -> Fetched[Payload]:
    raise AssertionError("a dialog fetches nothing")


def job(endpoint: str, cadence_s: float, weight: int) -> PollJob:
    venue = endpoint.partition(".")[0]
    return PollJob(
        venue=venue, endpoint=endpoint, key=endpoint, cadence_s=cadence_s, weight=weight, fetch=fetch_nothing
    )


@pytest.fixture
def dialog(qtbot: QtBot) -> SettingsDialog:
    board: Board = make_board(seconds=1)[0]
    budgets = {name: budget for name in board.venue_names if (budget := board.venue(name).budget) is not None}
    dialog = SettingsDialog(
        Settings(cadences_s={"gone.endpoint": 5.0}),
        jobs=(job(f"{FIRST}.quotes", 1.0, 1), job(f"{SECOND}.quotes", 1.0, 2)),
        budgets=budgets,
        venue_title=title_of,
    )
    qtbot.addWidget(dialog)
    return dialog


def test_untouched_settings_stay_as_they_are(dialog: SettingsDialog) -> None:
    assert dialog.settings() == Settings(cadences_s={"gone.endpoint": 5.0})
    assert dialog.problem() is None


def test_a_faster_cadence_shows_its_cost(dialog: SettingsDialog) -> None:
    assert f"{TITLES[SECOND]}: 120 of 1,200 a minute (10.0 %), within the cap" in dialog.plan.costs.text()

    dialog.plan._boxes[f"{SECOND}.quotes"].setValue(0.2)

    assert "600 of 1,200 a minute (50.0 %), over the cap" in dialog.plan.costs.text()
    assert dialog.settings().cadences_s == {"gone.endpoint": 5.0, f"{SECOND}.quotes": 0.2}

    dialog.plan.cap.setValue(60)

    assert "(50.0 %), within the cap" in dialog.plan.costs.text()


@pytest.mark.parametrize(
    "proxy", ["proxy.example", "http://", "ftp://proxy.example:21", "http://[::1", "http://u:p@h:1"]
)
def test_a_bad_proxy_is_refused_with_the_reason(dialog: SettingsDialog, proxy: str) -> None:
    dialog.proxy.setText(proxy)
    dialog._on_ok()

    assert dialog.problem() is not None
    assert dialog.result() == 0
    assert not dialog._problem.isHidden()


def test_a_good_proxy_is_taken(dialog: SettingsDialog) -> None:
    dialog.proxy.setText(" socks5://proxy.example:1080 ")
    dialog._on_ok()

    assert dialog.result() == 1
    assert dialog.settings().proxies["https"] == "socks5://proxy.example:1080"


def test_how_connections_are_kept_can_be_set(dialog: SettingsDialog) -> None:
    page = dialog.reuse
    page.sizing.setCurrentIndex(page.sizing.findData("automatic"))
    page.prewarm.setValue(4)
    page.keep_warm.setChecked(True)
    page.max_age.setValue(10.0)
    page.dns_cache.setValue(0.0)
    page.ipv4_only.setChecked(True)
    page.resumption.setChecked(False)
    page.http2[FIRST].setChecked(True)

    assert dialog.settings() == Settings(
        cadences_s={"gone.endpoint": 5.0},
        pool_sizing="automatic",
        prewarm_connections=4,
        keep_warm=True,
        max_age_s=600.0,
        dns_cache_s=0.0,
        is_ipv4_only=True,
        tls_resumption=False,
        http2_venues=(FIRST,),
    )


def test_first_start_asks_and_takes_the_answer(qtbot: QtBot) -> None:
    dialog = FirstRunDialog(DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.mouseClick(dialog.demo, Qt.MouseButton.LeftButton)

    assert dialog.choice is StartChoice.DEMO
    assert not dialog.isVisible()


def test_first_start_can_be_answered_with_the_keyboard(qtbot: QtBot) -> None:
    dialog = FirstRunDialog(DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Return)

    assert dialog.choice is StartChoice.LIVE
