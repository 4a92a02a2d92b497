"""Fields for secrets: masked, fit for pasting, and quick to forget what must not be typed into them."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFormLayout, QLabel, QLineEdit, QWidget

from monitor.domain.credentials import CredentialField, CredentialInputError, refuse_private_key
from monitor.exchanges.accounts import AccountVenue

LABEL_WIDTH_PX = 104
"""Of every label of the form, so that its fields stand in one column."""

_MAX_CHARS = 4_096
"""Room for a paste with white space around it; what is longer is no key."""


class GuardedEdit(QLineEdit):
    """A field that empties itself, its undo history included, as soon as it holds 64 hexadecimal digits.

    Signals:
        refused(str): why, for people; never what was typed.
    """

    refused = Signal(str)

    def __init__(self, *, is_guarded: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_guarded = is_guarded
        self.setMaxLength(_MAX_CHARS)
        self.textChanged.connect(self._on_changed)

    def forget(self) -> None:
        """Empty the field. ``setText`` drops the undo history too, which ``clear`` would keep."""
        self.setText("")

    def _on_changed(self, text: str) -> None:
        if not self._is_guarded or len(text) < 64:
            return
        try:
            refuse_private_key(text)
        except CredentialInputError as error:
            # Before anything of it is painted: this runs within the paste.
            self.forget()
            self.refused.emit(str(error))


class SecretEdit(GuardedEdit):
    """A masked field: no echo, no completion, no way to copy it out. An address may be looked at while typing."""

    def __init__(self, field: CredentialField, *, is_guarded: bool, parent: QWidget | None = None) -> None:
        super().__init__(is_guarded=is_guarded, parent=parent)
        self.setAccessibleName(field.title)
        self.setAccessibleDescription(field.hint)
        self.setPlaceholderText(field.hint)
        self.setInputMethodHints(
            Qt.InputMethodHint.ImhHiddenText
            | Qt.InputMethodHint.ImhSensitiveData
            | Qt.InputMethodHint.ImhNoPredictiveText
            | Qt.InputMethodHint.ImhNoAutoUppercase
        )
        self.setEchoMode(QLineEdit.EchoMode.Password)
        if not field.is_secret:
            show = QAction("Show what is typed", self)
            show.setCheckable(True)
            show.toggled.connect(self._on_show)
            self._show = show
            self.addAction(show)
            self.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)

    def _on_show(self, is_shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if is_shown else QLineEdit.EchoMode.Password)


class CredentialFields(QWidget):
    """One masked field for each thing a venue asks for.

    Signals:
        refused(str): something was typed that is not taken, and why.
        changed(): something was typed.
    """

    refused = Signal(str)
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self.edits: dict[str, SecretEdit] = {}

    def show_venue(self, venue: AccountVenue) -> None:
        """Ask for what ``venue`` needs; what was typed for another is forgotten."""
        self.forget()
        while self._form.rowCount():
            self._form.removeRow(0)
        self.edits = {}
        # Where no secret is asked for, 64 digits can only be the key that must never be typed anywhere.
        is_guarded = not any(field.is_secret for field in venue.fields)
        for field in venue.fields:
            edit = SecretEdit(field, is_guarded=is_guarded)
            edit.refused.connect(self.refused)
            edit.textChanged.connect(self._on_changed)
            self.edits[field.name] = edit
            label = QLabel(field.title)
            label.setBuddy(edit)
            label.setMinimumWidth(LABEL_WIDTH_PX)
            self._form.addRow(label, edit)

    def inputs(self) -> dict[str, str]:
        """What was typed, by field name. The caller must not keep it."""
        return {name: edit.text() for name, edit in self.edits.items()}

    @property
    def is_filled(self) -> bool:
        """Whether every field holds something."""
        return all(edit.text().strip() for edit in self.edits.values())

    def forget(self) -> None:
        """Empty every field and its undo history."""
        for edit in self.edits.values():
            edit.forget()

    def tab_order(self) -> Sequence[QWidget]:
        """The fields in the order of the keyboard."""
        return tuple(self.edits.values())

    def _on_changed(self) -> None:
        self.changed.emit()
