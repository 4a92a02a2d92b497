"""Where the demo's credentials come from: the line the exchange prints, and the process that the window starts."""

from monitor.desktop.demo_process import DemoProcess
from monitor.domain.credentials import AccountRef
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from tests.fakes.demo_exchange import demo_exchange


def test_the_ready_line_offers_accounts_of_both_venues_that_our_own_dialog_accepts() -> None:
    with demo_exchange() as exchange:
        offered = exchange.ready["accounts"]

    assert {row["venue"] for row in offered} == set(ACCOUNT_VENUES)
    assert len({(row["venue"], row["name"]) for row in offered}) == len(offered)
    for row in offered:
        credentials = ACCOUNT_VENUES[row["venue"]].make_credentials(row["name"], row["inputs"])
        assert credentials.account == AccountRef(row["venue"], row["name"])
        assert set(row["inputs"]) == {field.name for field in ACCOUNT_VENUES[row["venue"]].fields}
        assert row["about"]


def test_the_demo_process_hands_the_same_accounts_on() -> None:
    process = DemoProcess(rtt_ms=0.0)
    try:
        accounts = process.start().accounts
    finally:
        process.stop()

    assert accounts[0].venue == "bitunix"
    assert accounts[0].name == "demo"
    assert accounts[0].inputs["api_key"] == "demo-key-worth-nothing"
    assert [account.name for account in accounts if account.venue == "hyperliquid"][:2] == ["demo", "demo unified"]
