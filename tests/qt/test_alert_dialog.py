"""Alerts are made, changed, muted and deleted in the window, and shown as they stand."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from monitor.desktop.settings import Settings
from monitor.domain.alerts import SHAPES, AlertKind, AlertRule
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import AlertPhase, AlertStatus
from monitor.widgets import alert_dialog
from monitor.widgets.alert_dialog import AlertDialog
from monitor.widgets.settings_dialog import SettingsDialog
from monitor.widgets.theme import DARK, LIGHT
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

BTC = ("bitunix", "BTCUSDT")
ABOVE = AlertRule("price", *BTC, "above", "90000")
DOWN = AlertRule("down", "hyperliquid", "", "above", "15")


def _dialog(rule: AlertRule | None = None) -> AlertDialog:
    return AlertDialog(
        rule,
        subjects=[(*BTC, "BTC-USDT-PERP · Bitunix"), ("hyperliquid", "BTC", "BTC-USDC-PERP · Hyperliquid")],
        venues=[("bitunix", "Bitunix"), ("hyperliquid", "Hyperliquid")],
        figure_now=lambda asked: AlertValue(Decimal("12.5"), "something") if asked.kind == "age" else None,
    )


def _ok(dialog: AlertDialog) -> None:
    box = dialog.findChild(QDialogButtonBox)
    assert box is not None
    box.button(QDialogButtonBox.StandardButton.Ok).click()


def test_a_new_alert_is_of_the_instrument_in_focus(qapp: QApplication) -> None:
    dialog = _dialog()
    dialog.level.setText("90,000.50")
    _ok(dialog)
    assert dialog.result_rule == AlertRule("price", *BTC, "above", "90000.50")


@pytest.mark.parametrize("text", ["", "soon", "-1", "NaN", "1 5"])
def test_what_is_no_level_is_told_and_the_dialog_stays(qapp: QApplication, text: str) -> None:
    dialog = _dialog()
    dialog.level.setText(text)
    _ok(dialog)
    assert dialog.result_rule is None
    assert dialog.problem.text() == "This needs a price above 0, such as 90000.5."


@pytest.mark.parametrize("kind", list(AlertKind))
def test_a_problem_is_told_in_plain_numbers_and_squeezes_nothing(qapp: QApplication, kind: AlertKind) -> None:
    dialog = _dialog()
    dialog.show()
    dialog.kind.setCurrentIndex(dialog.kind.findData(kind.value))
    dialog.level.setText("soon")
    _ok(dialog)
    qapp.processEvents()

    assert "e+" not in dialog.problem.text().lower()
    assert "e-" not in dialog.problem.text().lower()
    for widget in (dialog.kind, dialog.level, dialog.side, dialog.cool_down_s):
        assert widget.height() >= widget.sizeHint().height()
    for label in (dialog.what, dialog.problem):
        assert label.height() >= label.heightForWidth(label.width())
    dialog.close()


@pytest.mark.parametrize("kind", list(AlertKind))
def test_every_kind_shows_what_it_needs_and_comes_back_as_it_was(qapp: QApplication, kind: AlertKind) -> None:
    shape = SHAPES[kind]
    symbol = BTC[1] if shape.needs_symbol else ""
    window_s = 120 if shape.has_window else 300
    rule = AlertRule(kind.value, "bitunix", symbol, shape.directions[-1], shape.first_level or "5", window_s, 90, True)
    dialog = _dialog(rule)
    assert dialog.form.isRowVisible(dialog.instrument) is shape.needs_symbol
    assert dialog.form.isRowVisible(dialog.venue) is not shape.needs_symbol
    assert dialog.form.isRowVisible(dialog.window_s) is shape.has_window
    assert dialog.unit.text() == shape.unit
    assert dialog.rule() == rule


def test_the_dialog_says_what_the_figure_is_now(qapp: QApplication) -> None:
    dialog = _dialog()
    assert dialog.now.text() == "Now: not known"
    dialog.kind.setCurrentIndex(dialog.kind.findData("age"))
    assert dialog.now.text() == "Now: 12.5 s (something)"
    assert dialog.level.text() == "10"


def test_sound_notices_and_closing_are_set_in_the_settings(qapp: QApplication) -> None:
    dialog = SettingsDialog(
        Settings(when_closed="tray", alert_notices=False), jobs=(), budgets={}, venue_title=lambda venue: venue
    )
    assert dialog.settings() == Settings(when_closed="tray", alert_notices=False)
    dialog.alert_sound.click()
    dialog.alert_notices.click()
    dialog.when_closed.setCurrentIndex(dialog.when_closed.findData("quit"))
    assert dialog.settings() == Settings(when_closed="quit", alert_sound=False)


def _answers(monkeypatch: pytest.MonkeyPatch, answer: Callable[[AlertDialog], None]) -> None:
    # exec() would wait for a person; everything else is the real dialog.
    def fill_in(dialog: AlertDialog) -> int:
        answer(dialog)
        _ok(dialog)
        return dialog.result()

    monkeypatch.setattr(alert_dialog.AlertDialog, "exec", fill_in)


def _shown(window_factory: WindowFactory, *rules: AlertRule, is_light: bool = False) -> SampleWindow:
    theme = LIGHT if is_light else DARK
    sample = window_factory(settings=Settings(alerts=rules, theme=theme.name), theme=theme)
    sample.window.show()
    sample.show_now()
    return sample


def test_the_action_adds_and_the_list_shows_it(window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = _shown(window_factory)
    panel = sample.window.panels.alerts
    assert panel.model.rowCount() == 0
    _answers(monkeypatch, lambda dialog: dialog.level.setText("90000"))
    sample.window.commands_of_user.named["alert"].trigger()

    (rule,) = sample.window.current_settings().alerts
    assert (rule.key, rule.level) == (sample.window.focus_key, "90000")
    assert panel.model.rowCount() == 1


def test_an_alert_is_changed_muted_and_deleted_in_the_list(
    window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = _shown(window_factory, ABOVE, DOWN)
    panel, settings = sample.window.panels.alerts, sample.window.current_settings
    panel.choose(0)
    panel.mute.click()
    assert settings().alerts == (ABOVE._replace(is_muted=True), DOWN)
    assert panel.chosen() == ABOVE._replace(is_muted=True)
    assert panel.mute.text() == "Unmute"
    panel.mute.click()
    _answers(monkeypatch, lambda dialog: dialog.level.setText("91000"))
    panel.edit.click()
    assert settings().alerts == (ABOVE._replace(level="91000"), DOWN)
    panel.choose(1)
    sample.window.docks["alerts"].raise_()
    sample.window.activateWindow()
    assert QTest.qWaitForWindowActive(sample.window)
    panel.table.setFocus()
    QTest.keyClick(panel.table, Qt.Key.Key_Delete)
    assert settings().alerts == (ABOVE._replace(level="91000"),)
    panel.mute_all.click()
    assert settings().are_alerts_muted


def test_the_same_alert_twice_is_one(window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = _shown(window_factory, ABOVE)

    def the_same(dialog: AlertDialog) -> None:
        dialog.instrument.setCurrentIndex(dialog.instrument.findText("BTC-USDT-PERP · Bitunix"))
        dialog.level.setText(ABOVE.level)

    _answers(monkeypatch, the_same)
    sample.window.dialogs.alerts.add()
    assert len(sample.window.current_settings().alerts) == 1


@pytest.mark.parametrize("is_light", [False, True])
def test_a_row_says_how_its_alert_stands(window_factory: WindowFactory, is_light: bool) -> None:
    sample = _shown(window_factory, ABOVE, DOWN, is_light=is_light)
    told_at = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    sample.commands.alerts = (
        AlertStatus(
            rule=ABOVE, phase=AlertPhase.MET, value=AlertValue(Decimal("90001.5")), told_at=told_at, times_told=2
        ),
    )
    sample.show_now()
    model = sample.window.panels.alerts.model
    texts = [[str(model.index(row, column).data()) for column in range(6)] for row in range(2)]
    assert texts[0][:2] == ["▲ reached", "Bitunix"]
    assert texts[0][2:4] == ["BTC-USDT-PERP price at or above 90,000", "90,001.5"]
    assert texts[0][5] == "2"
    assert texts[1] == ["– no data", "Hyperliquid", "Hyperliquid: no new prices for 15 s", "–", "–", "0"]
    tip = str(model.index(1, 2).data(Qt.ItemDataRole.ToolTipRole))
    assert DOWN.shape.what in tip
