"""What is known of the user's accounts: each block of each account with its clocks, its verdict and its last error."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast

from msgspec.structs import replace

from monitor.domain.account import (
    AccountSnapshot,
    AccountSummary,
    FillList,
    FundingPaidList,
    OrderList,
    PositionList,
    RowProblem,
    distinct_fills,
)
from monitor.domain.account_history import (
    AccountHistory,
    AddressLimits,
    LeverageList,
    PastPositionList,
    PositionHistory,
)
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import NO_FAILURES, ErrorKind
from monitor.exchanges.base import Payload
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.feeds import FeedState
from monitor.state.quotes import AgeInterval, Stamp
from monitor.state.verdict import Verdict

_Part: TypeAlias = (
    AccountSummary
    | PositionList
    | OrderList
    | FillList
    | FundingPaidList
    | PastPositionList
    | LeverageList
    | AccountHistory
    | AddressLimits
)
T = TypeVar(
    "T",
    AccountSummary,
    PositionList,
    OrderList,
    FillList,
    FundingPaidList,
    PastPositionList,
    LeverageList,
    AccountHistory,
    AddressLimits,
)


R = TypeVar("R")

SPACING_REPLIES: Final = 6
"""The newest replies by which it is told how far apart they come."""


def _is_same(one: object, other: object) -> bool:
    return one == other if isinstance(one, datetime) else one is other


class Access(StrEnum):
    """Whether an account's credentials are at hand."""

    OPENING = "opening"  # the keyring is being asked, which may take minutes
    OPEN = "open"
    CLOSED = "closed"  # the keyring refused, or holds nothing usable


class AccountBlock(Generic[T]):
    """One kind of thing read of an account: its newest value, and the clocks and the feed that brought it.

    Written by :class:`AccountState` only. ``value`` is ``None`` before the first reply.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: T | None = None
        self.stamp: Stamp | None = None
        self.feed: FeedState | None = None
        self._asked_mono_s = float("-inf")
        self._received_mono_s: deque[float] = deque(maxlen=SPACING_REPLIES)
        self._is_held = False
        """The newest poll waits for our own share of the rate limit, or did until its reply came."""

    @property
    def problems(self) -> tuple[RowProblem, ...]:
        """What of the newest reply could not be read."""
        return () if self.value is None else self.value.problems

    @property
    def is_complete(self) -> bool:
        """False: a part of the account was not asked yet or could not be read, so there may be more than is held."""
        match self.value:
            case PositionList() as held:
                return held.is_complete
            case OrderList() as placed:
                # A list of the past is never whole, which nobody expects.
                return placed.is_complete or not placed.is_open
        return True

    @property
    def is_in_parts(self) -> bool:
        """Whether a part of the newest value was asked for before the rest."""
        return self.stamp is not None and self.stamp.requested_mono_s < self._asked_mono_s

    def age(self, now_mono_s: float) -> AgeInterval | None:
        """As for prices: at least the time since the reply, at most since its oldest part was asked for."""
        return None if self.stamp is None else self.stamp.age(now_mono_s)

    def verdict(self, now_mono_s: float) -> Verdict:
        """As for prices; an account that stands still is quiet, never frozen: that is what accounts do."""
        return Verdict.UNKNOWN if self.feed is None else self.feed.verdict(now_mono_s)

    def take(self, value: T, result: PollSuccess) -> None:
        """Take in a reply, unless a newer question was answered already."""
        if result.requested_mono_s < self._asked_mono_s:
            return
        self._asked_mono_s = result.requested_mono_s
        oldest_mono_s = getattr(value, "oldest_part_mono_s", None)
        requested_mono_s = result.requested_mono_s if oldest_mono_s is None else min(oldest_mono_s, self._asked_mono_s)
        if self.feed is None or self.feed.key != result.key:
            self.feed = FeedState(
                venue=result.venue, key=result.key, endpoint=result.endpoint, cadence_s=result.cadence_s
            )
        self.feed.cadence_s = result.cadence_s
        self.feed.note_reply(
            requested_mono_s=requested_mono_s,
            received_mono_s=result.received_mono_s,
            is_changed=value != self.value,
            # Few things in a reply: standing still is no evidence that it is frozen.
            instruments=1,
            cache_age_s=result.cache_age_s,
            source=result.source,
        )
        self.stamp = Stamp(
            requested_mono_s=requested_mono_s,
            received_mono_s=result.received_mono_s,
            received_at=result.received_at,
            cache_age_s=result.cache_age_s,
            source=result.source,
        )
        self.value = value
        self._received_mono_s.append(result.received_mono_s)
        self._note_spacing(self.feed)
        self._is_held, self.feed.grace_s = False, 0.0

    def note_failure(self, result: PollFailure) -> None:
        """The newest poll brought nothing, or was not sent.

        One that waits for our own share of the rate limit is no missing reply before that share was renewed once, which
        takes a window: judged by its cadence alone it would be late and live in turns.
        """
        self._is_held = result.failure.kind is ErrorKind.BUDGET and result.failure.pause is None
        if self.feed is not None:
            self.feed.grace_s = result.budget.window_s if self._is_held else 0.0
            self._note_spacing(self.feed)

    def _note_spacing(self, feed: FeedState) -> None:
        times = self._received_mono_s
        is_known = self._is_held and len(times) > 1
        feed.spaced_s = (times[-1] - times[0]) / (len(times) - 1) if is_known else None

    def mark_stale(self, slept_s: float) -> None:
        """The machine slept or changed network since the newest reply."""
        for clocks in (self.stamp, self.feed):
            if clocks is not None:
                clocks.is_marked_stale = True
                clocks.unseen_s += slept_s


class AccountState:
    """One account. Written by :class:`AccountBook`, read by widgets. Thread: the board's."""

    def __init__(self, ref: AccountRef) -> None:
        self.ref = ref
        self.access = Access.OPENING
        self.access_text = ""
        """Why it is closed, for people; empty otherwise."""
        self.summary: AccountBlock[AccountSummary] = AccountBlock("balances")
        self.positions: AccountBlock[PositionList] = AccountBlock("positions")
        self.orders: AccountBlock[OrderList] = AccountBlock("orders")
        self.attached: AccountBlock[OrderList] = AccountBlock("take profit and stop loss")
        """What would close positions, where the venue lists it apart from its other open orders."""
        self.fills: AccountBlock[FillList] = AccountBlock("fills")
        self.funding: AccountBlock[FundingPaidList] = AccountBlock("funding")
        self.past_positions: AccountBlock[PastPositionList] = AccountBlock("closed positions")
        """Those of the venue's own list; see :func:`monitor.state.account_rounds.closed_positions`."""
        self.past_orders: AccountBlock[OrderList] = AccountBlock("past orders")
        self.leverage: AccountBlock[LeverageList] = AccountBlock("leverage")
        self.history: AccountBlock[AccountHistory] = AccountBlock("history")
        self.limits: AccountBlock[AddressLimits] = AccountBlock("address limits")
        self._failures: dict[str, PollFailure] = {}
        self._failed: set[str] = set()
        """Of the keys that fail, those where it was more than a wait for our own share of the limit."""
        self._reckoned: dict[str, tuple[tuple[object, ...], object]] = {}

    def reckon(self, name: str, parts: tuple[object, ...], make: Callable[[], R]) -> R:
        """What ``make`` gives, and gave before while every one of ``parts`` is the very same: long lists are dear.

        Of stamps, an equal one.
        """
        held = self._reckoned.get(name)
        if held is not None and all(map(_is_same, parts, held[0])):
            return cast("R", held[1])
        made = make()
        self._reckoned[name] = (parts, made)
        return made

    @property
    def blocks(self) -> tuple[AccountBlock[_Part], ...]:  # type: ignore[type-var]  # any of them, to look at
        """Every block."""
        return (  # type: ignore[return-value]  # as above
            self.summary,
            self.positions,
            self.orders,
            self.attached,
            self.fills,
            self.funding,
            self.past_positions,
            self.past_orders,
            self.leverage,
            self.history,
            self.limits,
        )

    @property
    def is_refused(self) -> bool:
        """The venue does not accept the credentials: nothing will come until the user has done something."""
        return any(one.failure.kind is ErrorKind.CREDENTIALS for one in self._failures.values())

    def failure_of(self, block: "AccountBlock[T]") -> PollFailure | None:
        """The newest failure of what brings ``block``; of a block that never came, of anything of this account.

        Waiting for our own share of the rate limit counts as one; ``None`` when the newest poll succeeded.
        """
        if block.feed is not None:
            return self._failures.get(block.feed.key)
        return max(self._failures.values(), key=lambda one: one.failed_mono_s, default=None)

    def take(self, result: PollSuccess) -> int:
        """Take in a reply; returns how many failures in a row that ended (0: none, or only waits)."""
        parts = self._parts_of(result.payload)
        if not parts:
            return 0
        for part in parts:
            self._block_for(part).take(part, result)
        ended = self._failures.pop(result.key, None)
        is_told = result.key in self._failed
        self._failed.discard(result.key)
        return ended.streak if ended is not None and is_told else 0

    @staticmethod
    def _parts_of(payload: Payload) -> tuple[Any, ...]:
        match payload:
            case AccountSnapshot():
                return (payload.summary, payload.positions)
            case PositionHistory():
                return (payload.positions, payload.funding)
            case FillList():
                return (replace(payload, fills=distinct_fills(payload.fills)),)
        return (payload,) if isinstance(payload, _Part) else ()

    def _block_for(self, part: _Part) -> AccountBlock[Any]:
        if isinstance(part, OrderList):
            return self.attached if part.is_attached else self.orders if part.is_open else self.past_orders
        blocks: dict[type, AccountBlock[Any]] = {
            AccountSummary: self.summary,
            PositionList: self.positions,
            FillList: self.fills,
            FundingPaidList: self.funding,
            PastPositionList: self.past_positions,
            LeverageList: self.leverage,
            AccountHistory: self.history,
            AddressLimits: self.limits,
        }
        return blocks[type(part)]

    def fail(self, result: PollFailure) -> None:
        """Take in a failure; what was read before stays, with its age."""
        self._failures[result.key] = result
        for block in self.blocks:
            if block.feed is not None and block.feed.key == result.key:
                block.note_failure(result)
        if result.failure.kind not in NO_FAILURES:
            self._failed.add(result.key)

    def mark_stale(self, slept_s: float) -> None:
        """The machine slept or changed network: everything is of before."""
        for block in self.blocks:
            block.mark_stale(slept_s)


class AccountBook:
    """Every account the user has, in the user's order. Thread: the board's.

    Results of an account that is not in it are ignored: it was deleted while its last request was on the way.
    """

    def __init__(self) -> None:
        self.revision = 0
        """Grows with every change."""
        self._states: dict[AccountRef, AccountState] = {}
        self._since_mono_s: dict[AccountRef, float] = {}

    @property
    def states(self) -> Mapping[AccountRef, AccountState]:
        """A live view, in the user's order."""
        return MappingProxyType(self._states)

    def __iter__(self) -> Iterator[AccountState]:
        return iter(self._states.values())

    def __len__(self) -> int:
        return len(self._states)

    def of_venue(self, venue: str) -> tuple[AccountState, ...]:
        """The accounts of one venue."""
        return tuple(state for state in self._states.values() if state.ref.venue == venue)

    def set_refs(self, refs: Sequence[AccountRef]) -> None:
        """Hold exactly these accounts; what is known of those that stay is kept."""
        self._states = {ref: self._states.get(ref) or AccountState(ref) for ref in refs}
        self._since_mono_s = {ref: since for ref, since in self._since_mono_s.items() if ref in self._states}
        self.revision += 1

    def renew(self, ref: AccountRef, now_mono_s: float) -> None:
        """Other credentials stand behind the name from now on: nothing asked before may be shown under it."""
        if ref in self._states:
            self._states[ref] = AccountState(ref)
            self._since_mono_s[ref] = now_mono_s
            self.revision += 1

    def set_access(self, ref: AccountRef, access: Access, text: str = "") -> None:
        """Say whether the credentials of an account are at hand, and why not."""
        state = self._states.get(ref)
        if state is not None and (state.access, state.access_text) != (access, text):
            state.access, state.access_text = access, text
            self.revision += 1

    def apply(self, result: PollSuccess) -> int:
        """Take in a reply; returns how many failures in a row it ended."""
        state = self._state_of(result.account, result.requested_mono_s)
        if state is None:
            return 0
        self.revision += 1
        return state.take(result)

    def fail(self, result: PollFailure) -> bool:
        """Take in a failure; False when it is of no account held."""
        state = self._state_of(result.account, result.failed_mono_s)
        if state is None:
            return False
        self.revision += 1
        state.fail(result)
        return True

    def mark_stale(self, slept_s: float) -> None:
        """The machine slept or changed network: everything is of before."""
        for state in self._states.values():
            state.mark_stale(slept_s)
        self.revision += 1

    def _state_of(self, ref: AccountRef | None, mono_s: float) -> AccountState | None:
        if ref is None or mono_s < self._since_mono_s.get(ref, float("-inf")):
            return None
        return self._states.get(ref)


def account_label(ref: AccountRef, refs: Iterable[AccountRef], venue_title: Callable[[str], str]) -> str:
    """The name of an account, with its venue where another one of ``refs`` has the same name there."""
    is_shared = any(other.name == ref.name and other.venue != ref.venue for other in refs)
    return f"{ref.name} · {venue_title(ref.venue)}" if is_shared else ref.name
