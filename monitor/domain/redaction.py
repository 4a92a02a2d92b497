"""Removing secrets from text that people or log files will see. Pure.

The first defence is not to put a secret into text at all; this is the second, for texts that others wrote: library
exceptions, venue replies, tracebacks.
"""

import re

# Names whose value is a secret, as a header, a query parameter, a JSON field or a keyword argument.
_SENSITIVE_NAMES = (
    r"(?:x-)?api[-_ ]?key|api[-_ ]?secret|access[-_ ]?key|secret(?:[-_ ]?key)?|private[-_ ]?key"
    r"|passphrase|password|passwd|sign(?:ature)?|nonce|token|cookie|set-cookie"
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # The whole value of an authorization header, which has a scheme word and a space in it.
    (
        re.compile(
            r"""(?i)\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:basic|bearer|digest)\s+)?[^\s"',;]+"""
        ),
        r"\1***",
    ),
    # User name and password of a URL, a proxy's for example. A password may hold an @, hence up to the last one.
    # Bounded, so that no text of a venue can make this slow.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/?#\"'<>]{0,400}@"), r"\1***@"),
    # A query: anything with an equals sign behind a question mark that follows no space.
    (re.compile(r"(?<=[^\s?])\?[^\s\"'<>()?=]*=[^\s\"'<>()]*"), "?***"),
    # name: value, name=value, "name": "value", 'name': b'value', name%3Dvalue.
    (
        re.compile(
            rf"""(?i)(?<![a-z0-9])((?:{_SENSITIVE_NAMES})["']?\s*(?:[:=]|%3d)\s*b?)("[^"]*"|'[^']*'|[^\s"'&,;)}}\]]+)"""
        ),
        r"\1***",
    ),
    # Keys, digests and signatures by their look: a venue key is 32 hex digits, a digest or private key 64.
    (re.compile(r"(?i)(?:0x)?[0-9a-f]{64,}"), "<64 hex digits>"),
    # A public address is no secret, but whose it is nobody's business.
    (re.compile(r"(?i)(0x[0-9a-f]{4})[0-9a-f]{32}([0-9a-f]{4})(?![0-9a-f])"), r"\1…\2"),
    (re.compile(r"(?i)[0-9a-f]{32,}"), "<hex digits>"),
)


def redact(text: str) -> str:
    """Return ``text`` without URL credentials, queries, named secrets and long hexadecimal runs."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
