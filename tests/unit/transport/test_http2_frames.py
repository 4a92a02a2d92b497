import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.transport.http2.frames import GOAWAY, MAX_PAYLOAD_BYTES, FrameSplitter, FrameTooLarge


def frame(kind: int, stream_id: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream_id.to_bytes(4, "big") + payload


@given(
    frames=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=40)), max_size=8),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_frames_come_out_whole_however_they_arrive(frames: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    wire = b"".join(frame(*one) for one in frames)
    places = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    splitter = FrameSplitter()
    found = [one for start, end in itertools.pairwise(places) for one in splitter.feed(wire[start:end])]

    assert [(one.kind, one.stream_id) for one in found] == [(kind, stream_id) for kind, stream_id, _ in frames]
    assert b"".join(one.data for one in found) == wire


def test_goodbye_names_the_last_stream() -> None:
    (found,) = FrameSplitter().feed(frame(GOAWAY, 0, b"\x80\x00\x00\x07" + bytes(4)))
    assert (found.kind, found.last_stream_id) == (GOAWAY, 7)


def test_frame_beyond_what_we_allow_is_refused() -> None:
    head = frame(0, 1, b"x" * MAX_PAYLOAD_BYTES)
    assert len(list(FrameSplitter().feed(head))) == 1
    with pytest.raises(FrameTooLarge):
        list(FrameSplitter().feed((MAX_PAYLOAD_BYTES + 1).to_bytes(3, "big") + bytes(6)))
