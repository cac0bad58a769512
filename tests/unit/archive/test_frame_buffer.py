"""The indexer's batches: what the plugin hands over before it pauses, or as much as one transaction takes."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor, TimeoutError
from io import BytesIO

import pytest

from treegarth.features.archive.ingest.process import FrameBuffer
from treegarth.host.feed import stored_frame
from treegarth.orthanc.frames import Frame, FrameKind, encode_frame

PAUSE = encode_frame(Frame(kind=FrameKind.PAUSE, about={}))


def frames(*names: object) -> bytes:
    return b"".join(encode_frame(stored_frame({"id": str(name)}, b"header")) for name in names)


def names(batch: list[Frame]) -> list[str]:
    return [frame.about["id"] for frame in batch]


class Filled:
    """A buffer that reads from a pipe."""

    def __init__(self) -> None:
        readable, writable = os.pipe()
        self.input = os.fdopen(writable, "wb", buffering=0)
        self.buffer = FrameBuffer()
        self._executor = ThreadPoolExecutor(1)
        threading.Thread(target=self.buffer.fill_from, args=(os.fdopen(readable, "rb"),), daemon=True).start()

    def take(self, timeout_s: float = 5.0) -> list[str]:
        return names(self._executor.submit(self.buffer.take).result(timeout_s))


def test_frames_wait_for_the_pause_that_makes_them_a_batch() -> None:
    filled = Filled()
    filled.input.write(frames("a", "b"))
    taken = ThreadPoolExecutor(1).submit(filled.buffer.take)
    with pytest.raises(TimeoutError):
        taken.result(0.2)
    filled.input.write(frames("c") + PAUSE + frames("d"))
    assert names(taken.result(5))[:3] == ["a", "b", "c"]
    filled.input.write(PAUSE)
    filled.input.close()


def test_a_pause_without_frames_makes_no_batch() -> None:
    filled = Filled()
    filled.input.write(PAUSE + PAUSE + frames("a"))
    taken = ThreadPoolExecutor(1).submit(filled.buffer.take)
    with pytest.raises(TimeoutError):
        taken.result(0.2)
    filled.input.write(PAUSE)
    assert names(taken.result(5)) == ["a"]
    filled.input.close()
    assert filled.take() == []


def test_many_frames_are_taken_before_a_pause_and_none_is_left_behind() -> None:
    filled = Filled()
    filled.input.write(frames(*range(1201)))
    assert [len(filled.take()) for _ in range(2)] == [500, 500]
    filled.input.write(PAUSE)
    assert len(filled.take()) == 201
    filled.input.close()
    assert filled.take() == []


def test_the_end_of_the_input_gives_what_is_left() -> None:
    filled = Filled()
    filled.input.write(frames("a", "b"))
    filled.input.close()
    assert filled.take() == ["a", "b"]
    assert filled.take() == []


def test_a_buffer_is_busy_while_frames_wait_and_for_a_moment_after_they_were_taken() -> None:
    buffer = FrameBuffer()
    assert not buffer.is_busy
    buffer.fill_from(BytesIO(frames("a") + PAUSE))
    assert buffer.is_busy
    buffer.take()
    assert buffer.is_busy
    assert buffer.is_empty
