"""The real desk on the demo exchange as a test's venues, with accounts in a keyring of the test's."""

import time
from collections.abc import Callable
from pathlib import Path

from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.paths import AppPaths
from tests.fakes.demo_exchange import DemoServer
from tests.fakes.slow_plan import WIDE


def make_desk(exchange: DemoServer, folder: Path, store: CredentialStore) -> Desk:
    """A desk that is not open yet; everything it writes is in ``folder``.

    It may use most of the venues' limits: with the usual share, accounts wait seconds for prices to go first.
    """
    desk = Desk(
        settings=WIDE,
        paths=AppPaths(config_dir=folder, data_dir=folder, cache_dir=folder, log_dir=folder),
        notes=(),
        options=DeskOptions(
            base_urls=exchange.venues,
            ca_file=exchange.ca_file,
            settings_file=folder / "settings.json",
            is_scripted=True,
        ),
    )
    desk.accounts._store = store
    return desk


def work_until(desk: Desk, is_true: Callable[[], bool], timeout_s: float = 40.0) -> None:
    """Let ``desk`` work until it is; fails when it never happens."""
    give_up_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < give_up_s, "it did not happen"
        desk.work_for(0.05)
