"""The icon in the system's tray: last prices, notifications, and where the window goes when it is closed."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QSystemTrayIcon

from monitor import APP_NAME
from monitor.qtmodels.figures import age_text, change_text, quoted_text, safe_text
from monitor.state.board import Board
from monitor.widgets.main_window import MainWindow
from monitor.widgets.resources import app_icon

PRICES_SHOWN: Final = 6
TOOLTIP_CHARS: Final = 127
"""Longer ones are cut in the middle of a line on Windows."""
NOTICE_MS: Final = 10_000


class WindowTray(QObject):
    """Owns the tray icon of ``window``, which is filled. Without a tray on this desktop nothing happens at all.

    ``clock`` is the board's. Thread: GUI.
    """

    def __init__(
        self,
        window: MainWindow,
        board: Board,
        *,
        clock: Callable[[], float],
        is_scripted: bool = False,
        is_available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable,
    ) -> None:
        """``is_scripted``: nobody is there to be asked; closing ends the app."""
        super().__init__(window)
        self._window = window
        self._board = board
        self._clock = clock
        self._is_scripted = is_scripted
        self._is_available = is_available
        self._is_quitting = False
        self.menu = QMenu(window)
        show = QAction("Show the window", self.menu)
        show.triggered.connect(self.show_window)
        self.menu.addAction(show)
        self.menu.addSeparator()
        self.prices: list[QAction] = []
        for _ in range(PRICES_SHOWN):
            line = QAction(self.menu)
            line.triggered.connect(self.show_window)
            line.setVisible(False)
            self.prices.append(line)
        self.menu.addActions(self.prices)
        self.menu.addSeparator()
        self.menu.addAction(window.commands_of_user.named["pause"])
        self.menu.addSeparator()
        end = QAction("Quit", self.menu)
        end.triggered.connect(self.quit)
        self.menu.addAction(end)
        self.icon = QSystemTrayIcon(app_icon(), self)
        self.icon.setContextMenu(self.menu)
        self.icon.setToolTip(APP_NAME)
        self.icon.activated.connect(self._on_activated)
        self.icon.messageClicked.connect(self.show_window)
        window.installEventFilter(self)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            # Ended by the session, not by a click on the window: the app must not stand in its way.
            app.commitDataRequest.connect(self._on_session_end)

    @property
    def keeps_running(self) -> bool:
        """Whether closing the window may leave the app running: there is a tray to come back from."""
        # On macOS the Dock's Quit closes the windows too, and cannot be told from a click on the window's button.
        return self._is_available() and not self._is_scripted and sys.platform != "darwin"

    def refresh(self) -> None:
        """Show the icon where there is a tray, with the newest prices; call it once a second."""
        if not self._is_available():
            return
        if not self.icon.isVisible():
            self.icon.show()
        lines = self.lines()
        for action, text in zip(self.prices, (*lines, *[""] * PRICES_SHOWN), strict=False):
            if action.text() != text:
                action.setText(text)
                action.setVisible(bool(text))
        tip = "\n".join((APP_NAME, *lines))
        while len(tip) > TOOLTIP_CHARS:
            tip = tip.rpartition("\n")[0]
        if self.icon.toolTip() != tip:
            self.icon.setToolTip(tip)

    def lines(self) -> list[str]:
        """The first instruments of the watchlist: price and change, or how old the price is."""
        now_s = self._clock()
        shown = []
        for key in self._window.watchlist.keys[:PRICES_SHOWN]:
            quote, instrument = self._board.quote(key), self._board.instruments.get(key)
            name = safe_text(key[1] if instrument is None else instrument.name, 24)
            age = None if quote is None else quote.age(now_s)
            if quote is None or quote.price is None or age is None:
                shown.append(f"{name}  –")
            elif quote.verdict(now_s).is_trustworthy:
                shown.append(f"{name}  {quoted_text(quote.price, instrument)}  {change_text(quote.change_24h)}")
            else:
                shown.append(f"{name}  {quote.verdict(now_s).word}, {age_text(age.high_s)} old")
        return shown

    def notify(self, text: str) -> None:
        """Show a notification of the desktop, where there is a tray."""
        if self.icon.isVisible():
            self.icon.showMessage(APP_NAME, safe_text(text), QSystemTrayIcon.MessageIcon.Warning, NOTICE_MS)

    @Slot()
    def show_window(self) -> None:
        """Bring the window back to the front."""
        window = self._window
        window.setVisible(True)
        if window.isMinimized():
            window.showNormal()
        window.raise_()
        window.activateWindow()

    @Slot()
    def quit(self) -> None:
        """End the app."""
        self._is_quitting = True
        self._window.leave()

    def end(self) -> None:
        """Take the icon away and let the window go."""
        self._is_quitting = True
        self._window.removeEventFilter(self)
        self.icon.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: closing the window means what the user chose; asked once."""
        if watched is not self._window or not isinstance(event, QCloseEvent) or self._is_quitting:
            return False
        if self._window.is_leaving or not self.keeps_running or not self._window.isVisible():
            return False
        choice = self._window.current_settings().when_closed
        if choice == "ask":
            choice = self._ask()
        if choice == "quit":
            return False
        event.ignore()
        if choice == "tray":
            self._hide()
        return True

    def _ask(self) -> str:
        """``tray``, ``quit``, or empty for neither; the answer is remembered."""
        box = QMessageBox(self._window)
        box.setWindowTitle(APP_NAME)
        box.setText("Keep watching in the background?")
        box.setInformativeText(
            "In the tray the app goes on polling, recording and telling alerts. You are asked once; Settings, General "
            "changes it."
        )
        tray = box.addButton("Keep in the tray", QMessageBox.ButtonRole.AcceptRole)
        end = box.addButton("Quit", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(tray)
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        choice = "tray" if clicked is tray else "quit" if clicked is end else ""
        if choice:
            self._window.accept_settings(replace(self._window.current_settings(), when_closed=choice))
        return choice

    def _hide(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            # A dialog that closes while the window is away is the last window, and would end the app.
            app.setQuitOnLastWindowClosed(False)
        self.icon.show()
        self._window.hide()

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self.show_window()

    def _on_session_end(self) -> None:
        self._is_quitting = True
