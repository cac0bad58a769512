"""Read stale series anew: those whose attributes are not known to be of an object that is here.

A series becomes stale when the object is deleted that its attributes are of; all were when this was introduced. The
state is in the database, so it goes on after a restart. It pauses a tenth of the time, and nine tenths of it while new
objects arrive. One mender works for all Orthancs that share an index.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import monotonic

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.database.locks import CheckLock, alone
from treegarth.errors import TreegarthError
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.store import stale_series as store
from treegarth.features.archive.store.stale_series import StaleSeries
from treegarth.features.archive.works import MENDING
from treegarth.work import store as works

_LOCK = 7_473_002  # one mender for a site
_CHUNK = 50  # series
_LOOKS_AGAIN_S = 10.0  # other processes mark series as stale as well; to look costs a look into an index
_SHARE, _SHARE_WHEN_BUSY = 0.9, 0.1  # of the time that it works

logger = logging.getLogger(__name__)


class StaleHints:
    """Series that may have become stale in this process just now. They need not wait for the end of a long reading; who
    loses a hint finds the row."""

    def __init__(self) -> None:
        self._series: set[str] = set()
        self._changed = threading.Condition()
        self._is_closed = False

    def note(self, orthanc_series_ids: Iterable[str]) -> None:
        with self._changed:
            self._series.update(orthanc_series_ids)
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Until there are some, but not longer than that."""
        with self._changed:
            self._changed.wait_for(lambda: self._series or self._is_closed, seconds)

    def take(self) -> list[str]:
        with self._changed:
            found, self._series = sorted(self._series), set()
        return found


class Mender:
    """Reads stale series until `stop` is set."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: BatchWriter,
        hints: StaleHints,
        clock: Callable[[], datetime],
        interval_s: float,
        is_busy: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._hints = hints
        self._clock = clock
        self._interval_s = interval_s
        self._is_busy = is_busy
        self._stop = threading.Event()

    def stop(self) -> None:
        """End at the next chunk."""
        self._stop.set()
        self._hints.close()

    def run(self) -> None:
        """Look at once, at every hint, and again and again. An outage ends one round, not the mender."""
        while not self._stop.is_set():
            self._mend_as_the_one()
            self._hints.wait(min(self._interval_s, _LOOKS_AGAIN_S))

    def _mend_as_the_one(self) -> None:
        """Hints that cannot be followed now are dropped: the rows say the same."""
        try:
            with alone(self._engine, _LOCK) as check_lock:
                if check_lock is not None:
                    self._mend(check_lock)
                    return
        except TreegarthError as error:
            logger.info("The mender waits: %s", error)
        except Exception:
            logger.exception("A round of the mender failed; the next one begins anew.")
        self._hints.take()

    def _mend(self, check_lock: CheckLock) -> None:
        """Read each series that is stale now once. What takes longer than a chunk is a long work."""
        after, number, done, spent_s = "", None, 0, 0.0
        while not self._stop.is_set():
            begin = monotonic()
            check_lock()
            self._mend_hinted()
            with transaction(self._engine) as connection:
                found = store.stale_series(connection, after=after, limit=_CHUNK)
                is_last = len(found) < _CHUNK
                if number is None:
                    number, done, spent_s = self._work(connection, is_long=not is_last)
            if found:
                self._read(found)
                after = found[-1].orthanc_series_id
            done, spent_s = done + len(found), spent_s + monotonic() - begin
            if number is not None:
                with transaction(self._engine) as connection:
                    works.note_progress(
                        connection,
                        number,
                        done=done,
                        total=done if is_last else None,
                        working_s=spent_s,
                        now=self._clock(),
                        is_done=is_last,
                    )
            if is_last:
                return
            share = _SHARE_WHEN_BUSY if self._is_busy() else _SHARE
            pause_s = (monotonic() - begin) * (1 / share - 1)
            self._stop.wait(pause_s)
            spent_s += pause_s

    def _work(self, connection: Connection, *, is_long: bool) -> tuple[int | None, int, float]:
        """The number of the work, how much of it is done, and in which time: of one that was interrupted, however
        little is left, or of a new one where much is to be done."""
        work = works.running(connection, MENDING.name)
        left = store.count_stale(connection)
        if work is None:
            if not is_long:
                return None, 0, 0.0
            now = self._clock()
            work = works.start(connection, MENDING.name, by=None, now=now, total=left, is_asked=False)
        done = max((work.total or 0) - left, 0)
        works.note_progress(
            connection, work.id, done=done, total=done + left, working_s=work.working_s, now=self._clock()
        )
        return work.id, done, work.working_s

    def _mend_hinted(self) -> None:
        if hinted := self._hints.take():
            with transaction(self._engine) as connection:
                found = store.stale_among(connection, hinted)
            self._read(found)

    def _read(self, found: Sequence[StaleSeries]) -> None:
        self._writer.write_from_orthanc([one.orthanc_instance_id for one in found], anew=True)
