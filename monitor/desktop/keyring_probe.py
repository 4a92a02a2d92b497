"""Does the operating system's keyring work here? A write, a read and a delete of an entry that means nothing."""

import secrets
import sys
import threading

from monitor.desktop.keyring_backends import backend_name, choose_backend, explain
from monitor.domain.credentials import CredentialError, CredentialProblem

PROBE_SERVICE = "trading-monitor self-test"
PROBE_USER = "probe"
PATIENCE_S = 10.0
"""A locked keyring asks for its password in a dialog; nobody may be there to answer."""


def probe_keyring(patience_s: float = PATIENCE_S) -> str:
    """Try the keyring and return which one works. Blocks up to ``patience_s``.

    Raises:
        CredentialError: there is none, it is locked or refused, or it does not give back what was stored.
    """
    outcome: list[str | CredentialError] = []

    def work() -> None:
        outcome.append(_probe())

    thread = threading.Thread(target=work, name="keyring-probe", daemon=True)
    thread.start()
    thread.join(patience_s)
    if not outcome:
        raise CredentialError("The keyring waits to be unlocked.", problem=CredentialProblem.LOCKED)
    if isinstance(outcome[0], CredentialError):
        raise outcome[0]
    return outcome[0]


def _probe() -> str | CredentialError:
    word = secrets.token_hex(8)
    try:
        backend = choose_backend()
        backend.set_password(PROBE_SERVICE, PROBE_USER, word)
        found = backend.get_password(PROBE_SERVICE, PROBE_USER)
        backend.delete_password(PROBE_SERVICE, PROBE_USER)
    except CredentialError as error:
        return error
    except Exception as error:  # noqa: BLE001 - each backend has library errors of its own
        return explain(error, sys.platform)
    if found != word:
        return CredentialError("The keyring lost what was stored.", problem=CredentialProblem.NOT_KEPT)
    return backend_name(backend)
