"""HTTP/2 frames as far as counting needs them: whose they are and how long. Format: RFC 9113, section 4.1."""

from collections.abc import Iterator
from typing import NamedTuple

GOAWAY = 7
REPLY_KINDS = frozenset({0, 1, 9})
"""DATA, HEADERS, CONTINUATION: what a reply is made of. Others speak of the stream, and no reply has begun."""
_HEAD_BYTES = 9
MAX_PAYLOAD_BYTES = 16 * 1024
"""What we allow the other side; the protocol's own default."""


class FrameTooLarge(OSError):
    """A frame is longer than we allow: not HTTP/2, or not for us. An ``OSError``: the connection is of no more use."""


class Frame(NamedTuple):
    """One whole frame; ``data`` includes its 9-byte head."""

    kind: int
    stream_id: int
    data: bytes

    @property
    def last_stream_id(self) -> int:
        """Of a GOAWAY: the last stream the other side has looked at (RFC 9113, section 6.8)."""
        return int.from_bytes(self.data[_HEAD_BYTES : _HEAD_BYTES + 4], "big") & 0x7FFFFFFF


class FrameSplitter:
    """Cuts a stream of bytes into frames. Pure; one per direction."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that ``data`` completes. Raises ``FrameTooLarge``."""
        buffer = self._rest + data
        start = 0
        try:
            while len(buffer) - start >= _HEAD_BYTES:
                length = int.from_bytes(buffer[start : start + 3], "big")
                if length > MAX_PAYLOAD_BYTES:
                    raise FrameTooLarge(f"a frame of {length} bytes")
                end = start + _HEAD_BYTES + length
                if len(buffer) < end:
                    break
                stream_id = int.from_bytes(buffer[start + 5 : start + 9], "big") & 0x7FFFFFFF
                frame = Frame(buffer[start + 3], stream_id, buffer[start:end])
                start = end
                yield frame
        finally:
            self._rest = buffer[start:]
