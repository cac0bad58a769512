"""The feed never makes its caller wait, keeps memory bounded, and counts what is on its way."""

import json
import os
from time import monotonic, sleep

from treegarth.host.feed import IndexerFeed, deleted_frame, stored_frame
from treegarth.orthanc.frames import Frame, FrameKind, read_frame


class PipedIndexer:
    """The other end of the feed, by real pipes."""

    def __init__(self) -> None:
        frames_out, frames_in = os.pipe()
        answers_out, answers_in = os.pipe()
        self.input, self.output = os.fdopen(frames_in, "wb"), os.fdopen(answers_out, "rb")
        self.frames, self.answers = os.fdopen(frames_out, "rb"), os.fdopen(answers_in, "wb")

    def read(self) -> Frame | None:
        """The next frame that holds something."""
        while (frame := read_frame(self.frames)) is not None and frame.kind is FrameKind.PAUSE:
            continue
        return frame

    def acknowledge(self, count: int) -> None:
        self.tell(acknowledged=count, lag_p99_s=0.2)

    def tell(self, **figures: float) -> None:
        self.answers.write(json.dumps(figures).encode() + b"\n")
        self.answers.flush()

    def die(self) -> None:
        self.frames.close()
        self.answers.close()


def until(condition: object, seconds: float = 5.0) -> None:
    deadline = monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert monotonic() < deadline, "it did not come to pass"
        sleep(0.01)


def test_frames_wait_for_an_indexer_and_are_counted_until_acknowledged() -> None:
    feed, indexer = IndexerFeed(limit_bytes=1000), PipedIndexer()
    feed.put(stored_frame({"id": "a"}, b"header"))
    feed.put(deleted_frame("studies", "b"))
    assert (feed.waiting, feed.pending) == (2, 2)

    feed.serve(indexer.input, indexer.output)

    first, second = indexer.read(), indexer.read()
    assert first == Frame(kind=FrameKind.STORED, about={"id": "a"}, data=b"header")
    assert second is not None
    assert second.about == {"level": "studies", "id": "b"}
    assert feed.pending == 2
    indexer.tell(indexed=1)  # the other one is a deletion
    indexer.acknowledge(2)
    until(lambda: feed.pending == 0)
    assert feed.indexed == 1
    assert feed.indexer_figures["lag_p99_s"] == 0.2
    feed.release()
    assert indexer.read() is None


def test_what_was_waiting_is_handed_over_together_and_then_comes_a_pause() -> None:
    feed, indexer = IndexerFeed(limit_bytes=1000), PipedIndexer()
    for one in "abc":
        feed.put(stored_frame({"id": one}, b""))
    feed.serve(indexer.input, indexer.output)
    frames = [read_frame(indexer.frames) for _ in range(4)]
    assert [frame.about.get("id", frame.kind) for frame in frames if frame] == ["a", "b", "c", FrameKind.PAUSE]
    feed.release()


def test_headers_beyond_the_limit_are_let_go_but_not_their_identifiers() -> None:
    feed, indexer = IndexerFeed(limit_bytes=100), PipedIndexer()
    for number in range(5):
        feed.put(stored_frame({"id": str(number)}, bytes(40)))
    assert feed.dropped_headers == 3
    feed.serve(indexer.input, indexer.output)
    received = [indexer.read() for _ in range(5)]
    assert [frame.about["id"] for frame in received if frame] == ["0", "1", "2", "3", "4"]
    assert [len(frame.data) for frame in received if frame] == [40, 40, 0, 0, 0]
    feed.release()


def test_a_new_indexer_takes_over_from_one_that_died() -> None:
    feed, first, second = IndexerFeed(limit_bytes=1000), PipedIndexer(), PipedIndexer()
    feed.serve(first.input, first.output)
    feed.put(stored_frame({"id": "lost"}, b""))
    assert first.read() is not None
    first.die()
    feed.put(stored_frame({"id": "perhaps lost, too"}, b""))  # this breaks the pipe
    until(lambda: feed.waiting == 0)

    feed.serve(second.input, second.output)
    feed.put(stored_frame({"id": "kept"}, b""))

    frame = second.read()
    assert frame is not None
    assert frame.about["id"] == "kept"
    assert feed.pending == 1  # what the dead one had is the reconciler's
    feed.release()


def test_a_writer_that_rests_takes_nothing_from_the_successor_of_its_indexer() -> None:
    feed, first, second = IndexerFeed(limit_bytes=1000), PipedIndexer(), PipedIndexer()
    feed.serve(first.input, first.output)
    feed.put(stored_frame({"id": "lost"}, b""))
    assert first.read() is not None
    first.die()
    feed.serve(second.input, second.output)
    for number in range(6):
        feed.put(stored_frame({"id": number}, b""))
        sleep(0.2)
    received = [second.read() for _ in range(6)]
    assert [frame.about["id"] for frame in received if frame] == list(range(6))
    assert feed.pending == 6
    second.acknowledge(6)
    until(lambda: feed.pending == 0)
    feed.release()


def test_the_pipe_of_an_indexer_that_died_is_closed_with_what_could_not_be_written() -> None:
    feed, indexer = IndexerFeed(limit_bytes=1000), PipedIndexer()
    feed.serve(indexer.input, indexer.output)
    indexer.die()
    feed.put(stored_frame({"id": "a"}, b"header"))
    until(lambda: indexer.input.closed)
