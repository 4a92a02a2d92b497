"""Running work that may fail in any way, and turning what happened into values that may cross threads."""

import logging
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from monitor.domain.errors import BudgetExhausted, ErrorKind, Failure, MonitorError
from monitor.domain.redaction import redact
from monitor.domain.telemetry import RequestTrace

_log = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_DETAIL_CHARS = 2_000


class Outcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Exactly one of ``value`` and ``failure`` is meant: ``failure`` is ``None`` when the work came back.

    ``traces`` are what the failed attempts cost. ``is_unsent`` says that our own budget refused before anything went
    out.
    """

    value: T | None = None
    failure: Failure | None = None
    traces: tuple[RequestTrace, ...] = ()
    is_unsent: bool = False


def attempt(work: Callable[[], T], *, name: str) -> Outcome[T]:
    """Run ``work``; whatever it raises becomes a failure, so that a mistake in one endpoint never ends a worker thread.

    Blocks as long as ``work`` does. ``name`` is what the log calls it.
    """
    try:
        return Outcome(value=work())
    except MonitorError as error:
        traces = tuple(trace for trace in error.traces if isinstance(trace, RequestTrace))
        is_unsent = isinstance(error, BudgetExhausted) and not traces
        return Outcome(failure=Failure.from_error(error), traces=traces, is_unsent=is_unsent)
    except Exception as error:  # noqa: BLE001 - the one broad handler: the last line of every worker thread
        detail = _describe(error)
        _log.error("%s failed unexpectedly: %s", name, detail)
        user_text = f"{name}: internal error ({type(error).__name__}); the log has the details"
        return Outcome(failure=Failure(kind=ErrorKind.INTERNAL, user_text=user_text, detail=detail))


def _describe(error: Exception) -> str:
    """Type, redacted text and code positions of ``error``; no locals, so no credentials from the frames."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
    return redact(f"{type(error).__name__}: {error} at {places}")[:_MAX_DETAIL_CHARS]
