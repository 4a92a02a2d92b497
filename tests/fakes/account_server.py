"""A loopback venue with the account side of both: Bitunix signatures verified, usual replies, and what went over it."""

import hashlib
import json
from urllib.parse import parse_qsl, urlsplit

from monitor.transport.interface import Endpoint
from tests.fakes.account_data import KEY, SECRET, bitunix_answer, hyperliquid_answers
from tests.fakes.fake_transport import Asked
from tests.fakes.tls_server import Received


def expected_sign(received: Received, *, key: str = KEY, secret: str = SECRET) -> str:
    """The signature that a request should have, computed here and not by the code under test."""
    pairs = sorted(parse_qsl(urlsplit(received.target).query, keep_blank_values=True))
    query = "".join(name + value for name, value in pairs)
    text = received.headers["nonce"] + received.headers["timestamp"] + key + query
    digest = hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256((digest + secret).encode()).hexdigest()


class AccountVenue:
    """A behaviour for ``LoopbackServer`` that answers as the usual account; ``signatures`` is every one it was sent."""

    def __init__(self, *, secret: str = SECRET) -> None:
        self.secret = secret
        self.signatures: list[str] = []
        self.nonces: list[str] = []

    def __call__(self, received: Received) -> None:
        """Answer one request."""
        received.reply(self.body_for(received))

    def note(self, received: Received) -> None:
        """Remember what signed a request."""
        if "sign" in received.headers:
            self.signatures.append(received.headers["sign"])
            self.nonces.append(received.headers["nonce"])

    def body_for(self, received: Received) -> bytes:
        """The usual reply, or a refusal of the signature."""
        self.note(received)
        parts = urlsplit(received.target)
        if parts.path == "/info":
            answer = hyperliquid_answers()(_asked(body=received.body))
        elif received.headers.get("sign") != expected_sign(received, secret=self.secret):
            return json.dumps({"code": 10007, "data": None, "msg": "sign error"}).encode()
        else:
            answer = bitunix_answer(_asked(path=parts.path, params=dict(parse_qsl(parts.query))))
        assert isinstance(answer, bytes)
        return answer


def _asked(*, path: str = "/info", params: dict[str, str] | None = None, body: bytes | None = None) -> Asked:

    return Asked(Endpoint(name="test", method="GET", path=path), params, body, None, 1)
