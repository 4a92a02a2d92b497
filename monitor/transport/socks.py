"""The client's side of SOCKS 5 (RFC 1928) with user name and password (RFC 1929), on a socket that is connected."""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

SCHEMES = ("socks5", "socks5h")
_DEFAULT_PORT = 1080
_NO_AUTHENTICATION, _PASSWORD = 0, 2


class SocksRefused(OSError):
    """The proxy did not connect us, or does not speak SOCKS 5."""


class SocksPasswordRefused(SocksRefused):
    """It wants a user name and password, or others than it got."""


@dataclass(frozen=True, slots=True)
class SocksProxy:
    """Where the proxy is. ``looks_up``: it is given host names (``socks5h``), else addresses that we looked up."""

    host: str
    port: int
    looks_up: bool
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> "SocksProxy":
        """Read ``socks5://`` or ``socks5h://[user:password@]host[:port]``; ``ValueError`` when it is neither."""
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError("a SOCKS proxy is socks5://host:port or socks5h://host:port")
        user = unquote(parts.username) if parts.username else None
        port = parts.port or _DEFAULT_PORT
        return cls(parts.hostname, port, parts.scheme == "socks5h", user, unquote(parts.password or ""))

    def open(self, sock: socket.socket, host: str, port: int, left_s: Callable[[], float | None]) -> None:
        """Have the proxy at the other end of ``sock`` connect to ``host``; every wait is bounded by ``left_s()``.

        Raises ``SocksRefused``, ``TimeoutError``, or what the socket raises.
        """

        def read(count: int) -> bytes:
            data = b""
            while len(data) < count:
                sock.settimeout(left_s())
                part = sock.recv(count - len(data))
                if not part:
                    raise SocksRefused("the proxy hung up")
                data += part
            return data

        sock.settimeout(left_s())
        methods = bytes([_NO_AUTHENTICATION] if self.user is None else [_NO_AUTHENTICATION, _PASSWORD])
        sock.sendall(bytes([5, len(methods)]) + methods)
        version, method = read(2)
        if version != 5:
            raise SocksRefused("not a SOCKS 5 proxy")
        if method == _PASSWORD and self.user is not None:
            user, password = self.user.encode()[:255], self.password.encode()[:255]
            sock.sendall(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
            if read(2)[1] != 0:
                raise SocksPasswordRefused("wrong user name or password")
        elif method != _NO_AUTHENTICATION:
            raise SocksPasswordRefused("a user name and password are needed")
        sock.sendall(b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"))
        _, reply, _, kind = read(4)
        if reply != 0:
            raise SocksRefused(f"the proxy answered {reply}")
        read({1: 4, 4: 16}.get(kind) or read(1)[0])
        read(2)


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("idna")
        return bytes([3, len(name)]) + name
    return bytes([1 if address.version == 4 else 4]) + address.packed
