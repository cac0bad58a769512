"""The file in which events wait while the database is away: a JSON text a line, and on the disk."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from treegarth.audit.model import Event, from_json, to_json

PIECE = 500
"""Events that are written to the database at once."""

logger = logging.getLogger(__name__)


class Journal:
    """Of one server; one thread at a time uses it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._done = 0  # bytes from the beginning that the database has
        self.waiting = sum(1 for _ in self._entries())

    def append(self, events: Sequence[tuple[str, Event]]) -> None:
        """Add events with their keys. Raises OSError where they are not on the disk."""
        lines = [json.dumps({"key": key, **to_json(event)}, ensure_ascii=False).encode() for key, event in events]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            torn = size and os.pread(handle, 1, size - 1) != b"\n"  # a line that a crash cut off: end it
            try:
                _write_whole(handle, (b"\n" if torn else b"") + b"".join(one + b"\n" for one in lines))
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        self.waiting += len(events)

    def first(self) -> tuple[list[tuple[str, Event]], int]:
        """The next events that the database does not have, and where they end."""
        found = list(islice(self._entries(), PIECE))
        return [(key, event) for key, event, _ in found], found[-1][2] if found else self._done

    def forget(self, count: int, end: int) -> None:
        """The database has them; the file goes with the last one."""
        self._done, self.waiting = end, self.waiting - count
        if self.waiting <= 0:
            self._file.unlink(missing_ok=True)
            self._done = self.waiting = 0

    def _entries(self) -> Iterator[tuple[str, Event, int]]:
        """Each with where it ends; a line that is cut off is no event."""
        try:
            file = self._file.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            logger.error("%s cannot be read: %s. What waits in it follows when it can.", self._file, error.strerror)
            return
        with file:
            file.seek(self._done)
            end = self._done
            for line in file:
                end += len(line)
                try:
                    given = json.loads(line)
                    yield str(given["key"]), from_json(given), end
                except (ValueError, KeyError, TypeError):
                    logger.error("A line of %s is no event of the audit trail: a crash cut it off.", self._file)


def _write_whole(handle: int, data: bytes) -> None:
    """Raises OSError where not all of it fits."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
