from typing import ClassVar

from monitor.domain.errors import BudgetExhausted
from monitor.domain.telemetry import BudgetState
from monitor.polling.line import NEXT_LOOK_S, SPARE_PATIENCE_S, BudgetLine
from monitor.transport.budget import BudgetRule, WeightBudget
from tests.fakes.fake_clock import FakeClock
from tests.fakes.silent_transport import SilentTransport


class BudgetedTransport(SilentTransport):
    """Its budget is the real one."""

    def __init__(self, clock: FakeClock, *, cap: int, window_s: float = 10.0) -> None:
        rule = BudgetRule(venue="bitunix", limit=cap * 2, window_s=window_s, cap_fraction=0.5)
        self.budget = WeightBudget(rule, clock)
        super().__init__(hold=self.budget.available_in_s)

    def budget_state(self) -> BudgetState:
        return self.budget.state()


def test_without_shortage_nobody_waits() -> None:
    line = BudgetLine(SilentTransport())

    assert [line.hold_s(who, 1) for who in ("a", "b", "a")] == [0.0, 0.0, 0.0]


def test_the_one_who_came_first_goes_first() -> None:
    transport = SilentTransport(hold=lambda _weight: 5.0)
    line = BudgetLine(transport)
    assert line.hold_s("a", 1) == 5.0
    assert line.hold_s("b", 1) == 5.0
    transport.hold = lambda _weight: 0.0

    assert line.hold_s("b", 1) == NEXT_LOOK_S
    assert line.hold_s("c", 1) == NEXT_LOOK_S
    assert line.hold_s("a", 1) == 0.0
    assert line.hold_s("c", 1) == NEXT_LOOK_S
    assert line.hold_s("b", 1) == 0.0
    assert line.hold_s("c", 1) == 0.0


def test_who_leaves_does_not_stop_those_behind() -> None:
    transport = SilentTransport(hold=lambda _weight: 5.0)
    line = BudgetLine(transport)
    line.hold_s("a", 1)
    line.hold_s("b", 1)
    transport.hold = lambda _weight: 0.0
    line.leave("a")
    line.leave("nobody")

    assert line.hold_s("b", 1) == 0.0


def test_a_job_above_the_whole_cap_waits_beside_the_line() -> None:
    clock = FakeClock()
    transport = BudgetedTransport(clock, cap=3)
    line = BudgetLine(transport)

    assert line.hold_s("giant", 4) > 0.0
    assert line.hold_s("a", 1) == 0.0


def test_a_heavy_job_is_not_starved_by_light_ones_and_the_cap_holds() -> None:
    """Light jobs that want more than the whole cap beside one that needs nine tenths of it."""
    clock = FakeClock()
    transport = BudgetedTransport(clock, cap=10)
    line = BudgetLine(transport)
    made = {"heavy": 0, "light 1": 0, "light 2": 0}
    for _ in range(6_000):
        for who in made:
            weight = 9 if who == "heavy" else 1
            if line.hold_s(who, weight) <= 0.0:
                try:
                    transport.budget.reserve(who, weight)
                except BudgetExhausted:
                    continue
                made[who] += 1
        assert transport.budget.state().used <= 10
        clock.advance(0.05)

    assert made["heavy"] >= 10
    assert min(made.values()) >= 10


def test_a_patient_burst_leaves_the_market_polls_their_next_window() -> None:
    """Accounts begin with many heavy polls; prices that need 60 % of the cap never wait for it."""
    clock = FakeClock()
    transport = BudgetedTransport(clock, cap=40)
    line = BudgetLine(transport)
    line.set_market_rate(2.4)
    accounts = [f"account {number}" for number in range(20)]
    latest_s, made_patient, next_market_s = 0.0, 0, clock()
    for _ in range(2_000):
        for who in accounts:
            if line.hold_s(who, 4, is_patient=True) <= 0.0:
                transport.budget.reserve(who, 4)
                line.done(who)
                made_patient += 1
        if clock() >= next_market_s and line.hold_s("prices", 1) <= 0.0:
            transport.budget.reserve("prices", 1)
            latest_s = max(latest_s, clock() - next_market_s)
            next_market_s += 1 / 2.4
        clock.advance(0.05)

    assert latest_s < 1 / 2.4, "never later than its own next poll"
    assert made_patient > 20, "what the market does not need is used"


class FullPlan:
    """The default plan of a venue and an address, which together are as large as the cap, for seven minutes.

    ``made``: when each poll of the account was made. ``latest_s``: how late prices were at worst. ``spared``: requests
    of somebody who asks beside the plan whenever it is let.
    """

    # Weight, cadence, what the first one weighs in all, what later ones do.
    JOBS: ClassVar[dict[str, tuple[int, float, tuple[int, int]]]] = {
        "state": (2, 5.0, (108, 3)),
        "orders": (20, 20.0, (40, 20)),
        "fills": (20, 60.0, (60, 21)),
        "funding": (20, 600.0, (30, 21)),
        "past orders": (20, 900.0, (60, 60)),
        "limits": (20, 900.0, (20, 20)),
    }

    def __init__(self, *, is_shared: bool = False) -> None:
        clock = FakeClock()
        transport = BudgetedTransport(clock, cap=360, window_s=60.0)
        line = BudgetLine(transport)
        line.set_market_rate(4.0)
        line.set_account_rate(sum(weights[1] / cadence_s for _, cadence_s, weights in self.JOBS.values()))
        due_s = dict.fromkeys(self.JOBS, clock())
        self.made: dict[str, list[float]] = {who: [] for who in self.JOBS}
        self.latest_s, self.spared = 0.0, 0
        began_s, next_market_s, spare_since_s = clock(), clock(), clock()
        while clock() < began_s + 420.0:
            if is_shared and line.spare_hold_s(2, waited_s=clock() - spare_since_s) <= 0.0:
                transport.budget.reserve("beside", 2)
                self.spared += 1
                spare_since_s = clock()
            for who, (weight, cadence_s, weights) in self.JOBS.items():
                if clock() < due_s[who]:
                    continue
                is_first = not self.made[who]
                expected = weights[0 if is_first else 1]
                hold_s = line.hold_s(
                    who,
                    weight,
                    is_patient=True,
                    is_first=is_first,
                    expected=expected,
                    deadline_s=due_s[who] + min(cadence_s, 180.0),
                )
                if hold_s <= 0.0:
                    transport.budget.reserve(who, weight)
                    transport.budget.charge(who, expected - weight)
                    line.done(who)
                    self.made[who].append(clock() - began_s)
                    due_s[who] = clock() + cadence_s
            if clock() >= next_market_s and line.hold_s("prices", 1) <= 0.0:
                transport.budget.reserve("prices", 1)
                self.latest_s = max(self.latest_s, clock() - next_market_s)
                next_market_s += 0.25
            clock.advance(0.25)


def test_what_an_account_asks_seldom_is_not_starved_by_what_it_asks_often() -> None:
    plan = FullPlan()

    assert all(plan.made.values()), "each came at all"
    firsts = {who: times[0] for who, times in plan.made.items()}
    assert list(firsts) == sorted(firsts, key=lambda who: firsts[who]), "positions before the lists, in their order"
    assert max(firsts.values()) < 300.0
    assert len(plan.made["state"]) > 50
    assert len(plan.made["orders"]) >= 6
    assert plan.latest_s < 1.0, "prices wait for none of it"


def test_who_asks_beside_a_full_plan_slows_down_and_the_plan_does_not() -> None:
    alone, shared = FullPlan(), FullPlan(is_shared=True)

    assert shared.latest_s < 1.0, "prices wait for none of it"
    assert all(len(shared.made[who]) >= 0.6 * len(times) for who, times in alone.made.items())
    assert all(shared.made[who][0] <= times[0] + 60.0 for who, times in alone.made.items())
    assert 30 < shared.spared < 60, "not starved either"


def test_who_asks_beside_the_plan_leaves_accounts_out_only_after_a_while() -> None:
    transport = SilentTransport(hold=lambda _weight: 5.0)
    line = BudgetLine(transport)
    line.hold_s("account", 1, is_patient=True)
    transport.hold = lambda _weight: 0.0

    assert line.spare_hold_s(1, waited_s=0.0) > 0.0, "an account waits"
    assert line.spare_hold_s(1, waited_s=SPARE_PATIENCE_S) == 0.0
    assert line.hold_s("account", 1, is_patient=True) == 0.0
    assert line.spare_hold_s(1, waited_s=SPARE_PATIENCE_S) > 0.0, "what it costs is not known yet"
    line.done("account")
    assert line.spare_hold_s(1, waited_s=0.0) == 0.0
    transport.hold = lambda _weight: 5.0
    line.hold_s("prices", 1)
    transport.hold = lambda _weight: 0.0
    assert line.spare_hold_s(1, waited_s=100.0) > 0.0, "prices never wait for it"


def test_who_is_patient_waits_behind_whoever_stands_in_line() -> None:
    transport = SilentTransport(hold=lambda _weight: 5.0)
    line = BudgetLine(transport)
    line.hold_s("prices", 1)
    transport.hold = lambda _weight: 0.0

    assert line.hold_s("account", 1, is_patient=True) > 0.0
    assert line.hold_s("prices", 1) == 0.0
    assert line.hold_s("account", 1, is_patient=True) == 0.0
    assert line.hold_s("other account", 1, is_patient=True) > 0.0, "one at a time: what it costs is not known yet"
    assert line.hold_s("prices", 1) == 0.0
    line.done("account")
    assert line.hold_s("other account", 1, is_patient=True) == 0.0
