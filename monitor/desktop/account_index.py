"""The list of account names: a small file beside the settings. Names and venues only.

It is a file, not a keyring entry, so that a start without accounts opens no unlock dialog and a locked keyring can say
which accounts it holds. An address or a key cannot be a name (:func:`monitor.domain.credentials.clean_name`).
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from monitor.domain.credentials import (
    AccountRef,
    CredentialError,
    CredentialInputError,
    CredentialProblem,
    clean_name,
)

SCHEMA = "trading-monitor.accounts/1"
FILE_NAME = "accounts.json"

_MAX_FILE_BYTES = 1_000_000


def load_index(path: Path) -> tuple[AccountRef, ...]:
    """The accounts in the user's order; none when the file is missing. Blocks on the disk.

    Entries that cannot be names are left out.

    Raises:
        CredentialError: ``INDEX``: the file cannot be read or is no such list; it is left as it is.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _index_error(f"cannot be read ({error.strerror or 'unknown reason'})") from error
    rows = _rows(raw)
    if rows is None:
        raise _index_error(f"is damaged: repair or remove {FILE_NAME} in the settings folder")
    found: dict[tuple[str, str], AccountRef] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("venue"), str) and isinstance(row.get("name"), str):
            with contextlib.suppress(CredentialInputError):
                ref = AccountRef(row["venue"], clean_name(row["name"]))
                found.setdefault((ref.venue, ref.name.casefold()), ref)
    return tuple(found.values())


def save_index(path: Path, accounts: Iterable[AccountRef]) -> None:
    """Write the list so that after a crash the old or the new one is there, whole. Blocks on the disk.

    Raises:
        CredentialError: ``INDEX``: the file could not be written; the old one is untouched.
    """
    document = {"schema": SCHEMA, "accounts": [{"venue": ref.venue, "name": ref.name} for ref in accounts]}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary_name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        temporary = Path(temporary_name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file, indent=2, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _index_error(f"cannot be written ({error.strerror or 'unknown reason'})") from error


def _rows(raw: bytes) -> list[object] | None:
    if len(raw) > _MAX_FILE_BYTES:
        return None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    rows = document.get("accounts")
    return rows if isinstance(rows, list) else None


def _index_error(what: str) -> CredentialError:
    return CredentialError(f"The list of account names {what}.", problem=CredentialProblem.INDEX)
