"""Test in the accounts dialog: what the demo exchange says of a key, a secret and a clock."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from monitor.assembly import assemble
from monitor.desktop.settings import Settings
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.credential_bench import KEY, SECRET, CredentialBench, fill
from tests.fakes.demo_exchange import DemoServer, demo_exchange

DEMO_SECRET = "demo-secret-worth-nothing"


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ("demo-key-worth-nothing", DEMO_SECRET, "It works."),
        ("no-such-key-at-all", DEMO_SECRET, "The key is wrong."),
        ("demo-key-worth-nothing", "not-the-secret", "The secret is wrong."),
        ("demo-key-other-ip", DEMO_SECRET, "not on the key's list"),
        ("demo-key-no-permission", DEMO_SECRET, "lacks a permission"),
    ],
)
def test_test_says_what_is_wrong_with_a_key(
    exchange: DemoServer, credential_bench: CredentialBench, qtbot: QtBot, key: str, secret: str, said: str
) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file)
    credential_bench.controller.attach(runtimes)
    dialog = CredentialDialog(credential_bench.service, hides_amounts=True)
    qtbot.addWidget(dialog)
    dialog.show()
    fill(dialog, "", api_key=key, secret=secret)
    dialog.test_typed.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("test")), timeout_ms=30_000)
    credential_bench.controller.stop(15.0)

    assert said in dialog.result_label.text()
    assert dialog.result_label.text()[0] == ("✓" if said == "It works." else "✕")
    assert ("make sure that this one is read-only" in dialog.result_label.text()) is (said == "It works.")
    assert key not in dialog.result_label.text()
    assert "Equity" not in dialog.result_label.text(), "amounts are hidden"
    assert credential_bench.service.refs == ()
    assert credential_bench.keyring.entries == {}


def test_a_wrong_clock_is_a_warning_with_its_offset(
    exchange: DemoServer, credential_bench: CredentialBench, qtbot: QtBot
) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file)
    credential_bench.controller.attach(runtimes)
    dialog = CredentialDialog(credential_bench.service, hides_amounts=True)
    qtbot.addWidget(dialog)
    fill(dialog, "", api_key="demo-key-worth-nothing", secret=DEMO_SECRET)
    exchange.add_fault(kind="clock_skew", venue="bitunix", seconds=90.0)
    dialog.test_typed.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("test")), timeout_ms=30_000)
    exchange.clear_faults()
    credential_bench.controller.stop(15.0)
    said = dialog.result_label.text()
    check = credential_bench.answered("test")[0].check

    assert check is not None
    assert check.clock_offset_s == pytest.approx(90.0, abs=5.0)
    assert said.startswith("⚠")
    assert "The clock of this computer is wrong." in said
    assert said.count(f"{check.clock_offset_s:.1f} s") == 1
    assert dialog.result_label.objectName() == "warning"


def test_a_venue_that_is_down_is_told_from_a_wrong_key(
    exchange: DemoServer, credential_bench: CredentialBench, qtbot: QtBot
) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls={"bitunix": "http://127.0.0.1:9"})
    credential_bench.controller.attach(runtimes)
    dialog = CredentialDialog(credential_bench.service, hides_amounts=False)
    qtbot.addWidget(dialog)
    fill(dialog, "", api_key=KEY, secret=SECRET)
    dialog.test_typed.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("test")), timeout_ms=60_000)
    credential_bench.controller.stop(15.0)

    assert "The venue does not answer." in dialog.result_label.text()
