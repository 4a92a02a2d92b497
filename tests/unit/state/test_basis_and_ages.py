"""The basis between venues with its age band, and sentences that explain an age."""

from decimal import Decimal

import pytest

from monitor.exchanges.base import Source
from monitor.state.ages import age_causes, explain_age, seconds_text
from monitor.state.basis import basis_of
from monitor.state.board import Board
from monitor.state.quotes import QuoteState, Stamp
from tests.fakes.poll_results import EPOCH, FakeClock, make_instrument, make_quotes, make_success

PEPE = make_instrument("1000PEPEUSDT", base="PEPE", multiplier=Decimal(1_000))
K_PEPE = make_instrument("kPEPE", venue="hyperliquid", base="PEPE", multiplier=Decimal(1_000))
PLAIN_PEPE = make_instrument("PEPE", venue="hyperliquid", base="PEPE")


def quotes(first: str, second: str, symbol: str, clock: FakeClock) -> tuple[QuoteState, QuoteState]:
    """The first venue's price is 2 s old, the second's 0.5 s, asked 0.1 s before."""
    board = Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now)
    bitunix = make_quotes({"1000PEPEUSDT": first})
    hyperliquid = make_quotes({symbol: second}, venue="hyperliquid", field="mid")
    board.apply([make_success(bitunix, clock, took_s=0.1)])
    clock.advance(1.5)
    board.apply([make_success(hyperliquid, clock, took_s=0.1, venue="hyperliquid", endpoint="h.mids")])
    clock.advance(0.5)
    one, other = board.quote(("bitunix", "1000PEPEUSDT")), board.quote(("hyperliquid", symbol))
    assert one is not None
    assert other is not None
    return one, other


def test_prices_are_compared_per_coin() -> None:
    clock = FakeClock()
    first, second = quotes("10.1", "0.01", "PEPE", clock)
    basis = basis_of((PEPE, first), (PLAIN_PEPE, second), clock())

    assert basis is not None
    assert (basis.first_price, basis.second_price) == (Decimal("0.0101"), Decimal("0.01"))
    assert basis.fraction == Decimal("0.01")
    assert basis.kinds == ("last", "mid")
    assert not basis.is_same_quote


def test_the_basis_is_as_old_as_its_older_leg() -> None:
    clock = FakeClock()
    first, second = quotes("10", "10", "kPEPE", clock)
    basis = basis_of((PEPE, first), (K_PEPE, second), clock())

    assert basis is not None
    assert basis.age == pytest.approx((2.0, 2.1))
    assert basis.max_skew_s == pytest.approx(1.6)
    assert basis.is_trustworthy
    clock.advance(5.0)
    late = basis_of((PEPE, first), (K_PEPE, second), clock())
    assert late is not None
    assert not late.is_trustworthy


def test_an_unknown_leg_makes_an_unknown_basis() -> None:
    clock = FakeClock()
    first, second = quotes("10", "10", "kPEPE", clock)
    nothing = QuoteState(venue="hyperliquid", venue_symbol="kPEPE")

    assert basis_of((PEPE, first), (K_PEPE, nothing), clock()) is None
    assert basis_of((PEPE, first), (make_instrument("BTC", venue="hyperliquid"), second), clock()) is None


def make_stamp(**changes: float) -> Stamp:
    return Stamp(requested_mono_s=100.0, received_mono_s=100.25, received_at=EPOCH, **changes)  # type: ignore[arg-type]  # durations


def test_the_causes_of_an_age_add_up_to_its_upper_end() -> None:
    stamp = make_stamp(cache_age_s=2.0, unseen_s=30.0)
    causes = age_causes(stamp, 105.0)

    assert causes.poll_gap_s + causes.network_s + causes.cache_s == pytest.approx(causes.age.high_s)
    assert causes.age == pytest.approx((34.75, 37.0))


def test_an_age_is_explained_largest_cause_first() -> None:
    stamp = make_stamp()

    assert explain_age(stamp, 101.17, cadence_s=1.0) == (
        "0.9 s to 1.2 s old: 0.9 s since the reply, up to 0.2 s between asking and the whole reply."
        " From the network. Asked every 1 s."
    )


def test_what_our_own_share_leaves_is_told_beside_what_is_asked() -> None:
    stamp = make_stamp()
    told = [explain_age(stamp, 101.17, cadence_s=5.0, spaced_s=spaced_s) for spaced_s in (None, 6.0, 17.2)]

    in_parts = explain_age(stamp, 101.17, is_in_parts=True)

    assert "its oldest part up to 0.2 s more (parts take turns)" in in_parts
    assert [text.rpartition("From the network. ")[2] for text in told] == [
        "Asked every 5 s.",
        "Asked every 5 s.",
        "To be asked every 5 s; our share of the rate limit, prices first, leaves about one every 17 s.",
    ]


def test_the_cache_and_sleep_are_told() -> None:
    stamp = make_stamp(cache_age_s=40.0)
    stamp.source, stamp.is_marked_stale = Source.STALE_CACHE, True
    text = explain_age(stamp, 100.3)

    assert "40 s in an expired cache entry, because the venue failed" in text
    assert text.endswith("The computer slept or changed network since.")


def test_no_price_is_said_in_words() -> None:
    assert explain_age(None, 100.0) == "No price has been received yet."


def test_an_age_is_never_negative() -> None:
    """The clock of a frame may have been read before the reply it shows."""
    age = make_stamp().age(99.0)

    assert age == (0.0, 0.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 ms"), (0.0604, "60 ms"), (0.94, "0.9 s"), (75.2, "75 s"), (720.0, "12 min"), (11_160.0, "3.1 h")],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text
