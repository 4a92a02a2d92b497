"""The ``--account`` part of ``snapshot``: whose credentials, three reads, one document."""

import argparse
import time
from pathlib import Path

from monitor.assembly import VenueRuntime, make_account_client
from monitor.commands.common import CommandContext
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.paths import find_paths
from monitor.domain.credentials import CredentialError, CredentialProblem, Credentials
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.account_check import patiently
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.state.account_summary import InstrumentName, account_document
from monitor.state.board import Board
from monitor.state.summary import Document


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


def read_account(
    runtime: VenueRuntime, credentials: Credentials, *, board: Board, name_of: InstrumentName
) -> tuple[Document, tuple[RequestTrace, ...]]:
    """Read the account once and return its document and what that cost. Waits for our own budget. Blocks.

    Raises:
        MonitorError: the venue failed or refused.
    """
    client = make_account_client(credentials, runtime)
    orders = patiently(client.fetch_open_orders, time.sleep)
    fills = patiently(client.fetch_fills, time.sleep)
    snapshot = patiently(client.fetch_snapshot, time.sleep)
    document = account_document(
        snapshot.value,
        orders.value,
        fills.value,
        board=board,
        name_of=name_of,
        now_mono_s=time.perf_counter(),
        received_at=snapshot.received_at,
    )
    return document, (*orders.traces, *fills.traces, *snapshot.traces)
