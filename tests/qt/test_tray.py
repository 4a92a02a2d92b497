"""The tray shows last prices and keeps the app running when the user wishes it; without a tray closing ends it."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QMessageBox

from monitor.desktop.settings import Settings
from monitor.widgets.tray import TOOLTIP_CHARS, WindowTray
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

# The offscreen platform of the tests knows no tray and says so.
pytestmark = pytest.mark.qt_log_ignore("systemTrayWindowChanged", extend=True)


class Tray:
    """A window with a tray icon. The offscreen platform has no tray to put it in, so ``is_available`` says there is."""

    def __init__(self, sample: SampleWindow, *, is_there: bool = True, is_scripted: bool = False) -> None:
        self.sample = sample
        self.tray = WindowTray(
            sample.window,
            sample.board,
            clock=sample.clock,
            is_scripted=is_scripted,
            is_available=lambda: is_there,
        )
        sample.window.show()

    @property
    def has_ended(self) -> bool:
        """Whether the window asked the app to end."""
        return bool(self.sample.commands.named("quit"))

    def closed_with(self, when_closed: str) -> bool:
        """Close the window; whether it is still shown."""
        self.sample.window.accept_settings(replace(Settings(), when_closed=when_closed))
        self.sample.window.close()
        return self.sample.window.isVisible()


TrayFactory = Callable[..., Tray]


@pytest.fixture
def tray_factory(window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrayFactory]:
    """``tray_factory(**options of Tray)``; the icons are gone before their windows are closed."""
    monkeypatch.setattr(sys, "platform", "linux")
    made: list[Tray] = []

    def make(**options: bool) -> Tray:
        made.append(Tray(window_factory(), **options))
        return made[-1]

    yield make
    for one in made:
        one.tray.end()


def test_closing_hides_the_window_and_the_tray_brings_it_back(tray_factory: TrayFactory) -> None:
    with_tray = tray_factory()
    assert not with_tray.closed_with("tray")
    assert not with_tray.has_ended
    with_tray.tray.show_window()
    assert with_tray.sample.window.isVisible()


def test_closing_ends_the_app_when_the_user_chose_so(tray_factory: TrayFactory) -> None:
    with_tray = tray_factory()
    with_tray.closed_with("quit")
    assert with_tray.has_ended


@pytest.mark.parametrize("reason", ["no tray", "scripted"])
def test_closing_ends_the_app_where_nobody_could_bring_it_back(tray_factory: TrayFactory, reason: str) -> None:
    alone = tray_factory(is_there=reason != "no tray", is_scripted=reason == "scripted")
    alone.closed_with("tray")
    assert alone.has_ended


@pytest.mark.parametrize(("answer", "kept"), [("Keep in the tray", "tray"), ("Quit", "quit"), ("Cancel", "ask")])
def test_the_user_is_asked_once(
    tray_factory: TrayFactory, monkeypatch: pytest.MonkeyPatch, answer: str, kept: str
) -> None:
    asked: list[str] = []

    def click(box: QMessageBox) -> int:
        # exec() would wait for a person.
        asked.append(box.text())
        next(button for button in box.buttons() if button.text().replace("&", "") == answer).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", click)
    with_tray = tray_factory()
    is_shown = with_tray.closed_with("ask")
    assert with_tray.sample.window.current_settings().when_closed == kept
    assert (is_shown, with_tray.has_ended) == {"tray": (False, False), "quit": (False, True), "ask": (True, False)}[
        kept
    ]
    with_tray.tray.show_window()
    with_tray.sample.window.close()
    assert len(asked) == (2 if kept == "ask" else 1)


def test_quitting_is_not_held_up(tray_factory: TrayFactory) -> None:
    with_tray = tray_factory()
    with_tray.sample.window.accept_settings(Settings(when_closed="tray"))
    with_tray.sample.window.commands_of_user.named["quit"].trigger()
    assert with_tray.has_ended


@pytest.mark.parametrize("is_hidden", [False, True])
def test_the_menu_of_the_tray_ends_the_app(tray_factory: TrayFactory, is_hidden: bool) -> None:
    with_tray = tray_factory()
    if is_hidden:
        assert not with_tray.closed_with("tray")
    with_tray.tray.quit()
    assert with_tray.has_ended


def test_the_menu_and_the_tooltip_have_the_last_prices_and_say_when_they_are_old(tray_factory: TrayFactory) -> None:
    with_tray = tray_factory()
    tray, sample = with_tray.tray, with_tray.sample
    tray.refresh()
    first = tray.prices[0].text()
    assert first.startswith("BTC-USDT-PERP  ")
    assert "%" in first
    assert first in tray.icon.toolTip()
    assert len(tray.icon.toolTip()) <= TOOLTIP_CHARS
    sample.clock.now_s += 120
    tray.refresh()
    assert tray.prices[0].text() == "BTC-USDT-PERP  late, 2 min old"
    assert [action.isVisible() for action in tray.prices] == [True] * 6
