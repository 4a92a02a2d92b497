"""What a Hyperliquid account holds, to be changed by a test, and its polls by the default plan."""

from collections.abc import Callable
from typing import Any

from monitor.domain.account import AccountSnapshot
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from tests.fakes.account_data import EMPTY_STATE, hyperliquid_account, hyperliquid_data
from tests.fakes.fake_transport import FakeTransport

DEXES = [None, *({"name": name} for name in ("aaa", "bbb", "ccc", "ddd", "xyz"))]
"""A reply to ``perpDexs`` with more builder dexes than the usual one."""


def state(*positions: dict[str, Any], value: str = "100.0", **changes: object) -> dict[str, Any]:
    """A reply to ``clearinghouseState`` with these positions, worth ``value``."""
    summary = {"accountValue": value, "totalNtlPos": "0.0", "totalRawUsd": value, "totalMarginUsed": "10.0"}
    rows = [{"type": "oneWay", "position": one} for one in positions]
    return {**EMPTY_STATE, "marginSummary": summary, "withdrawable": "90.0", "assetPositions": rows, **changes}


def held(number: int = 0, **changes: object) -> dict[str, Any]:
    """A position of the usual reply, changed."""
    return {**hyperliquid_data("clearinghouseState")["assetPositions"][number]["position"], **changes}


def by_dex(**states: object) -> Callable[[dict[str, Any]], object]:
    """States by dex; the first dex is ``first``."""
    return lambda body: states.get(body.get("dex") or "first", EMPTY_STATE)


def snapshot(**changed: object) -> AccountSnapshot:
    """The account as a client reads it from the usual replies, except for those given by ``type``."""
    return hyperliquid_account(**changed)[0].fetch_snapshot().value


def begin(client: HyperliquidAccount) -> None:
    """The first polls, after which an account is known as a whole."""
    for _ in range(3):
        client.poll_snapshot()


def runner(client: HyperliquidAccount, transport: FakeTransport) -> Callable[[int], int]:
    """Polls by the default plan for so many seconds of the transport's clock and tells what that weighed."""
    jobs = client.poll_jobs()
    due = {job.key: 0.0 for job in jobs}

    def run(seconds: int) -> int:
        before = len(transport.asked), len(transport.charged)
        end_s = transport.clock() + seconds
        while transport.clock() < end_s:
            for job in jobs:
                if transport.clock() >= due[job.key]:
                    due[job.key] = transport.clock() + job.cadence_s
                    job.fetch()
            transport.clock.advance(1.0)
        return sum(one.weight for one in transport.asked[before[0] :]) + sum(
            weight for _, weight in transport.charged[before[1] :]
        )

    return run
