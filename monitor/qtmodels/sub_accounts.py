"""Sub-accounts of an account that is here already, asked of its venue beside the window, and added under names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from PySide6.QtCore import QObject, Signal

from monitor.controller import Controller
from monitor.domain.credentials import AccountRef
from monitor.exchanges.accounts import AccountVenue, RelatedAccount, free_name
from monitor.polling.results import TaskDone


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAccountOffer:
    """One sub-account: the name it would be added under, and as what it is here already (empty: it is not)."""

    account: RelatedAccount = field(repr=False)
    name: str
    known_as: str = ""


class SubAccountsFound(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a search. ``text`` is for people: why there is nothing to choose; empty otherwise."""

    ref: AccountRef
    offers: tuple[SubAccountOffer, ...] = ()
    text: str = ""


class SubAccountFinder(QObject):
    """Asks venues for sub-accounts.

    Signals:
        found(object): a ``SubAccountsFound``.

    Thread: GUI; nothing blocks.
    """

    found = Signal(object)

    def __init__(
        self,
        controller: Controller,
        load_venues: Callable[[], Mapping[str, AccountVenue]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._load_venues = load_venues
        self._asked: dict[int, AccountRef] = {}

    @property
    def is_asking(self) -> bool:
        """Whether a venue is being asked."""
        return bool(self._asked)

    def can_find(self, ref: AccountRef | None) -> bool:
        """Whether the venue of ``ref`` tells sub-accounts, and can be asked now."""
        if ref is None or self._controller.engine is None or ref.venue not in self._controller.runtimes:
            return False
        venue = self._load_venues().get(ref.venue)
        return venue is not None and venue.find_related is not None and self._controller.credentials_of(ref) is not None

    def find(self, ref: AccountRef) -> None:
        """Ask for the sub-accounts of ``ref``; ``found`` brings them. Nothing happens where that cannot be asked."""
        engine, credentials = self._controller.engine, self._controller.credentials_of(ref)
        find_related = self._load_venues()[ref.venue].find_related if self.can_find(ref) else None
        if engine is None or credentials is None or find_related is None:
            return
        transport = self._controller.runtimes[ref.venue].transport
        self._asked[engine.run_once(lambda: find_related(transport, credentials))] = ref

    def take(self, done: TaskDone) -> bool:
        """Take an answer out of the outbox; False: it is somebody else's."""
        ref = self._asked.pop(done.token, None)
        if ref is None:
            return False
        if done.failure is not None:
            self.found.emit(SubAccountsFound(ref=ref, text=done.failure.user_text))
        elif isinstance(done.value, tuple):
            offers = self._offers(ref, done.value)
            text = "" if offers else "The venue lists no sub-accounts of this account."
            self.found.emit(SubAccountsFound(ref=ref, offers=offers, text=text))
        return True

    def _offers(self, ref: AccountRef, accounts: Iterable[RelatedAccount]) -> tuple[SubAccountOffer, ...]:
        venue = self._load_venues()[ref.venue]
        taken = {one.name.casefold() for one in self._controller.board.accounts.states if one.venue == ref.venue}
        offers = []
        for account in accounts:
            name = free_name(account.name, taken)
            known_as = ""
            values = dict(venue.make_values(account.inputs))
            for one in self._controller.board.accounts.states:
                known = self._controller.credentials_of(one)
                if one.venue == ref.venue and known is not None and dict(known.values) == values:
                    known_as = one.name
            if not known_as:
                taken.add(name.casefold())
            offers.append(SubAccountOffer(account=account, name=name, known_as=known_as))
        return tuple(offers)
