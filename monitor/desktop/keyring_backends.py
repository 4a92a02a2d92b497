"""Which keyring of the operating system may hold secrets, and what its failures mean to the user.

``keyring``'s own choice is not used: it may pick, or fall back to, a file in plain text. Here the backend is one of a
short list per platform, or none.
"""

import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Protocol

from monitor.domain.credentials import CredentialError, CredentialProblem

_log = logging.getLogger(__name__)

ALLOWED: dict[str, tuple[str, ...]] = {
    "linux": (
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.kwallet.DBusKeyringKWallet4",
        "keyring.backends.libsecret.Keyring",
    ),
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}
"""By ``sys.platform``; every other Unix counts as Linux."""

_INSTALL = {
    "linux": "Install and start GNOME Keyring (package gnome-keyring) or KDE's KWallet and log in again.",
    "darwin": "Check that the login keychain exists (Keychain Access).",
    "win32": "Check that the Credential Manager service is running.",
}
_GO_ON = "Public data works without it."

_WIN_TOO_LARGE = 1783
_WIN_NO_LOGON_SESSION = 1312
_WIN_ACCESS_DENIED = 5


class SecretBackend(Protocol):
    """What is used of a ``keyring`` backend. Every method may block until the user answers a dialog."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret, ``None`` when there is none."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store or replace."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Remove; raises ``keyring.errors.PasswordDeleteError`` when there is none."""
        ...


def choose_backend(platform: str = sys.platform, allowed: Sequence[str] | None = None) -> SecretBackend:
    """The best allowed keyring that works here. Blocks on D-Bus, shortly; opens no dialog.

    ``PYTHON_KEYRING_BACKEND`` and ``keyringrc.cfg`` have no say.

    Raises:
        CredentialError: ``ABSENT``, or ``REFUSED_BACKEND`` when there is only one that would not protect secrets.
    """
    names = ALLOWED.get(platform, ALLOWED["linux"]) if allowed is None else allowed
    found: list[tuple[float, SecretBackend]] = []
    for name in names:
        module_name, _, class_name = name.rpartition(".")
        try:
            kind = getattr(importlib.import_module(module_name), class_name)
            priority = float(kind.priority)
            found.append((priority, kind()))
        except Exception as error:  # noqa: BLE001 - each backend has library errors of its own for "not here"
            _log.debug("keyring %s is not available: %s", name, type(error).__name__)
    if found:
        return max(found, key=lambda one: one[0])[1]
    raise _nothing_to_use(platform)


def check_backend(backend: object, platform: str = sys.platform) -> None:
    """Raise ``CredentialError`` (``REFUSED_BACKEND``) unless ``backend`` is exactly one of the allowed kinds."""
    name = backend_name(backend)
    if name not in ALLOWED.get(platform, ALLOWED["linux"]):
        raise _refused(name, platform)


def backend_name(backend: object) -> str:
    """Full name of the backend's class."""
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}"


def explain(error: Exception, platform: str = sys.platform) -> CredentialError:
    """What a backend's exception means. Its own text is not used: nobody knows what a library puts there."""
    problem = _problem_of(error)
    detail = f"{type(error).__module__}.{type(error).__qualname__}"
    return CredentialError(
        _TEXTS[problem].format(install=_install(platform), go_on=_GO_ON), problem=problem, detail=detail
    )


_P = CredentialProblem
_TEXTS: dict[CredentialProblem, str] = {
    _P.ABSENT: "There is no keyring to keep secrets in. {install} {go_on}",
    _P.LOCKED: "The keyring is locked. Unlock it (log in, or open its own program) and try again. {go_on}",
    _P.DISMISSED: "The keyring's dialog was dismissed or could not be shown, so it stayed closed. Try again. {go_on}",
    _P.DENIED: "The keyring denied access to this program. Allow it in the keyring's own program. {go_on}",
    _P.TOO_LARGE: "The keyring does not take a secret of this length.",
    _P.FAILED: "The keyring failed. Try again, or restart it (log out and in). {go_on}",
}


def _problem_of(error: Exception) -> CredentialProblem:
    from keyring import errors  # noqa: PLC0415 - 46 ms that only a user of the keyring should pay

    windows_error = getattr(error, "winerror", None)
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, errors.NoKeyringError) or "SecretServiceNotAvailableException" in names:
        return _P.ABSENT
    if windows_error == _WIN_TOO_LARGE:
        return _P.TOO_LARGE
    if windows_error == _WIN_NO_LOGON_SESSION:
        return _P.ABSENT
    # The macOS backend says "locked" for a click on Deny as well; only its text tells.
    if windows_error == _WIN_ACCESS_DENIED or "KeychainDenied" in names or "denied" in str(error)[:400].lower():
        return _P.DENIED
    if "PromptDismissedException" in names or "dismissed" in str(error)[:400].lower():
        return _P.DISMISSED
    if isinstance(error, errors.KeyringLocked) or "LockedException" in names:
        return _P.LOCKED
    if isinstance(error, ConnectionError | FileNotFoundError | EOFError):
        # The bus or the service went away.
        return _P.ABSENT
    return _P.FAILED


def _nothing_to_use(platform: str) -> CredentialError:
    chosen = _chosen_by_keyring()
    if chosen is not None and chosen not in ALLOWED.get(platform, ALLOWED["linux"]):
        return _refused(chosen, platform)
    return CredentialError(
        _TEXTS[_P.ABSENT].format(install=_install(platform), go_on=_GO_ON), problem=_P.ABSENT, detail=platform
    )


def _refused(name: str, platform: str) -> CredentialError:
    return CredentialError(
        f"The keyring configured here ({name}) does not protect secrets, so it was refused; nothing was stored. "
        f"{_install(platform)} {_GO_ON}",
        problem=_P.REFUSED_BACKEND,
        detail=name,
    )


def _chosen_by_keyring() -> str | None:
    """What the library itself would use, so that a refusal can name it; ``None`` for nothing. It is never called."""
    try:
        from keyring import get_keyring  # noqa: PLC0415 - see above
        from keyring.backends.fail import Keyring as Nothing  # noqa: PLC0415 - see above

        backend = get_keyring()
    except Exception as error:  # noqa: BLE001 - a broken configuration of somebody else's
        _log.debug("keyring has no default: %s", type(error).__name__)
        return None
    return None if isinstance(backend, Nothing) else backend_name(backend)


def _install(platform: str) -> str:
    return _INSTALL.get(platform, _INSTALL["linux"])
