"""The accounts in the accounts dialog: each with its venue and whether it could be opened."""

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from monitor.domain.credentials import AccountRef
from monitor.state.accounts import Access, AccountState

_REF_ROLE: Final = int(Qt.ItemDataRole.UserRole)
_TOLD: Final = {Access.OPENING: " (waiting for the keyring)", Access.CLOSED: " (not opened)"}


class AccountList(QListWidget):
    """Lists accounts, and says what to do while there are none. Thread: GUI."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Accounts")
        self.setSpacing(2)
        self.empty_label = QLabel(
            "No account yet. Fill in the form to add one: it will be read only, never traded with."
        )
        self.empty_label.setProperty("muted", True)
        self.empty_label.setWordWrap(True)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        over = QVBoxLayout(self.viewport())
        over.setContentsMargins(16, 8, 16, 8)
        over.addWidget(self.empty_label)

    @property
    def ref(self) -> AccountRef | None:
        """The account chosen."""
        if self.currentRow() < 0:
            return None
        venue, name = self.currentItem().data(_REF_ROLE)
        return AccountRef(str(venue), str(name))

    def show_accounts(self, states: Mapping[AccountRef, AccountState], title_of: Callable[[str], str]) -> None:
        """List ``states``; what was chosen stays so, else the first is."""
        chosen = self.ref
        self.clear()
        for ref, state in states.items():
            item = QListWidgetItem(f"{ref.name}  ·  {title_of(ref.venue)}{_TOLD.get(state.access, '')}")
            item.setData(_REF_ROLE, (ref.venue, ref.name))
            item.setToolTip(state.access_text)
            self.addItem(item)
            if ref == chosen:
                self.setCurrentItem(item)
        if self.currentRow() < 0 and self.count():
            self.setCurrentRow(0)
        self.empty_label.setVisible(not states)
