"""Bitunix's request signature: SHA-256 twice, no HMAC. Pure.

``digest = hex(sha256(nonce + timestamp + api_key + query + body))``, ``sign = hex(sha256(digest + secret))`` (the
venue's sign page; its Go demo's test vector and five more are in the tests). ``query`` is every parameter's key and raw
value, sorted by key, with nothing between. Method, path and host are not part of it.

Nothing here may be logged: not the secret, not what is hashed, not the result.
"""

import secrets
from collections.abc import Mapping
from hashlib import sha256

from monitor.domain.credentials import Hidden


def text_params(params: Mapping[str, str | int | bool | None]) -> dict[str, str]:
    """Parameters as they are sent and signed: text, sorted by key in byte order, without the empty ones."""
    texts = {name: _text(value) for name, value in params.items() if value is not None and value != ""}
    return {name: texts[name] for name in sorted(texts, key=str.encode)}


def query_text(params: Mapping[str, str]) -> str:
    """The part of the hashed text that stands for the query: ``limit100symbolBTCUSDT``."""
    return "".join(name + params[name] for name in sorted(params, key=str.encode))


def sign(*, api_key: str, secret: str, nonce: str, timestamp: str, params: Mapping[str, str], body: str = "") -> str:
    """The signature, 64 lower-case hexadecimal digits."""
    digest = sha256((nonce + timestamp + api_key + query_text(params) + body).encode()).hexdigest()
    return sha256((digest + secret).encode()).hexdigest()


def make_nonce() -> str:
    """32 random hexadecimal digits; a new one for every request."""
    return secrets.token_hex(16)


def signed_headers(
    *, api_key: Hidden, secret: Hidden, nonce: str, timestamp_ms: int, params: Mapping[str, str]
) -> dict[str, str]:
    """The headers of a signed GET whose query is ``params``. ``timestamp_ms``: since 1970, on the venue's clock."""
    timestamp = str(timestamp_ms)
    return {
        "api-key": api_key.reveal(),
        "nonce": nonce,
        "timestamp": timestamp,
        "sign": sign(api_key=api_key.reveal(), secret=secret.reveal(), nonce=nonce, timestamp=timestamp, params=params),
        "Content-Type": "application/json",
        "language": "en-US",
    }


def _text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
