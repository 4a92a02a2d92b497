"""Keeps URLs out of the log: urllib3 and httpx write them, with query, at several levels; hpack writes headers."""

import logging

_LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
    "httpx",
    "hpack.hpack",
    "hpack.table",
)


class _Redact(logging.Filter):
    """Passes on what was logged, without texts: of the arguments only numbers and class names stay."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; always keep it, except for "Retrying", which every healed request would write."""
        if str(record.msg).startswith("Retrying ("):
            return False
        if isinstance(record.args, tuple):
            record.args = tuple(_redacted(argument) for argument in record.args)
        elif record.args:
            record.args = None
            record.msg = "(redacted)"
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _redacted(argument: object) -> object:
    if isinstance(argument, int | float) or argument is None:
        return argument
    if isinstance(argument, str) and len(argument) <= 8 and argument.isalnum():
        return argument  # a method, a scheme, a protocol
    return f"<{type(argument).__name__}>"


_REDACT = _Redact()


def silence_urls() -> None:
    """Install the filter on the loggers of the HTTP libraries. Doing it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_REDACT)
