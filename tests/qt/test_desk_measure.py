"""*Measure* from the toolbar of a whole app that polls a demo exchange meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.widgets.measure_dialog import MeasureDialog
from tests.fakes.demo_exchange import demo_exchange


def _until(desk: Desk, is_reached: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + 60
    while not is_reached():
        assert time.monotonic() < give_up_s
        desk.work_for(0.05)


@pytest.mark.allow_warnings  # a poll cut off at the end is logged
def test_a_run_beside_the_polls_counts_what_the_exchange_counts_and_ends_with_the_window(
    qapp: QApplication, tmp_path: Path
) -> None:
    del qapp  # the desk takes the application over
    with demo_exchange(rtt_ms=5) as exchange:
        desk = Desk(
            # All of the limit: the run would wait for the polls at 30 %.
            settings=Settings(cap_fraction=1.0, cadences_s={"hyperliquid.allMids": 4.0}),
            paths=AppPaths(config_dir=tmp_path, data_dir=tmp_path, cache_dir=tmp_path, log_dir=tmp_path),
            notes=(),
            options=DeskOptions(
                base_urls=exchange.venues,
                ca_file=exchange.ca_file,
                settings_file=tmp_path / "settings.json",
                is_scripted=True,
            ),
        )
        desk.open()
        board = desk.controller.board
        _until(desk, lambda: all(board.venue(name).pools for name in ("bitunix", "hyperliquid")))
        # It opens a connection that no pool counts.
        _until(desk, lambda: all(thread.name != "protocol probe" for thread in threading.enumerate()))
        polled_before = len(board.requests)
        desk.window.commands_of_user.named["measure"].trigger()
        dialog = desk.window.dialogs.measure.dialog
        assert isinstance(dialog, MeasureDialog)
        offered = [dialog.target.itemData(place) for place in range(dialog.target.count())]
        dialog.target.setCurrentIndex(offered.index("hyperliquid"))
        dialog.requests.setValue(3)
        opened_before = sum(pool.opened for pool in board.venue("hyperliquid").pools)
        accepts_before = exchange.truth("hyperliquid")["accepts"]
        dialog.start_button.click()
        _until(desk, lambda: not dialog.is_running)
        polls_opened = sum(pool.opened for pool in board.venue("hyperliquid").pools) - opened_before
        accepts = exchange.truth("hyperliquid")["accepts"] - accepts_before
        result = dialog.result_shown
        polled_meanwhile = len(board.requests) - polled_before
        # A run that is under way when the window is closed ends with it.
        dialog.requests.setValue(1_000)
        dialog.start_button.click()
        _until(desk, lambda: dialog.progress.maximum() > 0)
        desk.window.close()
        desk.close()
        left = [thread.name for thread in threading.enumerate() if thread.name == "measure"]

    assert offered == ["bitunix", "hyperliquid", "demo:bitunix", "demo:hyperliquid"]
    assert result is not None
    assert (result.venue, result.pooled.n, result.unpooled.n) == ("hyperliquid", 3, 3)
    # The pool's first, each unpooled one, both of the warm-up and every first request; the polls' own are known.
    assert accepts == 1 + 3 + 2 + 3 * result.first.rounds + polls_opened
    assert result.per_day is not None
    assert 60_000 < result.per_day.both.calls < 80_000, "the plan as it is polled, not the default one"
    assert polled_meanwhile > 0, "polling went on"
    assert left == []
