"""Credentials with a secret that no text may hold, and what an error says of a keyring without holding it."""

import traceback

from monitor.domain.credentials import AccountRef, CredentialError, CredentialProblem, Credentials, Hidden, Secret
from monitor.domain.errors import ErrorKind

PLANTED = "pl4nted-s3cret-0123456789"


def made(name: str = "main", venue: str = "bitunix", secret: str = PLANTED) -> Credentials:
    """An account whose secret is ``secret``."""
    values: dict[str, Hidden] = {"api_key": Secret("key-12345"), "secret": Secret(secret)}
    return Credentials(account=AccountRef(venue, name), values=values)


def problem_of(error: Exception) -> CredentialProblem:
    """What kind of trouble ``error`` tells; fails when it or its traceback holds the planted secret."""
    assert isinstance(error, CredentialError)
    assert error.kind is ErrorKind.CREDENTIALS
    assert PLANTED not in "".join(traceback.format_exception(error))
    return error.problem
