"""Choosing which sub-accounts to add, and the button that looks for them."""

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.credentials import AccountRef, CredentialInputError
from monitor.qtmodels.account_service import AccountService
from monitor.qtmodels.figures import safe_text
from monitor.qtmodels.sub_accounts import SubAccountOffer, SubAccountsFound

_OFFER_ROLE: Final = int(Qt.ItemDataRole.UserRole)


class SubAccountDialog(QDialog):
    """The sub-accounts found, each with a box to tick; those that are here already cannot be chosen. Thread: GUI."""

    def __init__(self, found: SubAccountsFound, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ref = found.ref
        self.setWindowTitle(f"Sub-accounts of {found.ref.name}")
        self.resize(420, 280)
        self.list = QListWidget()
        self.list.setAccessibleName(self.windowTitle())
        self.list.setSpacing(3)
        for offer in found.offers:
            self.list.addItem(_item(offer))
        heading = QLabel("Choose which to add. Each is read by its own public address.")
        heading.setWordWrap(True)
        heading.setBuddy(self.list)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_button = self.buttons.addButton("Add", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(heading)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.buttons)
        self.list.itemChanged.connect(self._show_button)
        self._show_button()

    @property
    def chosen(self) -> tuple[SubAccountOffer, ...]:
        """What is ticked."""
        items = (self.list.item(number) for number in range(self.list.count()))
        return tuple(item.data(_OFFER_ROLE) for item in items if item.checkState() is Qt.CheckState.Checked)

    def _show_button(self) -> None:
        self.add_button.setEnabled(bool(self.chosen))


def _item(offer: SubAccountOffer) -> QListWidgetItem:
    text = f"{safe_text(offer.name, 60)}   {offer.account.shown}"
    if offer.known_as:
        item = QListWidgetItem(f"{text}   (here already, as {safe_text(offer.known_as, 60)})")
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setCheckState(Qt.CheckState.Unchecked)
        item.setForeground(QGuiApplication.palette().placeholderText())
    else:
        item = QListWidgetItem(text)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked)
    item.setData(_OFFER_ROLE, offer)
    return item


class SubAccountButton(QPushButton):
    """Looks for sub-accounts of the account chosen in ``accounts`` and adds those that are ticked. Thread: GUI."""

    def __init__(
        self,
        service: AccountService,
        current: Callable[[], AccountRef | None],
        accounts: QListWidget,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Find sub-accounts…", parent)
        self._service = service
        self._current = current
        what = "Ask the venue for sub-accounts of the chosen account, and choose which to add"
        self.setToolTip(what)
        self.setAccessibleName(f"Find sub-accounts: {what}")
        self.setAutoDefault(False)
        self.clicked.connect(self._on_clicked)
        accounts.currentItemChanged.connect(self.refresh)
        service.changed.connect(self.refresh)
        service.sub_accounts.found.connect(self._on_found)
        self.refresh()

    def refresh(self) -> None:
        """Offer it where the venue of the chosen account tells sub-accounts."""
        is_asking = self._service.sub_accounts.is_asking
        self.setText("Asking the venue…" if is_asking else "Find sub-accounts…")
        self.setEnabled(not is_asking and self._service.sub_accounts.can_find(self._current()))

    def _on_clicked(self) -> None:
        ref = self._current()
        if ref is not None:
            self._service.sub_accounts.find(ref)
        self.refresh()

    def _on_found(self, found: SubAccountsFound) -> None:
        self.refresh()
        if not self.isVisible():
            return  # the dialog was closed meanwhile
        if not found.offers:
            self._tell(f"{found.ref.name}: {found.text}")
            return
        dialog = SubAccountDialog(found, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(partial(self._add, dialog))
        # Not exec(): this runs while answers are being handed out, which must go on.
        dialog.open()

    def _add(self, dialog: SubAccountDialog) -> None:
        for offer in dialog.chosen:
            try:
                self._service.add(dialog.ref.venue, offer.name, offer.account.inputs)
            except CredentialInputError as error:
                self._tell(f"{offer.name}: {error}")

    def _tell(self, text: str) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle("Sub-accounts")
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(safe_text(text, 400))
        box.open()
