"""What a command says while it waits."""

import time

import pytest

from monitor.commands.waiting import telling
from tests.fakes.silent_transport import SilentTransport


@pytest.mark.parametrize(
    ("hold_s", "said"),
    [
        (12.0, "Hyperliquid: waiting for room in our own share of its rate limit to read open orders"),
        (0.0, "Hyperliquid: reading open orders takes longer than usual"),
    ],
)
def test_a_long_read_says_once_what_it_waits_for(hold_s: float, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = ""
    with telling("Hyperliquid", "open orders", SilentTransport(hold=lambda _weight: hold_s), silent_s=0.01):
        give_up_s = time.monotonic() + 20.0
        while not told and time.monotonic() < give_up_s:
            told = capsys.readouterr().err
            time.sleep(0.01)
        time.sleep(0.05)

    assert told.startswith(said)
    assert capsys.readouterr().err == ""


def test_a_short_read_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with telling("Hyperliquid", "open orders", SilentTransport(hold=lambda _weight: 12.0), silent_s=0.3):
        pass
    time.sleep(0.5)

    assert capsys.readouterr().err == ""
