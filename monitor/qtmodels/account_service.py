"""What the user does with accounts, carried out beside the window: add, test, replace, delete, and open at the start.

The keyring is asked in its own thread and may take minutes; venues are asked in a worker's. Every answer comes back
through the outbox and is told by a signal in the GUI thread.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import msgspec
from PySide6.QtCore import QObject, Signal

from monitor.assembly import make_account_client
from monitor.controller import Controller
from monitor.desktop.account_store import AccountStore
from monitor.desktop.credential_worker import CredentialTask, CredentialWorker, KeyringWait
from monitor.desktop.demo_process import DemoAccount
from monitor.domain.credentials import (
    AccountCheck,
    AccountRef,
    CredentialError,
    CredentialInputError,
    CredentialProblem,
    Credentials,
    clean_name,
)
from monitor.domain.errors import MonitorError
from monitor.exchanges.accounts import AccountVenue
from monitor.polling.results import TaskDone
from monitor.qtmodels.sub_accounts import SubAccountFinder
from monitor.state.accounts import Access, AccountState

TOKEN_CREDENTIALS = -30
"""Of what the keyring's thread brings; tokens of ``PollEngine.run_once`` are positive."""


class AccountAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How something the user asked for ended.

    ``what`` is ``add``, ``replace``, ``rename``, ``remove``, ``test``, ``open`` or ``list``. ``problem`` is the
    keyring's, if it was one; ``check`` the result of a test. ``text`` is for people.
    """

    what: str
    ref: AccountRef | None
    is_ok: bool
    text: str
    problem: CredentialProblem | None = None
    check: AccountCheck | None = None


class _Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What the keyring's thread brought, on its way through the outbox."""

    what: str
    ref: AccountRef | None
    value: object
    error: MonitorError | None
    number: int


class AccountService(QObject):
    """Owns the keyring's thread and says which accounts ``controller`` polls.

    ``load_venues`` gives the venues that have accounts, when first wanted. Secrets pass through and are held by the
    controller only, as long as the account is polled.

    Signals:
        answered(object): an ``AccountAnswer``.
        changed(): accounts came or went, or were opened.

    Thread: GUI; nothing blocks but :meth:`stop`.
    """

    answered = Signal(object)
    changed = Signal()

    def __init__(
        self,
        controller: Controller,
        store: AccountStore,
        load_venues: Callable[[], Mapping[str, AccountVenue]],
        *,
        is_demo: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._load_venues = load_venues
        self.is_demo = is_demo
        self._controller = controller
        self._store = store
        self._worker = CredentialWorker()
        self.sub_accounts = SubAccountFinder(controller, load_venues, self)
        self._tests: dict[int, AccountRef] = {}
        self._pending: dict[int, CredentialTask[object]] = {}
        self._number = 0
        self._offered: tuple[DemoAccount, ...] = ()

    # What is known

    @property
    def venues(self) -> Mapping[str, AccountVenue]:
        """Those that have accounts, by name, in the order shown."""
        return self._load_venues()

    @property
    def refs(self) -> tuple[AccountRef, ...]:
        """Every account, in the user's order."""
        return tuple(self._controller.board.accounts.states)

    @property
    def states(self) -> Mapping[AccountRef, AccountState]:
        """The same with what is known of each."""
        return self._controller.board.accounts.states

    @property
    def kept_in(self) -> str:
        """Where secrets are kept, in words."""
        return "this program's memory" if self.is_demo else "the keyring"

    @property
    def is_testing(self) -> bool:
        """Whether a venue is being asked."""
        return bool(self._tests)

    @property
    def waiting(self) -> KeyringWait | None:
        """What the keyring is being asked now; ``None`` when nothing is."""
        return self._worker.waiting

    @property
    def waited_s(self) -> float | None:
        """For how long the keyring has not answered; ``None`` when it is not being asked."""
        waiting = self._worker.waiting
        return None if waiting is None else max(0.0, time.perf_counter() - waiting.since_mono_s)

    @property
    def demo_left(self) -> tuple[DemoAccount, ...]:
        """Accounts of the demo exchange that are not shown yet."""
        return tuple(one for one in self._offered if AccountRef(one.venue, one.name) not in self.refs)

    # What the user does

    def start(self) -> None:
        """Find out which accounts there are, then open each. Without any, the keyring is not touched."""
        self._submit("list", None, "reading the list of accounts", self._store.names)

    def offer_demo(self, accounts: Sequence[DemoAccount]) -> None:
        """Show the first account of each venue of the demo exchange; :meth:`add_demo` shows the rest."""
        is_first_time = not self._offered
        self._offered = tuple(accounts)
        if is_first_time:
            first: dict[str, DemoAccount] = {}
            for one in accounts:
                first.setdefault(one.venue, one)
            self._add_demo(tuple(first.values()))

    def add_demo(self) -> None:
        """Show every account of the demo exchange. They are kept in memory only."""
        self._add_demo(self.demo_left)

    def add(self, venue: str, name: str, inputs: Mapping[str, str]) -> AccountRef:
        """Keep a new account and open it.

        Raises:
            CredentialInputError: a name or field that cannot be right; nothing was kept.
        """
        credentials = self._made(venue, name, inputs)
        self._refuse_twin(credentials, is_new=True)
        ref = credentials.account
        self._submit("add", ref, f"storing {ref.name}", partial(_kept, self._store.add, credentials))
        return ref

    def replace(self, ref: AccountRef, inputs: Mapping[str, str]) -> None:
        """Keep other secrets of an account. Raises ``CredentialInputError`` as :meth:`add` does."""
        credentials = self._made(ref.venue, ref.name, inputs)
        self._refuse_twin(credentials, is_new=False)
        self._submit("replace", ref, f"replacing {ref.name}", partial(_kept, self._store.replace, credentials))

    def rename(self, ref: AccountRef, name: str) -> None:
        """Give an account another name. Raises ``CredentialInputError`` when it cannot be one."""
        wanted = clean_name(name)
        self._refuse_taken(AccountRef(ref.venue, wanted), but=ref)
        self._submit("rename", ref, f"renaming {ref.name}", partial(self._store.rename, ref, wanted))

    def remove(self, ref: AccountRef) -> None:
        """Delete an account and its secrets."""
        self._submit("remove", ref, f"deleting {ref.name}", partial(self._store.remove, ref))

    def test(self, ref: AccountRef) -> None:
        """Try a stored account at its venue; the answer says exactly what is wrong."""
        known = self._controller.credentials_of(ref)
        if known is not None:
            self._check(known)
        else:
            self._submit("test", ref, f"reading {ref.name}", partial(self._store.load, ref))

    def test_typed(self, venue: str, name: str, inputs: Mapping[str, str]) -> None:
        """Try what was typed, without keeping it. Raises ``CredentialInputError`` as :meth:`add` does."""
        self._check(self._made(venue, name.strip() or "not named yet", inputs))

    def read_again(self, venue: str, key: str) -> None:
        """Poll one job of an account at once, within the budget."""
        self._controller.refresh_account(venue, key)

    def open_again(self) -> None:
        """Ask the keyring once more for the accounts that it did not open."""
        for state in tuple(self._controller.board.accounts):
            if state.access is Access.CLOSED:
                self._controller.board.accounts.set_access(state.ref, Access.OPENING)
                self._open(state.ref)
        self.changed.emit()

    def cancel(self) -> None:
        """Wait no longer for what is under way. The keyring may still do it; the list then shows it."""
        for task in self._pending.values():
            task.abandon()
        self._pending.clear()
        self._tests.clear()
        for state in tuple(self._controller.board.accounts):
            if state.access is Access.OPENING:
                self._controller.close_account(
                    state.ref, "The keyring was not waited for. Unlock it and open the account again under Accounts."
                )
        self._submit("list", None, "reading the list of accounts", self._store.names)
        self.changed.emit()

    def stop(self, deadline_s: float) -> None:
        """End the keyring's thread, waiting up to ``deadline_s``; one that hangs in a dialog is left behind."""
        self._worker.stop(deadline_s)

    # What comes back

    def take(self, done: TaskDone) -> bool:
        """Take an answer out of the outbox; False: it is somebody else's."""
        if done.token == TOKEN_CREDENTIALS and isinstance(done.value, _Brought):
            self._take_brought(done.value)
            return True
        ref = self._tests.pop(done.token, None)
        if ref is None:
            return self.sub_accounts.take(done)
        if isinstance(done.value, AccountCheck):
            check = done.value
            self._tell("test", ref, is_ok=check.is_ok, text=check.text, check=check)
        else:
            text = "The test failed inside this program." if done.failure is None else done.failure.user_text
            self._tell("test", ref, is_ok=False, text=text)
        return True

    def _take_brought(self, brought: _Brought) -> None:
        self._pending.pop(brought.number, None)
        ref, error = brought.ref, brought.error
        if error is not None:
            problem = error.problem if isinstance(error, CredentialError) else None
            if brought.what == "open" and ref is not None:
                self._controller.close_account(ref, error.user_text)
                self.changed.emit()
            self._tell(brought.what, ref, is_ok=False, text=error.user_text, problem=problem)
            return
        value = brought.value
        if brought.what == "list" and isinstance(value, tuple):
            self._show_refs(value)
        elif isinstance(value, Credentials):
            if brought.what == "test":
                self._check(value)
                return
            if value.account not in self.refs:
                self._controller.set_account_refs((*self.refs, value.account))
            self._controller.open_account(value)
            self.changed.emit()
        elif brought.what == "rename" and ref is not None and isinstance(value, AccountRef):
            self._take_name(ref, value)
            ref = value
        elif brought.what == "remove" and ref is not None:
            self._controller.set_account_refs(tuple(one for one in self.refs if one != ref))
            self.changed.emit()
        text = {
            "add": "Stored. It is polled from now on.",
            "replace": "Replaced. The new ones are used from now on.",
            "rename": "Renamed.",
            "remove": "Deleted, and its secrets with it.",
        }.get(brought.what, "")
        self._tell(brought.what, ref, is_ok=True, text=text)

    def _take_name(self, ref: AccountRef, new: AccountRef) -> None:
        known = self._controller.credentials_of(ref)
        self._offered = tuple(
            replace(one, name=new.name) if (one.venue, one.name) == (ref.venue, ref.name) else one
            for one in self._offered
        )
        self._controller.set_account_refs(tuple(new if one == ref else one for one in self.refs))
        if known is None:
            self._open(new)
        else:
            self._controller.open_account(Credentials(account=new, values=known.values))
        self.changed.emit()

    def _show_refs(self, refs: Sequence[AccountRef]) -> None:
        known = set(self.refs)
        self._controller.set_account_refs(tuple(refs))
        for ref in refs:
            if ref not in known:
                self._open(ref)
        self.changed.emit()

    # Inside

    def _open(self, ref: AccountRef) -> None:
        self._submit("open", ref, f"opening {ref.name}", partial(self._store.load, ref))

    def _made(self, venue: str, name: str, inputs: Mapping[str, str]) -> Credentials:
        return self.venues[venue].make_credentials(name, inputs)

    def _refuse_twin(self, credentials: Credentials, *, is_new: bool) -> None:
        """The same account under two names would be counted twice."""
        if is_new:
            self._refuse_taken(credentials.account)
        for ref in self.refs:
            if ref.venue != credentials.account.venue or (not is_new and ref == credentials.account):
                continue
            known = self._controller.credentials_of(ref)
            if known is not None and dict(known.values) == dict(credentials.values):
                raise CredentialInputError(f"This account is here already, as {ref.name}: it would be counted twice.")

    def _refuse_taken(self, wanted: AccountRef, *, but: AccountRef | None = None) -> None:
        names = {ref.name.casefold() for ref in self.refs if ref.venue == wanted.venue and ref != but}
        if wanted.name.casefold() in names:
            raise CredentialInputError("There is already an account of this name.")

    def _check(self, credentials: Credentials) -> None:
        ref = credentials.account
        engine, runtime = self._controller.engine, self._controller.runtimes.get(ref.venue)
        if engine is None or runtime is None:
            self._tell("test", ref, is_ok=False, text="The connections are still being made: try again in a moment.")
            return
        try:
            client = make_account_client(credentials, runtime)
        except CredentialError as error:
            self._tell("test", ref, is_ok=False, text=error.user_text, problem=error.problem)
            return
        self._tests[engine.run_once(client.check)] = ref

    def _add_demo(self, accounts: Sequence[DemoAccount]) -> None:
        for one in accounts:
            if one.venue in self.venues:
                credentials = self._made(one.venue, one.name, one.inputs)
                self._submit(
                    "add", credentials.account, f"showing {one.name}", partial(_kept, self._store.add, credentials)
                )

    def _submit(self, what: str, ref: AccountRef | None, label: str, work: Callable[[], object]) -> None:
        self._number += 1
        number = self._number
        task = self._worker.submit(label, work, partial(self._hand_over, what, ref, number))
        self._pending[number] = task

    def _hand_over(self, what: str, ref: AccountRef | None, number: int, task: CredentialTask[object]) -> None:
        # Called in the keyring's thread; the outbox is the one way over.
        error = task.error
        value = None if error is not None else task.result(0.0)
        brought = _Brought(what=what, ref=ref, value=value, error=error, number=number)
        self._controller.outbox.put(TaskDone(token=TOKEN_CREDENTIALS, value=brought, failure=None))

    def _tell(
        self,
        what: str,
        ref: AccountRef | None,
        *,
        is_ok: bool,
        text: str,
        problem: CredentialProblem | None = None,
        check: AccountCheck | None = None,
    ) -> None:
        self.answered.emit(AccountAnswer(what=what, ref=ref, is_ok=is_ok, text=text, problem=problem, check=check))


def _kept(keep: Callable[[Credentials], object], credentials: Credentials) -> Credentials:
    keep(credentials)
    return credentials
