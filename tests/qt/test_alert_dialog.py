"""Alerts are typed as a line, kept in the settings, and told in the events of a running desk."""

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QInputDialog

from monitor.desktop.settings import Settings, load_settings, save_settings
from monitor.widgets.alert_dialog import AlertTextError, text_of, with_text
from tests.qt.conftest import WindowFactory

BTC = ("bitunix", "BTCUSDT")
OTHER = ("bitunix", "ETHUSDT", "below", "7")


def test_a_line_of_text_is_the_alerts_of_one_instrument() -> None:
    alerts = with_text((OTHER,), BTC, ">90000 < 80000.5")

    assert alerts == (OTHER, (*BTC, "above", "90000"), (*BTC, "below", "80000.5"))
    assert text_of(alerts, BTC) == "> 90000  < 80000.5"
    assert with_text(alerts, BTC, "") == (OTHER,)


@pytest.mark.parametrize("text", ["90000", "> soon", ">", "> -1", "> NaN", "> 1,5", "= 4"])
def test_what_is_not_understood_is_told(text: str) -> None:
    with pytest.raises(AlertTextError, match="Write"):
        with_text((), BTC, text)


def test_alerts_are_kept_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    settings = Settings(price_alerts=((*BTC, "above", "90000.50"),))
    save_settings(file, settings)

    assert load_settings(file) == (settings, ())
    file.write_text(file.read_text().replace("90000.50", "soon"))
    read, problems = load_settings(file)
    assert read.price_alerts == ()
    assert len(problems) == 1


def test_the_action_asks_for_the_instrument_in_focus(
    window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch, qapp: QApplication
) -> None:
    sample = window_factory()
    sample.window.show()
    qapp.processEvents()
    # The system's dialog waits for a person.
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("> 1", True))
    accepted: list[Settings] = []
    sample.window.dialogs.settings_accepted.connect(accepted.append)
    sample.window.commands_of_user.named["alert"].trigger()

    (settings,) = accepted
    assert [(side, Decimal(level)) for *_, side, level in settings.price_alerts] == [("above", Decimal(1))]
