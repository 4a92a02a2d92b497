"""What may be asked of a venue: the read-only list, checked before a socket is touched."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from monitor.domain.errors import ReadOnlyViolation

# No percent sign, backslash, semicolon, question mark, space or control character: nothing that two parsers could
# read differently.
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?|/")

# Headers that change which request this is, or to whom it goes.
_MEANING_HEADERS = frozenset(
    {
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
    }
)
# Besides, a caller has no say in what requests and urllib3 write themselves.
_CALLER_HEADERS = _MEANING_HEADERS | {"connection", "content-length", "cookie", "proxy-authorization"}

_DEFAULT_PORTS = {"http": 80, "https": 443}

_REMEMBERED_TARGETS = 256
"""Endpoints are a few dozen; a caller that invents more is checked in full each time instead of filling memory."""


class AllowedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a read-only list: a method, and either exactly ``path`` or everything below ``path_prefix``.

    Paths are those of the venue, without the path of the base URL. ``path_prefix`` ends with a slash.
    """

    method: str
    path: str | None = None
    path_prefix: str | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.path_prefix is None):
            raise ValueError("give either path or path_prefix")
        if self.path_prefix is not None and not self.path_prefix.endswith("/"):
            raise ValueError("path_prefix must end with a slash")

    def matches(self, method: str, path: str) -> bool:
        """Whether a request is on this line. ``path`` has passed the check for plain characters."""
        if method != self.method:
            return False
        if self.path is not None:
            return path == self.path
        return self.path_prefix is not None and path.startswith(self.path_prefix)


class Origin(msgspec.Struct, frozen=True):
    """Where requests go: scheme, host and port of a base URL, and the path it puts before every endpoint's."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, base_url: str) -> "Origin":
        """Read ``base_url``; ``ValueError`` when it is not ``http(s)://host[:port][/path]`` and nothing else."""
        parts = urlsplit(base_url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
            raise ValueError("a base URL begins with http:// or https:// and names a host")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("a base URL has no user, query or fragment")
        path = parts.path.rstrip("/")
        if path and not is_plain_path(path):
            raise ValueError("the path of a base URL may only have letters, digits and . _ ~ -")
        return cls(parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme], path)

    @property
    def address(self) -> str:
        """``host:port`` for people and for metrics."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Scheme, host and port without a path; the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return f"{self.scheme}://{host}"
        return f"{self.scheme}://{host}:{self.port}"


def is_plain_path(path: str) -> bool:
    """Whether ``path`` can be read in one way only: absolute, no empty, ``.`` or ``..`` segment, no escapes."""
    if _PLAIN_PATH.fullmatch(path) is None:
        return False
    return not any(segment in {".", ".."} for segment in path.split("/"))


class ReadOnlyPolicy:
    """The read-only list of one venue, for the origins it is reached at.

    Thread: any; checks are pure apart from a bounded memory of targets found allowed.
    """

    def __init__(self, origins: tuple[Origin, ...], allowed: tuple[AllowedRequest, ...]) -> None:
        self._origins = origins
        # Compared as text, not parsed: a URL that only some parser reads as our origin is not ours.
        self._bases = tuple((origin, origin.url + "/") for origin in origins)
        self._allowed = allowed
        self._allowed_targets: set[tuple[str, str]] = set()

    def check_endpoint(self, method: str, path: str) -> None:
        """Raise ``ReadOnlyViolation`` unless ``method`` and ``path`` (without base path and query) are on the list."""
        if not is_plain_path(path):
            raise ReadOnlyViolation(
                "A request was refused before it was sent: its path is not a plain path.", detail=f"method {method}"
            )
        if not any(rule.matches(method, path) for rule in self._allowed):
            raise ReadOnlyViolation(
                "A request was refused before it was sent: it is not on the read-only list.", detail=f"method {method}"
            )

    def check_url(self, method: str, url: str) -> None:
        """The same for a whole URL, for those who hold the inner session; the last gate before a socket."""
        target = url.partition("?")[0]
        if (method, target) in self._allowed_targets:
            return
        origin = self.origin_of(target)
        base = origin.url + origin.path
        if not target.startswith(base + "/"):
            raise ReadOnlyViolation("A request was refused before it was sent: it is outside the venue's base path.")
        self.check_endpoint(method, target[len(base) :])
        if len(self._allowed_targets) < _REMEMBERED_TARGETS:
            self._allowed_targets.add((method, target))

    def origin_of(self, url: str) -> Origin:
        """Which of our origins ``url`` is at; ``ReadOnlyViolation`` when none."""
        for origin, base in self._bases:
            if url.startswith(base):
                return origin
        raise ReadOnlyViolation("A request was refused before it was sent: it goes to another host.")

    @staticmethod
    def check_extras(
        method: str, headers: Mapping[str, str] | None, body: object, *, is_prepared: bool = False
    ) -> None:
        """Raise ``ReadOnlyViolation`` for a GET with a body or a header that would make it another request.

        ``is_prepared``: the headers are a whole prepared request's, not what a caller adds.
        """
        if body is not None and method == "GET":
            raise ReadOnlyViolation("A request was refused before it was sent: a GET has no body.")
        if headers is not None:
            forbidden = _MEANING_HEADERS if is_prepared else _CALLER_HEADERS
            for name in headers:
                if name.lower() in forbidden:
                    raise ReadOnlyViolation(
                        "A request was refused before it was sent: one of its headers could change its meaning."
                    )
