"""Sentences of the accounts dialog. Pure."""

from monitor.desktop.credential_worker import KeyringWait
from monitor.domain.credentials import AccountCheck, CheckOutcome, CredentialProblem
from monitor.qtmodels.account_service import AccountAnswer
from monitor.qtmodels.figures import price_text

OK_MARK = "✓"
WARNING_MARK = "⚠"
FAILED_MARK = "✕"

_HEADS: dict[CheckOutcome, str] = {
    CheckOutcome.OK: "It works.",
    CheckOutcome.WRONG_KEY: "The key is wrong.",
    CheckOutcome.WRONG_SECRET: "The secret is wrong.",
    CheckOutcome.IP_NOT_ALLOWED: "This IP address is not on the key's list.",
    CheckOutcome.CLOCK_SKEW: "The clock of this computer is wrong.",
    CheckOutcome.NO_PERMISSION: "The key lacks a permission.",
    CheckOutcome.ACCOUNT_CLOSED: "The account is closed or blocked.",
    CheckOutcome.WRONG_ADDRESS: "This is not the address of an account.",
    CheckOutcome.UNUSED_ADDRESS: "It can be read, but the address was never used.",
    CheckOutcome.RATE_LIMITED: "The request budget is used up: try again in a minute.",
    CheckOutcome.BLOCKED: "Something between this computer and the venue blocks the request.",
    CheckOutcome.VENUE_DOWN: "The venue does not answer.",
    CheckOutcome.OTHER: "The venue refused for another reason.",
}

_KEYRING_HEADS: dict[CredentialProblem, str] = {
    CredentialProblem.LOCKED: "The keyring is locked.",
    CredentialProblem.ABSENT: "There is no keyring.",
    CredentialProblem.DISMISSED: "The keyring stayed closed.",
    CredentialProblem.DENIED: "The keyring denied access.",
    CredentialProblem.REFUSED_BACKEND: "This keyring is not safe.",
}


def answer_text(answer: AccountAnswer, *, hides_amounts: bool) -> str:
    """What to show of an answer: what is wrong in a few words, then the whole sentence."""
    if answer.check is not None:
        return check_text(answer.check, hides_amounts=hides_amounts)
    head = "" if answer.problem is None else _KEYRING_HEADS.get(answer.problem, "")
    return _headed(head, answer.text)


def check_text(check: AccountCheck, *, hides_amounts: bool) -> str:
    """Result of a test, with the clock's offset, what the key may do and what was seen."""
    parts = [_headed(_HEADS[check.outcome], check.text)]
    offset_s, error_s = check.clock_offset_s, check.clock_offset_error_s
    if check.outcome is CheckOutcome.CLOCK_SKEW and offset_s is not None:
        offset = f"{abs(offset_s):.1f} s"
        if offset not in check.text:
            way = "behind" if offset_s > 0 else "ahead of"
            error = "" if error_s is None else f" (± {error_s:.1f} s)"
            parts.append(f"It is {offset}{error} {way} the venue's.")
    parts.append(check.permission_hint)
    if check.is_ok and check.equity is not None and not hides_amounts:
        parts.append(f"Equity {price_text(check.equity, 2)} {check.currency or ''}".strip() + ".")
    return " ".join(part for part in parts if part)


def answer_mark(answer: AccountAnswer) -> str:
    """✓ for what is well, ⚠ for what works but leaves something to mend, ✕ for what failed."""
    if not answer.is_ok:
        return FAILED_MARK
    return OK_MARK if answer.check is None or answer.check.is_flawless else WARNING_MARK


def _headed(head: str, text: str) -> str:
    """``text`` behind ``head``, unless it begins by saying the same."""
    return text if text.startswith(head.rstrip(".")) else f"{head} {text}".strip()


def waiting_text(waiting: KeyringWait, waited_s: float) -> str:
    """What the keyring is being asked, for how long, and where its dialog may be."""
    behind = f", {waiting.queued} more waiting" if waiting.queued else ""
    hint = " Its unlock dialog may be behind this window." if waited_s > 1.5 else ""
    return f"The keyring: {waiting.label}, {waited_s:.0f} s{behind}.{hint}"
