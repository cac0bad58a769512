"""Hand what Orthanc reports to the indexer process, without ever making Orthanc wait.

The callbacks put records on a queue and return; one thread writes them to the indexer's pipe; another reads what
the indexer acknowledges. Memory is bounded: where headers pile up only identifiers wait, and where even those
pile up they are let go, since the reconciler finds everything again in Orthanc's own list of changes.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from contextlib import suppress
from typing import IO, Any

from treegarth.orthanc.frames import Frame, FrameKind, encode_frame

_MOST_WAITING = 500_000  # frames, some 200 bytes each without their header
# What is stored meanwhile makes one batch; each write wakes both processes and takes Python's lock that a store needs.
_BETWEEN_WRITES_S = 0.5
_PAUSE = encode_frame(Frame(kind=FrameKind.PAUSE, about={}))

logger = logging.getLogger(__name__)


class IndexerFeed:
    """The queue between Orthanc's callbacks and the indexer, which may come and go."""

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._queue: queue.SimpleQueue[Frame | object] = queue.SimpleQueue()
        # Each counter has one writer, so none needs a lock: the callbacks are serialised by Orthanc.
        self._bytes_in = self._bytes_out = 0
        self._frames_in = self._frames_out = self._frames_gone = 0
        self._acknowledged = self._indexed = 0
        self.dropped_headers = 0
        self.dropped_frames = 0
        self.indexer_figures: dict[str, Any] = {}
        self._end_of_service: threading.Event | None = None  # also its mark in the queue
        self._writer: threading.Thread | None = None
        self._listener: threading.Thread | None = None

    def put(self, frame: Frame) -> None:
        """Queue a frame. Returns at once, whatever the state of the indexer."""
        if self._queue.qsize() >= _MOST_WAITING:
            self.dropped_frames += 1
            return
        if frame.data and self._bytes_in - self._bytes_out + len(frame.data) > self._limit:
            frame = Frame(kind=frame.kind, about=frame.about)
            self.dropped_headers += 1
        self._bytes_in += len(frame.data)
        self._frames_in += 1
        self._queue.put(frame)

    @property
    def waiting(self) -> int:
        """Frames that were not yet written to the indexer's pipe."""
        return self._queue.qsize()

    @property
    def waiting_bytes(self) -> int:
        return max(0, self._bytes_in - self._bytes_out)

    @property
    def indexed(self) -> int:
        """Instances that the index took up since the start: new to it, or stored again."""
        return self._indexed

    @property
    def pending(self) -> int:
        """Frames that the indexer has not yet acknowledged as committed."""
        return max(0, self._frames_in - self._frames_gone - self._acknowledged)

    def serve(self, pipe: IO[bytes], answers: IO[bytes]) -> None:
        """Feed an indexer until its pipe breaks or `release` is called. A former one has ended by now."""
        self.release()  # a writer that rests or waits for the former indexer would take frames that are this one's
        for former in (self._writer, self._listener):
            if former is not None:
                former.join(2.0)
        # What was handed to an indexer that died is not counted any more: its successor's reconciler finds it.
        self._frames_gone = self._frames_out - self._acknowledged
        end = self._end_of_service = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(answers,), name="indexer-answers", daemon=True)
        self._writer = threading.Thread(target=self._write, args=(pipe, end), name="indexer-feed", daemon=True)
        self._listener.start()
        self._writer.start()

    def release(self) -> None:
        """End the present service: what is queued before is still written, then the indexer's input is closed."""
        if self._end_of_service is not None:
            self._end_of_service.set()
            self._queue.put(self._end_of_service)

    def _write(self, pipe: IO[bytes], end: threading.Event) -> None:
        try:
            while (frame := self._queue.get()) is not end:
                if isinstance(frame, Frame):  # else: the end of a former service
                    self._bytes_out += len(frame.data)
                    self._frames_out += 1
                    pipe.write(encode_frame(frame))
                if self._queue.empty():
                    pipe.write(_PAUSE)
                    pipe.flush()
                    end.wait(_BETWEEN_WRITES_S)
            pipe.close()
        except (ValueError, OSError):
            logger.info("The indexer's pipe is closed; what it had not written comes back by the reconciler.")
            with suppress(ValueError, OSError):
                pipe.close()  # what is left in its buffer cannot be written either, and Python would complain of that

    def _listen(self, answers: IO[bytes]) -> None:
        for line in answers:
            try:
                answer = json.loads(line)
            except ValueError:
                logger.warning("The indexer sent a line that is no answer (%d bytes).", len(line))
                continue
            self._acknowledged += answer.pop("acknowledged", 0)
            self._indexed += answer.pop("indexed", 0)
            self.indexer_figures.update(answer)


def stored_frame(about: dict[str, Any], data: bytes) -> Frame:
    return Frame(kind=FrameKind.STORED, about=about, data=data)


def deleted_frame(level: str, orthanc_id: str) -> Frame:
    return Frame(kind=FrameKind.DELETED, about={"level": level, "id": orthanc_id})
