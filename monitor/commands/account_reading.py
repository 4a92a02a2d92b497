"""The ``--account`` part of ``snapshot``: whose credentials, some reads, one document."""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.assembly import VenueRuntime, make_account_client
from monitor.commands.common import CommandContext
from monitor.commands.waiting import telling
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.paths import find_paths
from monitor.domain.credentials import CredentialError, CredentialProblem, Credentials
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.account_check import patiently
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.polling.results import PollSuccess
from monitor.state.account_summary import InstrumentName, account_document
from monitor.state.accounts import AccountState
from monitor.state.board import Board
from monitor.state.summary import Document

ONCE_S = 60.0
"""Stands for the cadence of what is read once."""

READ_PATIENCE_S = 70.0
"""How long one read waits for our own budget: a little more than the longest window of a venue."""

_WORDS = {
    "snapshot": "balances and positions",
    "orders": "open orders",
    "fills": "fills",
    "funding": "funding payments",
    "history": "account history",
    "attached": "attached orders",
}


def find_credentials(options: argparse.Namespace, context: CommandContext) -> Credentials:
    """What opens the account named: one of the demo exchange's own with ``--demo``, else the keyring's. Blocks.

    Raises:
        CredentialError: ``MISSING``, or the keyring's trouble.
    """
    if context.demo is not None:
        # The user's own keys are never sent to a simulated venue.
        names = []
        for one in context.demo.addresses.accounts:
            if one.venue == options.venue:
                names.append(one.name)
                if one.name.casefold() == options.account.strip().casefold():
                    return ACCOUNT_VENUES[one.venue].make_credentials(one.name, one.inputs)
        text = f"The demo exchange has no such account; it has {', '.join(names)}."
        raise CredentialError(text, problem=CredentialProblem.MISSING)
    settings: Path | None = options.settings
    folder = find_paths().config_dir if settings is None else settings.parent
    store = CredentialStore(folder / FILE_NAME)
    return store.load(store.find(options.venue, options.account))


def read_state(runtime: VenueRuntime, credentials: Credentials) -> tuple[AccountState, tuple[RequestTrace, ...]]:
    """Read an account once, as the tables show it, and tell what that cost. Waits for our own budget. Blocks.

    Raises:
        MonitorError: the venue failed or refused.
    """
    client = make_account_client(credentials, runtime)
    state = AccountState(credentials.account)
    traces: list[RequestTrace] = []
    reads: tuple[tuple[str, Callable[[], Fetched[Any] | None]], ...] = (
        # First, while our share of the limit lasts: where it is used up, tokens stay without a price.
        ("snapshot", client.fetch_snapshot),
        ("orders", client.fetch_open_orders),
        ("fills", client.poll_fills),
        ("funding", client.fetch_funding),
        ("history", client.fetch_portfolio),
        # Again, now at little cost: the youngest figures of the document. What closes positions needs them known.
        ("snapshot", client.fetch_snapshot),
        ("attached", client.fetch_attached_orders),
    )
    for what, read in reads:
        with telling(runtime.entry.title, _WORDS[what], runtime.transport):
            fetched = patiently(read, time.sleep, READ_PATIENCE_S)
        if fetched is None:
            continue
        traces += fetched.traces
        job = PollJob(
            venue=runtime.entry.name,
            endpoint=f"{runtime.entry.name}.{what}",
            key=f"{runtime.entry.name}.{what}@{credentials.account.name}",
            cadence_s=ONCE_S,
            weight=1,
            fetch=client.fetch_snapshot,
            account=credentials.account,
        )
        state.take(success_of(job, fetched, runtime))
    return state, tuple(traces)


def read_account(
    runtime: VenueRuntime, credentials: Credentials, *, board: Board, name_of: InstrumentName
) -> tuple[Document, tuple[RequestTrace, ...]]:
    """Read the account once and return its document and what that cost. Blocks; raises as :func:`read_state`."""
    state, traces = read_state(runtime, credentials)
    stamp = state.summary.stamp
    now = datetime.now(UTC)
    document = account_document(
        state,
        board=board,
        name_of=name_of,
        now_mono_s=time.perf_counter(),
        now=now,
        received_at=now if stamp is None else stamp.received_at,
    )
    return document, traces


def success_of(job: PollJob, fetched: Fetched[Payload], runtime: VenueRuntime) -> PollSuccess:
    """What a poller would have handed over for this fetch."""
    return PollSuccess(
        venue=job.venue,
        endpoint=job.endpoint,
        key=job.key,
        plan_epoch=0,
        cadence_s=job.cadence_s,
        payload=fetched.value,
        requested_mono_s=fetched.requested_mono_s,
        received_mono_s=fetched.received_mono_s,
        received_at=fetched.received_at,
        source=fetched.source,
        cache_age_s=fetched.cache_age_s,
        clock_offset_s=fetched.clock_offset_s,
        traces=fetched.traces,
        pools=runtime.transport.pool_stats(),
        budget=runtime.transport.budget_state(),
        missed=0,
        planned=1,
        made=1,
        account=job.account,
        handed_out_mono_s=time.perf_counter(),
    )
