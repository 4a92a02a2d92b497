"""The contract of an account: what can be read of it, how its credentials are asked for, and what it suggests to poll.

Everything here reads. Secrets are handed in as :class:`~monitor.domain.credentials.Credentials`; nothing looks them up.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from monitor.domain.account import (
    AccountSnapshot,
    FillList,
    FundingPaidList,
    OrderList,
)
from monitor.domain.account_history import AccountHistory
from monitor.domain.credentials import (
    AccountCheck,
    AccountRef,
    CredentialField,
    CredentialInputError,
    Credentials,
    Hidden,
    clean_name,
)
from monitor.exchanges.base import Fetched, PollJob
from monitor.transport.interface import Transport


class AccountClient(Protocol):
    """Reads of one account.

    Every ``fetch_`` blocks on the network and raises ``MonitorError`` and nothing else; ``CredentialsRefused`` means
    that asking again is of no use. Thread: any.
    """

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        ...

    def fetch_snapshot(self) -> Fetched[AccountSnapshot]:
        """Summary and every open position, all read now."""
        ...

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Every open order, all read now, newest first."""
        ...

    def fetch_attached_orders(self) -> Fetched[OrderList] | None:
        """Orders that would close positions, where the venue lists them apart; ``None``: they are among the open ones.

        Nothing is asked then. Positions should have been read before.
        """
        ...

    def fetch_order_history(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[OrderList]:
        """The newest ``limit`` past orders in [start, end], newest first."""
        ...

    def fetch_fills(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FillList]:
        """The newest ``limit`` executions in [start, end], newest first."""
        ...

    def poll_fills(self) -> Fetched[FillList]:
        """The newest executions, back to midnight UTC as soon as the budget allows; later calls ask for the news only.

        Thread: one at a time.
        """
        ...

    def fetch_funding(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int = 100
    ) -> Fetched[FundingPaidList]:
        """The newest ``limit`` funding payments in [start, end], newest first."""
        ...

    def fetch_portfolio(self) -> Fetched[AccountHistory] | None:
        """The venue's own reckoning of the last day and longer; ``None`` where it has none, and nothing was asked."""
        ...

    def check(self) -> AccountCheck:
        """Try the credentials and say in a sentence what is right or wrong. Blocks on the network; never raises."""
        ...

    def poll_jobs(self, sharers: int = 1) -> tuple[PollJob, ...]:
        """The default plan; ``sharers`` accounts of the venue share its budget, so each is asked that much less often.

        Pure: no I/O. A job's ``fetch`` may hand out parts it read at an earlier poll, with their age.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedAccount:
    """A sub-account that can be added. ``name``: its own at the venue; ``shown``: which it is, cut short.

    ``inputs`` is what a person would type, by field name.
    """

    name: str
    shown: str
    inputs: Mapping[str, str] = field(repr=False)


class AccountVenue(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a venue's accounts before there is one.

    ``fields`` are asked for in this order. ``make_values`` checks them and raises ``CredentialInputError``;
    ``make_client`` builds the client around the venue's transport and makes no request; stored values that cannot be
    right raise ``CredentialInputError``. ``advice`` is shown where credentials are typed.

    ``find_related`` asks for the sub-accounts of an account (blocks; raises ``MonitorError``); ``None``: none are told.
    """

    venue: str
    title: str
    fields: tuple[CredentialField, ...]
    advice: str
    make_values: Callable[[Mapping[str, str]], Mapping[str, Hidden]]
    make_client: Callable[[Transport, Credentials], AccountClient]
    find_related: Callable[[Transport, Credentials], tuple[RelatedAccount, ...]] | None = None

    def make_credentials(self, name: str, inputs: Mapping[str, str]) -> Credentials:
        """Credentials from what a person typed, by field name.

        Raises:
            CredentialInputError: the name or a field cannot be right; the text says why, without the input.
        """
        missing = [one.title for one in self.fields if one.name not in inputs]
        if missing:
            raise CredentialInputError(f"{missing[0]} is missing.")
        account = AccountRef(self.venue, clean_name(name))
        return Credentials(account=account, values=self.make_values(inputs))


def read_lines(venue: AccountVenue, lines: Sequence[str]) -> dict[str, str]:
    """Inputs by field name from one line a field; ``CredentialInputError`` when there are fewer or more."""
    given = [line.rstrip("\r\n") for line in lines]
    while given and not given[-1].strip():
        given.pop()
    if len(given) != len(venue.fields):
        titles = ", ".join(one.title for one in venue.fields)
        raise CredentialInputError(f"{len(venue.fields)} line(s) were expected ({titles}), {len(given)} came.")
    return {one.name: line for one, line in zip(venue.fields, given, strict=True)}


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted`` as the name of an account, or a plain word where it cannot be one; with a number if it is taken.

    ``taken`` are case-folded.
    """
    try:
        name = clean_name(wanted[:40])
    except CredentialInputError:
        name = "sub-account"
    known = set(taken)
    number = 2
    found = name
    while found.casefold() in known:
        found = f"{name} {number}"
        number += 1
    return found
