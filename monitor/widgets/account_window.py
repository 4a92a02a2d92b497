"""Accounts in the main window: the dialog, the privacy switch, files, and the user's own prices on the chart."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import structs
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef
from monitor.state.account_levels import account_levels
from monitor.state.board import Board
from monitor.widgets.account_panels import AccountPanels
from monitor.widgets.chart_area import ChartArea
from monitor.widgets.commands import WindowCommands
from monitor.widgets.theme import Theme
from monitor.widgets.window_actions import WindowActions

if TYPE_CHECKING:
    from monitor.widgets.account_lines import AccountLine
    from monitor.widgets.account_table import AccountTable

InstrumentKey: TypeAlias = tuple[str, str]


class WindowAccounts(QObject):
    """Connects the account tables and actions of ``window`` with what is behind them. Thread: GUI.

    ``settings`` gives the settings in force, ``accept`` takes changed ones.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        panels: AccountPanels,
        charts: ChartArea,
        actions: WindowActions,
        board: Board,
        commands: WindowCommands,
        settings: Callable[[], Settings],
        accept: Callable[[Settings], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._panels = panels
        self._charts = charts
        self._actions = actions
        self._board = board
        self._commands = commands
        self._settings = settings
        self._accept = accept
        charts.account_lines = self._lines
        panels.accounts_requested.connect(self.open_dialog)
        panels.export_requested.connect(self.export)
        panels.read_again_requested.connect(self._on_read_again)
        actions.named["accounts"].triggered.connect(self.open_dialog)
        actions.named["hide_amounts"].toggled.connect(self._on_hide)
        actions.named["account_lines"].toggled.connect(self._on_lines)
        self.show_settings(settings())

    def show_settings(self, settings: Settings) -> None:
        """Show what of the settings concerns accounts."""
        self._actions.named["hide_amounts"].setChecked(settings.hides_amounts)
        self._actions.named["account_lines"].setChecked(settings.shows_account_lines)
        self._panels.set_covered(settings.hides_amounts)
        self._charts.refresh_plots()

    def open_dialog(self) -> None:
        """Show the accounts, to add, test, replace and delete them."""
        from monitor.widgets.credential_dialog import CredentialDialog  # noqa: PLC0415 - not part of the start

        service = self._commands.account_service()
        if service is None:
            return
        dialog = CredentialDialog(service, hides_amounts=self._settings().hides_amounts, parent=self._window)
        dialog.exec()
        dialog.deleteLater()
        self._panels.refresh()

    def export(self, table: "AccountTable") -> None:
        """Write the rows shown in ``table`` to a file of the user's choice; asks first whether hidden amounts may."""
        with_amounts = self._may_write_amounts()
        if with_amounts is None:
            return
        self._panels.refresh_all()
        name, _ = QFileDialog.getSaveFileName(
            self._window, f"Export {table.title.lower()}", f"{table.title.lower()}.csv", "CSV (*.csv)"
        )
        if name:
            self._commands.save_text(Path(name), table.csv_text(with_amounts=with_amounts))

    def _may_write_amounts(self) -> bool | None:
        """Whether amounts go into the file; ``None``: no file after all."""
        if not self._settings().hides_amounts:
            return True
        box = QMessageBox(self._window)
        box.setWindowTitle("Amounts are hidden")
        box.setText("Amounts are hidden on the screen. Write them to the file?")
        without = box.addButton("Without amounts", QMessageBox.ButtonRole.AcceptRole)
        with_them = box.addButton("With amounts", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(without)
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        if clicked is with_them:
            return True
        return False if clicked is without else None

    def _on_read_again(self, venue: str, key: str) -> None:
        service = self._commands.account_service()
        if service is not None:
            service.read_again(venue, key)

    def _on_hide(self, is_hidden: bool) -> None:
        if is_hidden != self._settings().hides_amounts:
            self._accept(replace(self._settings(), hides_amounts=is_hidden))

    def _on_lines(self, is_shown: bool) -> None:
        if is_shown != self._settings().shows_account_lines:
            self._accept(replace(self._settings(), shows_account_lines=is_shown))

    def _lines(self, keys: Sequence[InstrumentKey], now_mono_s: float, theme: Theme) -> "Sequence[AccountLine]":
        """What the price plot draws over the prices of ``keys``."""
        from monitor.widgets.account_lines import lines_of  # noqa: PLC0415 - comes with the plots, after the start

        if not self._settings().shows_account_lines or not len(self._board.accounts):
            return ()
        known = self._board.instruments
        scales = {key: float(1 / known[key].multiplier) for key in keys if key in known}
        levels = account_levels(self._board.accounts, keys, now_mono_s)
        levels = tuple(
            structs.replace(level, account=self._panels.label_of(AccountRef(level.key[0], level.account)))
            for level in levels
        )
        return lines_of(levels, theme, scale_of=scales, known=known, is_covered=self._settings().hides_amounts)
