"""Blocks of an account on the board: their ages, what replaces them, and failures that stay the account's own."""

from decimal import Decimal
from functools import partial

import pytest
from msgspec.structs import replace

from monitor.domain.account import PositionList
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind, PauseCause
from monitor.state.account_figures import Sum
from monitor.state.account_tables import position_rows, position_totals
from monitor.state.accounts import Access
from monitor.state.spikes import SpikeCause
from monitor.state.verdict import Verdict
from tests.fakes.account_samples import MAIN, VAULT
from tests.fakes.poll_results import make_budget, make_trace
from tests.fakes.sample_markets import FIRST
from tests.unit.state.conftest import Sample, name_of

D = Decimal


def test_a_snapshot_fills_two_blocks_and_its_age_reaches_back_to_the_oldest_part(sample: Sample) -> None:
    board, clock, _, _ = sample
    clock.now_s += 2.0
    vault = board.accounts.states[VAULT]

    assert vault.summary.value is not None
    assert vault.positions.value is not None
    age = vault.positions.age(clock.now_s)
    assert age is not None
    assert (age.low_s, age.high_s) == (2.0, 9.0)
    assert vault.positions.verdict(clock.now_s) is Verdict.LIVE


def test_a_block_grows_late_after_three_cadences_and_one_that_never_came_is_unknown(sample: Sample) -> None:
    board, clock, _, _ = sample
    main = board.accounts.states[MAIN]
    clock.now_s += 14.9
    assert main.positions.verdict(clock.now_s) is Verdict.LIVE
    clock.now_s += 0.2

    assert main.positions.verdict(clock.now_s) is Verdict.LATE
    assert main.fills.verdict(clock.now_s) is Verdict.LIVE
    assert main.funding.verdict(clock.now_s) is Verdict.UNKNOWN
    assert main.funding.age(clock.now_s) is None


def test_an_account_that_never_changes_is_quiet_and_never_frozen(sample: Sample) -> None:
    board, clock, _, accounts = sample
    for _ in range(200):
        clock.now_s += 5.0
        accounts.deliver(MAIN, "account", accounts.summary_of_main())

    assert board.accounts.states[MAIN].summary.verdict(clock.now_s) is Verdict.QUIET


def test_an_answer_to_an_older_question_does_not_replace_a_newer_one(sample: Sample) -> None:
    board, clock, _, accounts = sample
    late = accounts.success(MAIN, "account", accounts.summary_of_main(equity=D(1)), took_s=3.0)
    clock.now_s += 0.01
    accounts.deliver(MAIN, "account", accounts.summary_of_main(equity=D(2)))
    board.apply([late])

    summary = board.accounts.states[MAIN].summary.value
    assert summary is not None
    assert summary.equity == 2


def test_results_of_a_deleted_account_and_of_replaced_credentials_are_not_shown(sample: Sample) -> None:
    board, clock, _, accounts = sample
    on_the_way = accounts.success(MAIN, "account", accounts.summary_of_main(), took_s=1.0)
    board.accounts.renew(MAIN, clock.now_s)
    board.apply([on_the_way])
    assert board.accounts.states[MAIN].summary.value is None

    board.accounts.set_refs((VAULT,))
    clock.now_s += 1
    accounts.deliver(MAIN, "account", accounts.summary_of_main())
    assert MAIN not in board.accounts.states
    vault = board.accounts.states[VAULT].summary.value
    assert vault is not None, "what is known of an account that stays is kept"


def test_a_failing_account_does_not_touch_its_venue(sample: Sample) -> None:
    board, clock, feed, accounts = sample
    venue = board.venue(FIRST)
    for streak in range(1, 4):
        for what in ("account", "positions", "orders"):
            accounts.fail(MAIN, what, streak=streak)
        feed.run(1)

    assert venue.verdict(clock.now_s) is Verdict.LIVE
    assert venue.failing_endpoints == ()
    assert venue.failure_streak == 0
    assert venue.last_failure is None
    assert board.accounts.states[MAIN].is_refused
    assert not board.accounts.states[VAULT].is_refused
    told = [entry for entry in board.events.items if "account main" in entry.text]
    assert [(entry.level, entry.count) for entry in told] == [("error", 3)], "one line for all its endpoints"
    assert board.accounts.states[MAIN].positions.value is not None, "what was read stays, with its age"


def test_one_accounts_success_does_not_end_the_others_streak(sample: Sample) -> None:
    board, _, _, accounts = sample
    other = AccountRef(FIRST, "other")
    board.accounts.set_refs((MAIN, VAULT, other))
    accounts.fail(MAIN, "account")
    accounts.deliver(other, "account", accounts.summary_of_main())
    assert board.accounts.states[MAIN].failure_of(board.accounts.states[MAIN].summary) is not None
    assert not any("answers again" in entry.text for entry in board.events.items)

    accounts.deliver(MAIN, "account", accounts.summary_of_main())

    assert board.accounts.states[MAIN].failure_of(board.accounts.states[MAIN].summary) is None
    assert any("account main: bitunix.account answers again" in entry.text for entry in board.events.items)


def test_an_account_that_lets_prices_go_first_looks_well(sample: Sample) -> None:
    board, clock, _, accounts = sample
    board.accounts.set_refs((MAIN, VAULT))
    for _ in range(19):
        for what in ("account", "positions"):
            accounts.fail(MAIN, what, kind=ErrorKind.BUDGET, text="waiting for the request budget", missed=1)
        accounts.deliver(MAIN, "account", accounts.summary_of_main())
        clock.now_s += 60.0

    told = [entry.text for entry in board.events.items]
    assert not [text for text in told if "account" in text or "positions" in text]


def test_what_our_own_share_spaces_out_is_late_after_a_window_of_it_and_does_not_flicker(sample: Sample) -> None:
    board, clock, _, accounts = sample
    minute = make_budget(FIRST, window_s=60.0)
    block = board.accounts.states[MAIN].summary
    held = partial(accounts.fail, MAIN, kind=ErrorKind.BUDGET, text="waiting for our own share", budget=minute)

    def let_pass(seconds: int) -> set[Verdict]:
        """The verdicts of each second after a reply; from the seventh on the next poll waits for our share."""
        accounts.deliver(MAIN, "account", accounts.summary_of_main())
        seen = set()
        for second in range(seconds):
            clock.now_s += 1.0
            if second == 7:
                held()
            seen.add(block.verdict(clock.now_s))
        return seen

    seen = [let_pass(gap_s) for gap_s in (18, 24, 9, 17, 22, 60)]
    assert seen == [{Verdict.LIVE}] * 6, "asked every 5 s, but our share leaves fewer"
    assert block.feed is not None
    assert block.feed.spaced_s == pytest.approx(18.0, abs=1.0)

    assert let_pass(80) == {Verdict.LIVE, Verdict.LATE}, "a whole window and three cadences are more than our share"
    assert let_pass(9) == {Verdict.LIVE}


def test_only_our_own_share_makes_an_account_wait_unblamed(sample: Sample) -> None:
    board, clock, _, accounts = sample
    block = board.accounts.states[MAIN].summary
    minute = make_budget(FIRST, window_s=60.0)
    accounts.deliver(MAIN, "account", accounts.summary_of_main())
    accounts.fail(MAIN, kind=ErrorKind.BUDGET, text="waiting for our own share", budget=minute)
    clock.now_s += 16.0
    waiting = block.verdict(clock.now_s)
    outage_text, cause = "Bitunix is unavailable (HTTP 503)", PauseCause.UNAVAILABLE
    accounts.fail(MAIN, kind=ErrorKind.BUDGET, text=outage_text, pause=cause, budget=minute)
    outage = block.verdict(clock.now_s)
    accounts.fail(MAIN, kind=ErrorKind.TIMEOUT, text="no answer")

    assert (waiting, outage, block.verdict(clock.now_s)) == (Verdict.LIVE, Verdict.LATE, Verdict.LATE)


def test_a_change_of_focus_does_not_cost_an_account_its_reply(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    result = accounts.success(MAIN, "account", accounts.summary_of_main(equity=D(5)))
    board.accept_epoch(7)
    board.apply([result])

    summary = board.accounts.states[MAIN].summary.value
    assert summary is not None
    assert summary.equity == 5


def test_sleep_makes_every_block_late(sample: Sample) -> None:
    board, clock, _, _ = sample
    board.mark_stale(slept_s=100.0)
    block = board.accounts.states[VAULT].positions

    assert block.verdict(clock.now_s) is Verdict.LATE
    age = block.age(clock.now_s)
    assert age is not None
    assert age.low_s == 100.0


def test_a_problem_of_the_keyring_is_the_accounts_own(sample: Sample) -> None:
    board, _, _, _ = sample
    before = board.accounts.revision
    board.accounts.set_access(MAIN, Access.CLOSED, "The keyring is locked.")
    board.accounts.set_access(MAIN, Access.CLOSED, "The keyring is locked.")

    assert board.accounts.states[MAIN].access_text == "The keyring is locked."
    assert board.accounts.revision == before + 1


def test_waiting_for_our_own_budget_is_no_event(sample: Sample) -> None:
    board, _, _, accounts = sample
    before = len(board.events)
    accounts.fail(MAIN, "orders", kind=ErrorKind.BUDGET, text="waiting for the request budget")

    assert len(board.events) == before
    assert not board.accounts.states[MAIN].is_refused


def test_an_empty_list_is_known_to_be_empty(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=()))

    rows = position_rows(board.accounts.of_venue(FIRST), board, name_of, clock.now_s, clock.utc_now())
    assert rows == []
    found = position_totals(rows, FIRST)
    assert [found.sum_of(name) for name in found.sums] == [Sum(value=D(0), known=0, count=0)] * 4
    unread = replace(found, unread=1).sum_of("value")
    assert unread is not None
    assert unread.value is None, "no position of it was heard of, which is not the same as holding none"


def test_an_account_that_lets_prices_go_first_is_no_outlier_for_its_wait(sample: Sample) -> None:
    board, clock, _, accounts = sample
    known = len(board.spikes.items)

    def read(number: int, **changes: object) -> None:
        clock.now_s += 5
        trace = make_trace(90_000 + number, endpoint="bitunix.positions", **changes)
        success = accounts.success(MAIN, "positions", PositionList(account=MAIN, positions=()))
        board.apply([replace(success, traces=(trace,))])

    for number in range(20):
        read(number, queue_s=0.01)
    read(20, queue_s=6.0)
    assert len(board.spikes.items) == known
    read(21, queue_s=6.0, wait_s=0.9, total_s=0.91)

    (slow,) = list(board.spikes.items)[known:]
    assert slow.spike.cause is SpikeCause.VENUE, "how long it took still counts"
