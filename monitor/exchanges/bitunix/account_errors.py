"""What Bitunix's refusals of an account request mean, in sentences that say what to do."""

from monitor.domain.credentials import CheckOutcome
from monitor.domain.errors import CredentialsRefused, VenueError
from monitor.exchanges.bitunix.errors import TITLE

SKEW_WORTH_SAYING_S = 5.0
"""A clock off by less than this is not to blame; the venue documents no tolerance, others allow 5 s and more."""

_O = CheckOutcome
_REFUSALS: dict[str, tuple[CheckOutcome, str]] = {
    "403": (_O.NO_PERMISSION, "The API key lacks the permission to read this. Give it the futures read permission."),
    "10003": (_O.WRONG_KEY, "Bitunix does not know this API key: it is mistyped, expired or deleted."),
    "10004": (
        _O.IP_NOT_ALLOWED,
        "This computer's IP address is not on the API key's list. Add it at Bitunix, or remove the list.",
    ),
    "10007": (_O.WRONG_SECRET, "Bitunix does not accept the signature: the API secret does not belong to this key."),
    # The spot interface's codes, in case the futures one should ever send them.
    "100004": (_O.WRONG_KEY, "Bitunix does not know this API key: it is mistyped, expired or deleted."),
    "100005": (_O.WRONG_SECRET, "Bitunix does not accept the signature: the API secret does not belong to this key."),
    "100008": (_O.CLOCK_SKEW, "Bitunix says the request is too old: this computer's clock is wrong."),
    "20011": (_O.ACCOUNT_CLOSED, "Bitunix has blocked this account."),
    "20013": (_O.ACCOUNT_CLOSED, "Bitunix is about to delete this account."),
    "20014": (_O.ACCOUNT_CLOSED, "Bitunix has deleted this account."),
    "30040": (_O.ACCOUNT_CLOSED, "Bitunix forbids futures to this account."),
}
SIGNATURE_CODES = frozenset({"10007", "100005", "100008"})
"""Refusals that a wrong time stamp can cause as well."""


def credentials_error(error: VenueError, offset: tuple[float, float] | None) -> CredentialsRefused | None:
    """The precise error when ``error`` is about the key, its secret, the clock or the account; else ``None``.

    ``offset``: venue clock minus ours and how far off that may be, seconds; ``None`` when the venue showed no clock.
    """
    found = _REFUSALS.get(error.venue_code or "")
    if found is None:
        return None
    outcome, text = found
    if error.venue_code in SIGNATURE_CODES:
        hint = clock_sentence(offset)
        if hint is not None:
            text = f"{text} {hint}"
        elif offset is None:
            text = f"{text} Check this computer's clock as well; {TITLE} did not show its own."
    return CredentialsRefused(
        f"{text} (code {error.venue_code})",
        reason=outcome.value,
        http_status=error.http_status,
        venue_code=error.venue_code,
        detail=error.detail,
        traces=error.traces,
    )


def clock_sentence(offset: tuple[float, float] | None) -> str | None:
    """A sentence about a wrong clock; ``None`` when it is right as far as can be told."""
    if offset is None:
        return None
    offset_s, error_s = offset
    if abs(offset_s) - error_s < SKEW_WORTH_SAYING_S:
        return None
    direction = "behind" if offset_s > 0 else "ahead of"
    return (
        f"This computer's clock is {abs(offset_s):.1f} s {direction} {TITLE}'s (give or take {error_s:.1f} s): set it."
    )
