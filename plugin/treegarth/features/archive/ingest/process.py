"""The indexer process: frames from the plugin in, committed index rows out, an acknowledgement for each.

It ends when its input closes, after writing what it has. Where PostgreSQL or Orthanc do not answer it waits and
tries again; its input is bounded, so the plugin then keeps identifiers only, and the reconciler catches up.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import TextIO

from treegarth.errors import DatabaseUnavailable, OrthancRefused, OrthancUnavailable
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.sources import instance_of_frame
from treegarth.index.instances import Level
from treegarth.orthanc.frames import Frame, FrameKind, Readable, read_frame

_LARGEST_BATCH = 500  # frames
_MOST_BYTES = 64 * 2**20  # of headers in this process
_LONGEST_PAUSE_S = 5.0
_QUIET_S = 2.0  # without a frame: nothing arrives just now

logger = logging.getLogger(__name__)


class FrameBuffer:
    """Frames read ahead of the writer, bounded by the bytes they hold, in the batches that the plugin makes of them."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._due = 0  # of the frames: more are on their way to the others, and nobody is woken by each
        self._changed = threading.Condition()
        self._taken_at = -_QUIET_S
        self.ended = False

    @property
    def is_empty(self) -> bool:
        return not self._frames

    @property
    def is_busy(self) -> bool:
        """Whether something arrives these seconds."""
        return not self.is_empty or monotonic() - self._taken_at < _QUIET_S

    def fill_from(self, stream: Readable) -> None:
        """Read frames until the stream ends; waits while the buffer is full."""
        while (frame := read_frame(stream)) is not None:
            with self._changed:
                self._changed.wait_for(lambda: self._bytes < _MOST_BYTES)
                self._add(frame)
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _add(self, frame: Frame) -> None:
        if frame.kind is not FrameKind.PAUSE:
            self._frames.append(frame)
            self._bytes += len(frame.data)
        whole_batches = len(self._frames) // _LARGEST_BATCH * _LARGEST_BATCH
        is_end = frame.kind is FrameKind.PAUSE or self._bytes >= _MOST_BYTES
        due = len(self._frames) if is_end else max(self._due, whole_batches)
        if due > self._due:
            self._due = due
            self._changed.notify_all()

    def take(self) -> list[Frame]:
        """The next batch; empty only when the stream has ended and everything was taken."""
        with self._changed:
            self._changed.wait_for(lambda: self._due or self.ended)
            batch = [self._frames.popleft() for _ in range(min(len(self._frames), _LARGEST_BATCH))]
            self._bytes -= sum(len(frame.data) for frame in batch)
            self._due = max(0, self._due - len(batch))
            self._taken_at = monotonic()
            self._changed.notify_all()
            return batch


class Answers:
    """What the plugin is told, a line of JSON each time; by several threads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def tell(self, **figures: float | None) -> None:
        with self._lock:
            print(json.dumps(figures), file=self._stream, flush=True)


class Indexer:
    """Takes batches off the buffer and writes them, again and again until each is through."""

    def __init__(
        self,
        *,
        writer: BatchWriter,
        frames: FrameBuffer,
        answers: Answers,
        wake_reconciler: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._frames = frames
        self._answers = answers
        self._wake_reconciler = wake_reconciler
        self._clock = clock
        self._lags_s: deque[float] = deque(maxlen=2000)

    def run(self) -> None:
        """Work until the input has ended and all of it is written."""
        while batch := self._frames.take():
            self._write_until_done(batch)
            self._acknowledge(batch)

    def _write_until_done(self, batch: Sequence[Frame]) -> None:
        pause_s = 0.2
        while True:
            try:
                self._write(batch)
                return
            except (DatabaseUnavailable, OrthancUnavailable, OrthancRefused) as error:
                if self._frames.ended and isinstance(error, OrthancUnavailable | OrthancRefused):
                    logger.info("Orthanc has ended; what is left of this batch comes back by the reconciler.")
                    return
                logger.warning("A batch of %d waits %.1f s: %s", len(batch), pause_s, error)
            threading.Event().wait(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    def _write(self, batch: Sequence[Frame]) -> None:
        stored = [instance_of_frame(frame) for frame in batch if frame.kind is FrameKind.STORED]
        if stored:
            self._writer.write_new(stored)
        deleted = [frame.about for frame in batch if frame.kind is FrameKind.DELETED]
        for level in Level:  # from patients down: what lies beneath is gone from the index by then
            identifiers = [about["id"] for about in deleted if about["level"] == level.value]
            if identifiers:
                self._writer.remove(level, identifiers)
        if any(frame.kind is FrameKind.RECONCILE for frame in batch):
            self._wake_reconciler()

    def _acknowledge(self, batch: Sequence[Frame]) -> None:
        now = self._clock().timestamp()
        self._lags_s.extend(now - frame.about["at"] for frame in batch if frame.kind is FrameKind.STORED)
        lags = sorted(self._lags_s)
        self._answers.tell(
            acknowledged=len(batch),
            lag_median_s=lags[len(lags) // 2] if lags else None,
            lag_p99_s=lags[min(len(lags) - 1, round(len(lags) * 0.99))] if lags else None,
        )
