"""Faults, limits, options and number texts of the demo exchange."""

from __future__ import annotations

import json

import pytest

from monitor.simulator.damage import damage
from monitor.simulator.faults import Fault, FaultBook, FaultError, FaultKind, parse_fault, parse_faults
from monitor.simulator.limits import WeightWindow
from monitor.simulator.options import make_parser, parse_options
from monitor.simulator.replies import Reply
from monitor.simulator.texts import objects, plain, trimmed

_LATENCY = frozenset({FaultKind.LATENCY})


def test_fault_times_count_from_the_moment_it_is_given() -> None:
    fault = parse_fault({"kind": "latency", "start_s": 5, "duration_s": 2, "seconds": 3}, now_s=100.0)
    assert (fault.start_s, fault.end_s, fault.seconds) == (105.0, 107.0, 3.0)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ([], "JSON object"),
        ({}, "kind must be one of"),
        ({"kind": "latency", "secs": 1}, "unknown field 'secs'"),
        ({"kind": "latency", "seconds": "1"}, "seconds must be a number"),
        ({"kind": "latency", "seconds": float("nan")}, "seconds must be a number"),
        ({"kind": "latency", "probability": 2}, "probability must be between"),
        ({"kind": "latency", "count": 1.5}, "count must be a whole number"),
        ({"kind": "latency", "count": True}, "count must be a whole number"),
        ({"kind": "latency", "start_s": -1}, "start_s must not be negative"),
        ({"kind": "latency", "end_s": 1, "duration_s": 1}, "not both"),
        ({"kind": "reset", "fraction": 1.1}, "fraction must be between"),
        ({"kind": "renamed_field"}, "needs field"),
        ({"kind": "raw_value"}, "needs field"),
        ({"kind": "rate_limit", "edge": 0}, "edge must be true or false"),
        ({"kind": "vanished_instrument"}, "needs instrument"),
        ({"kind": "latency", "venue": 5}, "venue must be a text"),
        ({"kind": "close_after_reply", "announced": 1}, "announced must be true or false"),
    ],
)
def test_wrong_fault_is_explained(raw: object, words: str) -> None:
    with pytest.raises(FaultError, match=words):
        parse_fault(raw)


@pytest.mark.parametrize("text", ["{", "5", '"x"', '{"faults": 5}', "{}"])
def test_wrong_fault_file_is_explained(text: str) -> None:
    with pytest.raises(FaultError):
        parse_faults(text)


def test_fault_file_may_be_a_list_or_an_object() -> None:
    one = '[{"kind": "latency"}]'
    assert parse_faults(one) == parse_faults('{"faults": ' + one + "}") == [Fault(kind=FaultKind.LATENCY)]


def test_book_matches_venue_endpoint_and_time() -> None:
    book = FaultBook()
    book.add(Fault(kind=FaultKind.LATENCY, venue="bitunix", endpoint="tickers", start_s=10, end_s=20))

    assert book.match(_LATENCY, "bitunix", "tickers", 10.0)
    assert not book.match(_LATENCY, "bitunix", "tickers", 9.99)
    assert not book.match(_LATENCY, "bitunix", "tickers", 20.0)
    assert not book.match(_LATENCY, "bitunix", "depth", 15.0)
    assert not book.match(_LATENCY, "bitunix", None, 15.0), "a connection has no endpoint yet"
    assert not book.match(_LATENCY, "hyperliquid", "tickers", 15.0)
    assert not book.match(frozenset({FaultKind.RESET}), "bitunix", "tickers", 15.0)


def test_newest_fault_of_a_kind_wins_and_counts_run_out() -> None:
    book = FaultBook()
    book.add(Fault(kind=FaultKind.LATENCY, seconds=1))
    number = book.add(Fault(kind=FaultKind.LATENCY, seconds=2, count=1))

    assert [book.match(_LATENCY, "x", None, 0.0)[FaultKind.LATENCY].seconds for _ in range(2)] == [2, 1]
    assert book.remove(number) == 1
    assert book.remove(number) == 0
    assert [fired for _, _, fired in book.items()] == [2]


def test_probability_follows_the_seed() -> None:
    def hits(seed: int) -> list[bool]:
        book = FaultBook(seed)
        book.add(Fault(kind=FaultKind.LATENCY, probability=0.3))
        return [bool(book.match(_LATENCY, "x", None, 0.0)) for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


def _damaged(body: object, **fault: object) -> bytes:
    made = parse_fault(fault)
    return damage(Reply(200, json.dumps(body).encode()), {made.kind: made}).body


def test_body_faults_do_what_they_say() -> None:
    rows = [{"symbol": "A", "status": "OPEN", "n": 1}, {"symbol": "B", "status": "OPEN", "n": 2}]

    assert json.loads(_damaged(rows, kind="renamed_field", field="n", to="m"))[0] == {
        "symbol": "A",
        "status": "OPEN",
        "m": 1,
    }
    assert [row["status"] for row in json.loads(_damaged(rows, kind="unknown_enum", field="status"))] == [
        "SOMETHING_NEW"
    ] * 2
    assert json.loads(_damaged(rows, kind="vanished_instrument", instrument="A")) == rows[1:]
    assert json.loads(_damaged({"A": "1", "B": "2"}, kind="vanished_instrument", instrument="A")) == {"B": "2"}
    assert json.loads(_damaged(["x", 1, None], kind="wrong_types")) == [{"value": "x"}, [1], "yes"]
    assert len(_damaged(rows, kind="huge_body", bytes=1000)) == 1000
    assert json.loads(_damaged(rows, kind="huge_body", bytes=1000)) == rows
    for kind in ("malformed_json", "truncated_json"):
        with pytest.raises(ValueError, match=r"."):
            json.loads(_damaged(rows, kind=kind))


@pytest.mark.parametrize("raw", ["NaN", "Infinity", "1e400", "-1", '"x"', "[]", "null"])
def test_raw_value_puts_any_text_where_a_value_was(raw: str) -> None:
    rows = [{"price": "1.5", "n": 1}, {"price": 7}]
    text = _damaged(rows, kind="raw_value", field="price", to=raw).decode()
    assert text == f'[{{"price": {raw}, "n": 1}}, {{"price": {raw}}}]'


def test_raw_value_can_make_a_duplicate_key() -> None:
    assert _damaged({"a": 1}, kind="raw_value", field="a", to='1, "a": 2') == b'{"a": 1, "a": 2}'


def test_text_errors_of_the_venue_are_left_alone_by_edits_of_json() -> None:
    fault = parse_fault({"kind": "wrong_types"})
    reply = Reply(422, b"not JSON at all", "text/plain")
    assert damage(reply, {fault.kind: fault}) == reply


def test_weight_window_slides() -> None:
    window = WeightWindow(10, 60.0)
    window.charge("a", 6, 0.0)
    window.charge("a", 4, 30.0)

    assert not window.admits("a", 1, 59.9)
    assert window.admits("b", 10, 59.9)
    assert window.wait_s("a", 59.0) == pytest.approx(1.0)
    assert window.admits("a", 6, 60.0)
    assert not window.admits("a", 7, 60.0)
    assert window.snapshot(60.0) == {"a": 4}
    assert window.snapshot(90.0) == {}


def test_options_become_seconds_and_defaults_are_the_documented_ones() -> None:
    config = parse_options([])
    assert (config.rtt_s, config.idle_timeout_s, config.max_connections, config.instruments) == (0.06, 60.0, 200, 300)
    chosen = parse_options(["--rtt-ms", "5", "--bitunix-idle-timeout-s", "2", "--no-limits", "--port", "9000"])
    assert (chosen.rtt_s, chosen.port, chosen.has_limits) == (0.005, 9000, False)
    assert (chosen.idle_timeout("bitunix"), chosen.idle_timeout("hyperliquid")) == (2.0, 60.0)


@pytest.mark.parametrize("argv", [["--rtt-ms", "-1"], ["--instruments", "0"], ["--port", "65535"], ["--nope"]])
def test_wrong_options_end_with_status_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_options(argv)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_help_names_every_kind_of_fault() -> None:
    text = "".join(make_parser("x").format_help().split())
    assert all(str(kind) in text for kind in FaultKind)


@pytest.mark.parametrize(
    ("value", "text", "short"),
    [
        (30135.0, "30135.0", "30135"),
        (0.0, "0.0", "0"),
        (1e-7, "0.0000001", "0.0000001"),
        (1e17, "100000000000000000.0", "1" + "0" * 17),
    ],
)
def test_numbers_never_have_an_exponent(value: float, text: str, short: str) -> None:
    assert plain(value) == text
    assert trimmed(value) == short


def test_objects_are_json() -> None:
    rows = objects({"a": ["1", "2"], "b": [3, 4], "c": ["null", '["x"]']}, bare=("b", "c"))
    assert [json.loads(row) for row in rows] == [{"a": "1", "b": 3, "c": None}, {"a": "2", "b": 4, "c": ["x"]}]


def test_a_fault_may_strike_one_side_only() -> None:
    book = FaultBook()
    book.add(parse_fault({"kind": "server_error", "endpoint": "accounts"}))
    kinds = frozenset({FaultKind.SERVER_ERROR})

    assert book.match(kinds, "bitunix", "account", 0.0, side="accounts")
    assert not book.match(kinds, "bitunix", "tickers", 0.0, side="markets")
    assert not book.match(kinds, "bitunix", None, 0.0)


@pytest.mark.parametrize(("row", "expected"), [(0, [None, "2", "3"]), (2, ["1", "2", None]), (None, [None] * 3)])
def test_one_field_of_one_row_is_broken(row: int | None, expected: list[str | None]) -> None:
    healthy = Reply(200, json.dumps([{"qty": "1"}, {"qty": "2"}, {"qty": "3"}]).encode())
    fault = parse_fault({"kind": "raw_value", "field": "qty", "to": "null", "row": row})

    broken = json.loads(damage(healthy, {FaultKind.RAW_VALUE: fault}).body)

    assert [item["qty"] for item in broken] == expected


def test_a_row_is_a_whole_number() -> None:
    with pytest.raises(FaultError, match="row"):
        parse_fault({"kind": "raw_value", "field": "qty", "row": -1})
