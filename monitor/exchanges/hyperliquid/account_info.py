"""Questions about one address to ``POST /info``: what they weigh, and errors that do not carry the address."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from monitor.domain.credentials import Address
from monitor.domain.errors import MonitorError
from monitor.exchanges.asking import Asking
from monitor.exchanges.hyperliquid.endpoints import INFO, PATH, InfoKind
from monitor.exchanges.hyperliquid.errors import unwrap
from monitor.transport.interface import Endpoint, Reply, Transport

T = TypeVar("T")

_HEADERS = {"Content-Type": "application/json"}
_encode = msgspec.json.Encoder().encode


def _kind(name: str, weight: int, rows_per_weight: int | None = None) -> tuple[str, InfoKind]:
    endpoint = Endpoint(name=f"hyperliquid.{name}", method="POST", path=PATH)
    return name, InfoKind(endpoint=endpoint, weight=weight, rows_per_weight=rows_per_weight)


ACCOUNT_INFO: Mapping[str, InfoKind] = MappingProxyType(
    {
        **INFO,
        **dict(
            [
                _kind("clearinghouseState", 2),
                _kind("spotClearinghouseState", 2),
                _kind("userAbstraction", 20),
                _kind("frontendOpenOrders", 20),
                _kind("historicalOrders", 20, rows_per_weight=20),
                _kind("userFills", 20, rows_per_weight=20),
                _kind("userFillsByTime", 20, rows_per_weight=20),
                _kind("userFunding", 20, rows_per_weight=20),
                _kind("portfolio", 20),
                _kind("userRateLimit", 20),
                _kind("subAccounts", 20),
                _kind("userRole", 60),
            ]
        ),
    }
)
"""By the ``type`` of the request, those about the market included."""

LISTS = msgspec.json.Decoder(list[Any])
OBJECTS = msgspec.json.Decoder(dict[str, Any])
TEXTS = msgspec.json.Decoder(str)


class AccountSession:
    """Asks about one address. Thread: any."""

    def __init__(self, transport: Transport, address: Address) -> None:
        self._transport = transport
        self._address = address

    @property
    def address(self) -> Address:
        """Whose account it is."""
        return self._address

    @property
    def transport(self) -> Transport:
        """What it asks through."""
        return self._transport

    def ask(
        self, asking: Asking, kind: str, decoder: msgspec.json.Decoder[T], body: Mapping[str, object] | None = None
    ) -> T:
        """The reply about the address. Blocks; raises ``MonitorError``. Rows are charged to the budget."""
        return self._ask(asking, kind, decoder, {"user": self._address.reveal(), **(body or {})}, is_null_empty=False)

    def ask_rows(self, asking: Asking, kind: str, body: Mapping[str, object] | None = None) -> list[Any]:
        """A list about the address; ``null`` is an empty one."""
        document = {"user": self._address.reveal(), **(body or {})}
        return self._ask(asking, kind, LISTS, document, is_null_empty=True)

    def ask_market(
        self, asking: Asking, kind: str, decoder: msgspec.json.Decoder[T], body: Mapping[str, object] | None = None
    ) -> T:
        """A reply that is not about the address."""
        return self._ask(asking, kind, decoder, body or {}, is_null_empty=False)

    def _ask(
        self,
        asking: Asking,
        kind: str,
        decoder: msgspec.json.Decoder[T],
        body: Mapping[str, object],
        *,
        is_null_empty: bool,
    ) -> T:
        info = ACCOUNT_INFO[kind]
        document = _encode({"type": kind, **body})
        failure: MonitorError | None = None
        try:
            reply = asking.send(info.endpoint, body=document, headers=_HEADERS, weight=info.weight)
            if is_null_empty and _is_null(reply):
                return decoder.decode(b"[]")
            value = unwrap(info.endpoint, decoder, reply)
        except MonitorError as error:
            failure = error
        if failure is not None:
            self._scrub(failure)
            raise failure
        if isinstance(value, list):
            weight = info.surcharge(len(value))
            if weight:
                self._transport.charge(info.endpoint, weight)
        return value

    def _scrub(self, error: MonitorError) -> None:
        """Take the address out of an error's texts; a 422 may quote the request."""
        for text in (self._address.reveal(), self._address.reveal()[2:]):
            error.user_text = _without(error.user_text, text)
            error.detail = _without(error.detail, text)
        error.args = (error.user_text,)
        error.__cause__ = None
        error.__context__ = None
        error.__traceback__ = None


def _without(text: str, hidden: str) -> str:
    # Whatever the case: addresses are written in mixed case as a checksum.
    place = text.lower().find(hidden)
    while place >= 0:
        text = f"{text[:place]}***{text[place + len(hidden) :]}"
        place = text.lower().find(hidden)
    return text


def _is_null(reply: Reply) -> bool:
    return reply.status == 200 and len(reply.body) <= 16 and reply.body.strip() == b"null"
