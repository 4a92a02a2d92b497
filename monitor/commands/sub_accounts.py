"""``credentials sub-accounts``: ask a venue for the sub-accounts of a stored account, and store them if wanted."""

import argparse
from typing import Any

from monitor.assembly import assemble
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, open_context, print_document, say
from monitor.desktop.credentials import CredentialStore
from monitor.domain.credentials import CredentialInputError, Credentials
from monitor.domain.errors import MonitorError
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.accounts import RelatedAccount, free_name

SCHEMA = "trading-monitor.credentials/1"


def run_sub_accounts(options: argparse.Namespace, store: CredentialStore) -> int:
    """List them, and with ``--add`` store those that are not yet; returns the exit code. Blocks.

    Raises:
        CredentialError: the keyring's trouble, or there is no such account.
        CredentialInputError: the venue tells no sub-accounts.
    """
    venue = ACCOUNT_VENUES[options.venue]
    if venue.find_related is None:
        raise CredentialInputError(f"{venue.title} tells no sub-accounts.")
    credentials = store.load(store.find(venue.venue, options.name))
    context = open_context(options)
    try:
        runtime = assemble([venue.venue], context.settings, base_urls=context.base_urls, ca_file=context.ca_file)[
            venue.venue
        ]
        try:
            found = venue.find_related(runtime.transport, credentials)
        except MonitorError as error:
            say(f"{venue.title}: {error.user_text}")
            return EXIT_FAILED
        finally:
            runtime.transport.close()
    finally:
        context.close()
    rows = _rows(found, credentials, store, is_adding=options.add)
    if options.json:
        account = {"venue": venue.venue, "name": credentials.account.name}
        print_document({"schema": SCHEMA, "account": account, "sub_accounts": rows})
    else:
        for row in rows:
            stored = f"  (stored as {row['stored_as']})" if row["stored_as"] else ""
            print(f"{row['address']}  {row['name']}{stored}")
        if not rows:
            say("The venue lists no sub-accounts of this account.")
        elif not options.add:
            say("Add --add to store those that are not stored yet, under these names.")
    return EXIT_DONE


def _rows(
    found: tuple[RelatedAccount, ...], master: Credentials, store: CredentialStore, *, is_adding: bool
) -> list[dict[str, Any]]:
    venue = ACCOUNT_VENUES[master.account.venue]
    refs = store.names(venue.venue)
    known = {ref: dict(store.load(ref).values) for ref in refs} if found else {}
    taken = {ref.name.casefold() for ref in refs}
    rows = []
    for account in found:
        values = dict(venue.make_values(account.inputs))
        stored_as = next((ref.name for ref, held in known.items() if held == values), None)
        name = stored_as or free_name(account.name, taken)
        if stored_as is None:
            taken.add(name.casefold())
            if is_adding:
                stored_as = store.add(venue.make_credentials(name, account.inputs)).name
        rows.append({"name": name, "address": account.shown, "stored_as": stored_as})
    return rows
