"""The accounts dialog: list, add, name, test, replace and delete. A secret that was stored is never shown again."""

from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QFont, QFontMetrics
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.credentials import AccountRef, CredentialInputError
from monitor.exchanges.accounts import AccountVenue
from monitor.qtmodels.account_service import AccountAnswer, AccountService
from monitor.qtmodels.account_texts import FAILED_MARK, WARNING_MARK, answer_mark, answer_text, waiting_text
from monitor.state.accounts import Access
from monitor.widgets.credential_fields import LABEL_WIDTH_PX, CredentialFields, GuardedEdit
from monitor.widgets.credential_list import AccountList
from monitor.widgets.sub_account_dialog import SubAccountButton

LOOK_EVERY_MS: Final = 200
RESULT_LINES: Final = 2
"""Lines kept free for how something ended, so that no button moves from under the pointer when that is told."""
_KEEP: Final = "Store it in the keyring and poll it from now on"


class CredentialDialog(QDialog):
    """Accounts of ``service``. What is typed lives in the fields only, and is forgotten with every answer and close.

    Thread: GUI; the keyring and the venues are asked elsewhere, and the dialog can be closed meanwhile.
    """

    def __init__(self, service: AccountService, *, hides_amounts: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._hides_amounts = hides_amounts
        self._changing: AccountRef | None = None
        self._is_renaming = False
        self._is_busy = False
        self.setWindowTitle("Accounts")
        self.resize(820, 480)
        self._make_list()
        self._make_form()
        self.result_label = _plain("")
        self.result_label.setAccessibleName("Result")
        self.result_label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.result_label.setMinimumHeight(RESULT_LINES * self.result_label.fontMetrics().lineSpacing())
        self._make_progress()
        close = QPushButton("Close")
        close.setAutoDefault(False)
        close.clicked.connect(self.close)
        sides = QHBoxLayout()
        sides.addLayout(self._left, 2)
        sides.addSpacing(14)
        sides.addLayout(self._right, 3)
        bottom = QHBoxLayout()
        bottom.addWidget(self._progress_frame, 4)
        bottom.addStretch(1)
        bottom.addWidget(close)
        layout = QVBoxLayout(self)
        layout.addLayout(sides, 1)
        layout.addWidget(self.result_label)
        layout.addLayout(bottom)
        service.answered.connect(self.on_answer)
        service.changed.connect(self.refresh)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self.refresh()
        self._on_venue()
        self._look()
        self.name.setFocus()

    # Parts

    def _make_list(self) -> None:
        self.list = AccountList()
        self.list.currentItemChanged.connect(self._show_buttons)
        self.test_stored = self._button("Test", "Try the chosen account at its venue", self._on_test_stored)
        self.rename_button = self._button("Rename…", "Give the chosen account another name", self._on_rename)
        self.replace_button = self._button("Replace…", "Type other secrets for the chosen account", self._on_replace)
        self.delete_button = self._button("Delete…", "Delete the chosen account and its secrets", self._on_delete)
        self.again_button = self._button("Open again", "Ask the keyring once more", self._service.open_again)
        self._of_one = (self.test_stored, self.rename_button, self.replace_button, self.delete_button)
        buttons = QHBoxLayout()
        for button in self._of_one:
            buttons.addWidget(button)
        self.demo_button = self._button(
            "Add the demo accounts", "Show every account of the demo exchange; kept in memory only", self._on_demo
        )
        self._left = QVBoxLayout()
        heading = QLabel("Accounts")
        heading.setProperty("heading", True)
        heading.setBuddy(self.list)
        self._left.addWidget(heading)
        self._left.addWidget(self.list, 1)
        self._left.addLayout(buttons)
        self.sub_button = SubAccountButton(self._service, lambda: self.current_ref, self.list)
        self._left.addWidget(self.sub_button)
        self._left.addWidget(self.again_button)
        self._left.addWidget(self.demo_button)

    def _make_form(self) -> None:
        self.form_title = QLabel("Add an account")
        self.form_title.setProperty("heading", True)
        self.venue = QComboBox()
        self.venue.setAccessibleName("Venue")
        for venue in self._service.venues.values():
            self.venue.addItem(venue.title, venue.venue)
        self.venue.currentIndexChanged.connect(self._on_venue)
        # A name is shown and kept in a plain file, so nothing of the form of a key may be one.
        self.name = GuardedEdit(is_guarded=True)
        self.name.setPlaceholderText("your own word for it, such as main")
        self.name.setAccessibleName("Name of the account")
        self.name.refused.connect(self._on_refused)
        self.fields = CredentialFields()
        self.fields.refused.connect(self._on_refused)
        self.fields.changed.connect(self._show_buttons)
        self.advice = _plain("")
        self.advice.setProperty("muted", True)
        form = QFormLayout()
        venue_label, name_label = QLabel("Venue"), QLabel("Name")
        venue_label.setBuddy(self.venue)
        name_label.setBuddy(self.name)
        for label in (venue_label, name_label):
            label.setMinimumWidth(LABEL_WIDTH_PX)
        form.addRow(venue_label, self.venue)
        form.addRow(name_label, self.name)
        self.keep = self._button("Add", _KEEP, self._on_keep)
        self.keep.setDefault(True)
        self._name_keep("Add", _KEEP)
        self.test_typed = self._button("Test", "Try what was typed, without storing it", self._on_test_typed)
        self.cancel_change = self._button("Cancel", "Leave the account as it is", self._end_change)
        buttons = QHBoxLayout()
        for button in (self.keep, self.test_typed, self.cancel_change):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._right = QVBoxLayout()
        self._right.addWidget(self.form_title)
        self._right.addLayout(form)
        self._right.addWidget(self.fields)
        self._right.addWidget(self.advice)
        self._right.addLayout(buttons)
        self._right.addStretch(1)
        self.cancel_change.hide()

    def _make_progress(self) -> None:
        self._progress_frame = QFrame()
        self.waiting_label = _plain("")
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setMaximumWidth(90)
        bar.setTextVisible(False)
        bar.setAccessibleName("Waiting")
        self.stop_waiting = self._button("Go on without", "Wait no longer; public data works", self._on_stop_waiting)
        row = QHBoxLayout(self._progress_frame)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(bar)
        row.addWidget(self.waiting_label, 1)
        row.addWidget(self.stop_waiting)
        self._progress_frame.hide()

    def _button(self, text: str, what: str, work: object) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(what)
        button.setAccessibleName(f"{text}: {what}")
        button.setAutoDefault(False)
        button.clicked.connect(work)
        return button

    # What it shows

    def refresh(self) -> None:
        """List the accounts as they stand."""
        states, venues = self._service.states, self._service.venues
        self.list.show_accounts(states, lambda venue: venues[venue].title if venue in venues else venue)
        self.again_button.setVisible(any(state.access is Access.CLOSED for state in states.values()))
        self.demo_button.setVisible(self._service.is_demo)
        self.demo_button.setEnabled(bool(self._service.demo_left))
        self._show_buttons()

    @property
    def current_ref(self) -> AccountRef | None:
        """The account chosen in the list."""
        return self.list.ref

    def show_result(self, text: str, mark: str = FAILED_MARK) -> None:
        """Say how something ended; ``mark`` stands before it, and sets its colour."""
        self.result_label.setObjectName({FAILED_MARK: "problem", WARNING_MARK: "warning"}.get(mark, ""))
        self.result_label.setText(f"{mark} {text}" if text else "")
        self.result_label.style().unpolish(self.result_label)
        self.result_label.style().polish(self.result_label)

    def on_answer(self, answer: AccountAnswer) -> None:
        """Take an answer of the keyring or a venue."""
        if answer.what in {"list", "open"} and answer.is_ok:
            self.refresh()
            return
        self._is_busy = False
        title = "" if answer.ref is None else f"{answer.ref.name}: "
        self.show_result(title + answer_text(answer, hides_amounts=self._hides_amounts), answer_mark(answer))
        if answer.is_ok and answer.what in {"add", "replace", "rename"}:
            self._end_change()
            self.name.forget()
        self.refresh()

    def _look(self) -> None:
        """Say what is waited for, and for how long."""
        waiting, waited_s = self._service.waiting, self._service.waited_s
        is_testing = self._service.is_testing
        is_shown = (waiting is not None and waited_s is not None and waited_s > 0.3) or is_testing
        self._progress_frame.setVisible(is_shown)
        if waiting is not None and waited_s is not None and not is_testing:
            self.waiting_label.setText(waiting_text(waiting, waited_s))
        elif is_testing:
            self.waiting_label.setText("Asking the venue…")

    def _show_buttons(self) -> None:
        is_chosen = self.current_ref is not None
        for button in self._of_one:
            button.setEnabled(is_chosen and not self._is_busy)
        self.keep.setEnabled((self.fields.is_filled or self._is_renaming) and not self._is_busy)
        self.test_typed.setEnabled(self.fields.is_filled and not self._is_busy)

    # What the user does

    @property
    def _venue(self) -> AccountVenue:
        return self._service.venues[str(self.venue.currentData())]

    def _on_venue(self) -> None:
        self.fields.show_venue(self._venue)
        self.advice.setText(self._venue.advice)
        QWidget.setTabOrder(self.venue, self.name)
        before: QWidget = self.name
        for edit in self.fields.tab_order():
            QWidget.setTabOrder(before, edit)
            before = edit
        QWidget.setTabOrder(before, self.keep)
        self.show_result("")
        self._show_buttons()

    def _on_refused(self, why: str) -> None:
        self.show_result(why)

    def _on_keep(self) -> None:
        try:
            if self._changing is not None and self._is_renaming:
                self._service.rename(self._changing, self.name.text())
            elif self._changing is not None:
                self._service.replace(self._changing, self.fields.inputs())
            else:
                self._service.add(self._venue.venue, self.name.text(), self.fields.inputs())
        except CredentialInputError as error:
            self.show_result(str(error))
            return
        self.fields.forget()
        self._begin("Storing…")

    def _on_test_typed(self) -> None:
        try:
            name = self._changing.name if self._changing is not None else self.name.text()
            self._service.test_typed(self._venue.venue, name, self.fields.inputs())
        except CredentialInputError as error:
            self.show_result(str(error))
            return
        self._begin("Testing…")

    def _on_test_stored(self) -> None:
        ref = self.current_ref
        if ref is not None:
            self._begin("Testing…")
            self._service.test(ref)

    def _on_replace(self) -> None:
        if self._begin_change("Replace the secrets of", "Replace"):
            self.name.setEnabled(False)
            next(iter(self.fields.edits.values())).setFocus()

    def _on_rename(self) -> None:
        if self._begin_change("Rename", "Rename"):
            self._show_secrets(False)
            self.name.setFocus()
            self.name.selectAll()

    def _begin_change(self, what: str, word: str) -> bool:
        """Turn the form into one for the chosen account; False when there is none."""
        self._end_change()
        ref = self.current_ref
        if ref is None or ref.venue not in self._service.venues:
            return False
        self._changing = ref
        self.venue.setCurrentIndex(max(0, self.venue.findData(ref.venue)))
        self._on_venue()
        self.form_title.setText(f"{what} {ref.name}")
        self.name.setText(ref.name)
        self.venue.setEnabled(False)
        self._name_keep(word, f"{what} {ref.name}")
        self.cancel_change.show()
        return True

    def _end_change(self) -> None:
        self.fields.forget()
        if self._changing is not None:
            self._changing = None
            self.form_title.setText("Add an account")
            self.name.forget()
            self._name_keep("Add", _KEEP)
            self.cancel_change.hide()
            for widget in (self.name, self.venue):
                widget.setEnabled(True)
            self._show_secrets(True)

    def _name_keep(self, word: str, what: str) -> None:
        bold = QFont(self.keep.font())
        bold.setBold(True)
        # Qt measures a default button, which is bold, as if it were not.
        self.keep.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(word) + 34)
        self.keep.setText(word)
        self.keep.setToolTip(what)
        self.keep.setAccessibleName(f"{word}: {what}")

    def _show_secrets(self, is_shown: bool) -> None:
        """A new name needs none."""
        self._is_renaming = not is_shown
        for widget in (self.fields, self.advice, self.test_typed):
            widget.setVisible(is_shown)
        self._show_buttons()

    def _on_delete(self) -> None:
        ref = self.current_ref
        if ref is None:
            return
        box = QMessageBox(self)
        box.setWindowTitle("Delete an account")
        box.setText(f"Delete {ref.name} and its secrets from {self._service.kept_in}? The venue is not told.")
        delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        is_meant = box.clickedButton() is delete
        box.deleteLater()
        if is_meant:
            self._begin("Deleting…")
            self._service.remove(ref)

    def _on_demo(self) -> None:
        self._service.add_demo()

    def _on_stop_waiting(self) -> None:
        self._service.cancel()
        self._is_busy = False
        self.show_result("Not waited for. What the keyring still does shows in the list.")
        self._show_buttons()

    def _begin(self, text: str) -> None:
        self._is_busy = True
        self.result_label.setObjectName("")
        self.result_label.setText(text)
        self._show_buttons()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: forget what was typed."""
        self.done(0)
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Qt: however it ends, nothing of what was typed stays."""
        self._timer.stop()
        self.fields.forget()
        self.name.forget()
        super().done(result)


def _plain(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(label.textFormat().PlainText)
    label.setWordWrap(True)
    return label
