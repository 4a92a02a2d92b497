"""``credentials``: list, add, remove and test accounts. Secrets come from a prompt or from standard input."""

import argparse
import getpass
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from monitor.assembly import AssemblyError, assemble
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, open_context, print_document, say
from monitor.commands.sub_accounts import SCHEMA, run_sub_accounts
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.paths import find_paths
from monitor.domain.credentials import (
    AccountCheck,
    AccountRef,
    CredentialError,
    CredentialInputError,
    CredentialProblem,
    clean_name,
)
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.accounts import AccountVenue, read_lines

_MAX_INPUT_CHARS = 4_096
_USAGE_PROBLEMS = frozenset({CredentialProblem.DUPLICATE, CredentialProblem.MISSING, CredentialProblem.TOO_LARGE})

AddVenueOptions = Callable[[argparse.ArgumentParser], None]


def add_credentials_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", add_venue_options: AddVenueOptions
) -> argparse.ArgumentParser:
    """Add ``credentials`` to the command line; ``add_venue_options`` adds ``--base-url`` and its like to a parser."""
    parser = subparsers.add_parser(
        "credentials",
        help="keys and addresses in the system's keyring: list, add, remove, test",
        description="Secrets are asked for at a terminal, else read from standard input; never from an argument.",
    )
    add_venue_options(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("list", "names of the accounts; the keyring is not opened"),
        ("add", "store an account: Bitunix API key and secret on two lines, Hyperliquid one public address"),
        ("remove", "delete an account from the keyring"),
        ("test", "try accounts at their venue and say what is wrong"),
        ("sub-accounts", "ask the venue for the sub-accounts of a stored account"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        add_venue_options(action)
        is_one = name in {"add", "remove", "sub-accounts"}
        action.add_argument("--venue", required=is_one, metavar="V", help=", ".join(ACCOUNT_VENUES))
        action.add_argument("--name", required=is_one, metavar="NAME", help="your own name for the account")
        action.add_argument("--json", action="store_true", help="one JSON document on standard output")
        if name == "sub-accounts":
            action.add_argument("--add", action="store_true", help="store those that are not stored yet")
        if name == "add":
            action.add_argument("--replace", action="store_true", help="new secrets for an account that exists")
    return parser


def run_credentials(options: argparse.Namespace, store: CredentialStore | None = None) -> int:
    """Run the command and return its exit code: 0, 1 (the keyring or the venue failed) or 2 (wrong arguments or input).

    ``store`` None uses the keyring and the index beside the settings. Blocks, for minutes when the keyring asks.
    """
    if options.venue is not None and options.venue not in ACCOUNT_VENUES:
        # Not quoted: a secret may have been pasted into the wrong place.
        say(f"There is no such venue; known are {', '.join(ACCOUNT_VENUES)}.")
        return EXIT_USAGE
    if store is None:
        store = CredentialStore(_index_file(options))
    try:
        if options.name is not None:
            clean_name(options.name)
        return _ACTIONS[options.action](options, store)
    except CredentialInputError as error:
        return _fail(options, str(error), "invalid_input", EXIT_USAGE)
    except CredentialError as error:
        code = EXIT_USAGE if error.problem in _USAGE_PROBLEMS else EXIT_FAILED
        return _fail(options, error.user_text, error.problem.value, code)


def _list(options: argparse.Namespace, store: CredentialStore) -> int:
    accounts = _chosen(options, store)
    keyring: dict[str, Any] = {"backend": None, "problem": None}
    try:
        keyring["backend"] = store.backend_name()
    except CredentialError as error:
        keyring["problem"] = error.problem.value
        say(error.user_text)
    if options.json:
        print_document({"schema": SCHEMA, "accounts": [_ref(ref) for ref in accounts], "keyring": keyring})
    else:
        for ref in accounts:
            print(f"{ref.venue:<12} {ref.name}")
        if not accounts:
            say("There are no accounts. Add one with: trading-monitor credentials add --venue V --name NAME")
    return EXIT_DONE


def _add(options: argparse.Namespace, store: CredentialStore) -> int:
    venue = ACCOUNT_VENUES[options.venue]
    if options.replace:
        store.find(venue.venue, options.name)
    elif _is_known(store, venue.venue, options.name):
        raise CredentialError("There is already an account of this name.", problem=CredentialProblem.DUPLICATE)
    # Before anything is typed: a prompt for a secret that cannot be kept is a waste and a risk.
    store.backend_name()
    inputs = _ask(venue) if sys.stdin.isatty() else read_lines(venue, _read_stdin().split("\n"))
    credentials = venue.make_credentials(options.name, inputs)
    if options.replace:
        store.replace(credentials)
    else:
        store.add(credentials)
    if options.json:
        print_document({"schema": SCHEMA, "stored": _ref(credentials.account)})
    else:
        print(f"Stored {credentials.account} in the keyring.")
    return EXIT_DONE


def _remove(options: argparse.Namespace, store: CredentialStore) -> int:
    ref = store.find(options.venue, options.name)
    store.remove(ref)
    if options.json:
        print_document({"schema": SCHEMA, "removed": _ref(ref)})
    else:
        print(f"Removed {ref}.")
    return EXIT_DONE


def _test(options: argparse.Namespace, store: CredentialStore) -> int:
    accounts = _chosen(options, store)
    if not accounts:
        raise CredentialError("There is no such account to test.", problem=CredentialProblem.MISSING)
    context = open_context(options)
    results: list[dict[str, Any]] = []
    try:
        venues = tuple(dict.fromkeys(ref.venue for ref in accounts))
        runtimes = assemble(venues, context.settings, base_urls=context.base_urls, ca_file=context.ca_file)
        for ref in accounts:
            try:
                credentials = store.load(ref)
                client = ACCOUNT_VENUES[ref.venue].make_client(runtimes[ref.venue].transport, credentials)
            except CredentialError as error:
                results.append(_result(ref, error.problem.value, error.user_text))
                continue
            except CredentialInputError:
                text = "What the keyring holds for this account cannot be right: replace it."
                results.append(_result(ref, CredentialProblem.DAMAGED.value, text))
                continue
            check = client.check()
            results.append(_checked(check))
            if check.permission_hint:
                say(f"{ref}: {check.permission_hint}")
        for runtime in runtimes.values():
            runtime.transport.close()
    except AssemblyError as error:
        say(str(error))
        return EXIT_USAGE
    finally:
        context.close()
    if options.json:
        print_document({"schema": SCHEMA, "results": results})
    else:
        for result in results:
            print(f"{result['venue']}/{result['name']}: {result['outcome']}: {result['text']}")
    return EXIT_DONE if all(result["ok"] for result in results) else EXIT_FAILED


_ACTIONS: dict[str, Callable[[argparse.Namespace, CredentialStore], int]] = {
    "list": _list,
    "add": _add,
    "remove": _remove,
    "test": _test,
    "sub-accounts": run_sub_accounts,
}


def _chosen(options: argparse.Namespace, store: CredentialStore) -> list[AccountRef]:
    name = None if options.name is None else clean_name(options.name).casefold()
    return [ref for ref in store.names(options.venue) if name in {None, ref.name.casefold()}]


def _is_known(store: CredentialStore, venue: str, name: str) -> bool:
    try:
        store.find(venue, name)
    except CredentialError as error:
        if error.problem is not CredentialProblem.MISSING:
            raise
        return False
    return True


def _ask(venue: AccountVenue) -> dict[str, str]:
    say(venue.advice)
    inputs: dict[str, str] = {}
    for field in venue.fields:
        hint = f" ({field.hint})" if field.hint else ""
        # Nothing is echoed, not even an address: a private key pasted by mistake would stay on the screen.
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", getpass.GetPassWarning)
                inputs[field.name] = getpass.getpass(f"{field.title}{hint}: ", stream=sys.stderr)
        except getpass.GetPassWarning as error:
            raise CredentialInputError("This terminal would show what is typed; use standard input instead.") from error
        except EOFError as error:
            raise CredentialInputError("The input ended.") from error
    return inputs


def _read_stdin() -> str:
    try:
        return sys.stdin.read(_MAX_INPUT_CHARS)
    except UnicodeDecodeError:
        raise CredentialInputError("The input is not text.") from None


def _index_file(options: argparse.Namespace) -> Path:
    settings: Path | None = getattr(options, "settings", None)
    folder = find_paths().config_dir if settings is None else settings.parent
    return folder / FILE_NAME


def _fail(options: argparse.Namespace, text: str, problem: str, exit_code: int) -> int:
    say(text)
    if options.json:
        print_document({"schema": SCHEMA, "problem": problem, "text": text})
    return exit_code


def _ref(ref: AccountRef) -> dict[str, str]:
    return {"venue": ref.venue, "name": ref.name}


def _result(ref: AccountRef, outcome: str, text: str) -> dict[str, Any]:
    return {
        **_ref(ref),
        "ok": False,
        "outcome": outcome,
        "text": text,
        "clock_offset_s": None,
        "clock_offset_error_s": None,
        "can_trade": None,
        "equity": None,
        "currency": None,
    }


def _checked(check: AccountCheck) -> dict[str, Any]:
    return {
        **_result(check.account, check.outcome.value, check.text),
        "ok": check.is_ok,
        "clock_offset_s": check.clock_offset_s,
        "clock_offset_error_s": check.clock_offset_error_s,
        "can_trade": check.can_trade,
        "equity": None if check.equity is None else format(check.equity, "f"),
        "currency": check.currency,
    }
