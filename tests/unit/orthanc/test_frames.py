"""Frames survive the pipe, and a pipe that ends anywhere ends cleanly."""

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from treegarth.orthanc.frames import Frame, FrameKind, encode_frame, read_frame

frames = st.builds(
    Frame,
    kind=st.sampled_from(FrameKind),
    about=st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=20), st.none()), max_size=4),
    data=st.binary(max_size=200),
)


@given(sent=st.lists(frames, max_size=5))
def test_what_is_written_is_read(sent: list[Frame]) -> None:
    stream = BytesIO(b"".join(encode_frame(frame) for frame in sent))
    assert [read_frame(stream) for _ in sent] == sent
    assert read_frame(stream) is None


@given(frame=frames, cut=st.integers(min_value=1))
def test_a_pipe_that_breaks_inside_a_frame_gives_none(frame: Frame, cut: int) -> None:
    data = encode_frame(frame)
    assert read_frame(BytesIO(data[: -(cut % len(data)) or -1])) is None
