"""Repair what crashes, restarts, lost events and outages left: make the index equal to Orthanc again.

Two looks, every minute: Orthanc's durable list of changes since a checkpoint (instances that never reached the
index, or were stored again since), and the counts on both sides. Where the counts differ and stay different, and once a
day, every instance is compared: whether it is there, its size, and when Orthanc received it. The first start on a full
archive is the same comparison: a back-fill, resumed after any interruption because what is in the index already is
skipped. One reconciler works for all Orthancs that share an index.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy import Engine

from treegarth.database.engine import connect, transaction
from treegarth.database.locks import CheckLock, alone
from treegarth.errors import TreegarthError
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.sources import reception_date, stores_of_orthanc
from treegarth.features.archive.ingest.stores import is_same_time, is_store_of
from treegarth.features.archive.store import reconciliation as store
from treegarth.features.archive.store.batches import known_stores
from treegarth.features.archive.store.reconciliation import Counts
from treegarth.features.archive.works import COMPARING
from treegarth.index.instances import KnownStore, Level
from treegarth.orthanc.client import OrthancClient
from treegarth.work import store as works

_LOCK = 7_473_001  # one reconciler for a site
CHANGES = "changes"
_PAGE = 5000  # identifiers of one look into Orthanc
_CHUNK = 100  # instances indexed between two looks at the clock
_IN_THE_PIPE_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Progress:
    """How far a comparison is, in instances."""

    number: int  # of the work
    total: int
    compared: int = 0
    indexed: int = 0  # also of a page that is being compared
    removed: int = 0
    began_at: float = field(default_factory=monotonic)


class Reconciler:
    """Looks, compares and repairs until `stop` is set."""

    def __init__(
        self,
        *,
        engine: Engine,
        orthanc: OrthancClient,
        writer: BatchWriter,
        clock: Callable[[], datetime],
        interval_s: float,
        full_comparison_every: timedelta,
        is_idle: Callable[[], bool],
    ) -> None:
        self._engine = engine
        self._orthanc = orthanc
        self._writer = writer
        self._clock = clock
        self._interval_s = interval_s
        self._full_comparison_every = full_comparison_every
        self._is_idle = is_idle
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._last_drift: Counts | None = None
        self._seen_last: int | None = None
        self._is_after_start = True

    def stop(self) -> None:
        """End at the next page."""
        self._stop.set()
        self._wake.set()

    def wake(self) -> None:
        """A comparison was asked for: look now."""
        self._wake.set()

    def run(self) -> None:
        """Reconcile at once, then at every interval. An outage ends one round, not the reconciler."""
        while not self._stop.is_set():
            pause_s = self._interval_s
            try:
                with alone(self._engine, _LOCK) as check_lock:
                    if check_lock is not None:
                        self._run_as_the_one(check_lock)
            except TreegarthError as error:
                pause_s = min(pause_s, 5.0)
                logger.info("The reconciler waits: %s", error)
            except Exception:
                logger.exception("A round of the reconciler failed; the next one begins anew.")
            self._wait(pause_s)

    def _run_as_the_one(self, check_lock: CheckLock) -> None:
        self._seen_last = self._last_change()
        with connect(self._engine) as connection:
            is_new = store.read_state(connection, CHANGES) is None
        if is_new:
            self._begin()
        elif self._is_after_start:
            self._follow_changes(self._seen_last, self._differing_after_start)
        self._is_after_start = False
        self._look(at_start=True)
        while not self._stop.is_set():
            self._wait(self._interval_s)
            check_lock()
            self._look(at_start=False)

    def _begin(self) -> None:
        """The first time on this archive: everything that it holds, then its changes from here on."""
        with transaction(self._engine) as connection:  # a comparison that is interrupted begins anew
            store.write_state(connection, CHANGES, {"since": self._seen_last})
        self._compare("first start")

    def _look(self, *, at_start: bool) -> None:
        self._follow_changes(self._last_change() if at_start else self._seen_last or 0, self._differing)
        self._seen_last = self._last_change()
        reason = self._why_compare(at_start=at_start)
        if reason and not self._stop.is_set():
            self._compare(reason)

    def _why_compare(self, *, at_start: bool) -> str | None:
        """The reason for a comparison of every instance; None where nothing asks for one."""
        with connect(self._engine) as connection:
            compared = works.latest(connection, COMPARING.name)
            here = store.counts(connection)
        drift, before = _difference(self._orthanc_counts(), here), self._last_drift
        self._last_drift = drift
        if compared is None or compared.finished_at is None:
            return "it was asked for, or the last one was not finished"
        if self._clock() - compared.finished_at > self._full_comparison_every:
            return "it is time for one"
        if compared.state == "stopped":  # by a person: until then what arrives and goes is followed, and no more
            return None
        if drift != Counts(patients=0, studies=0, series=0, instances=0) and (
            at_start or drift == before or self._is_idle()
        ):
            return "the counts of Orthanc and of the index differ"
        return None

    def _follow_changes(self, upto: int, differing: Callable[[Mapping[str, datetime | None]], list[str]]) -> None:
        """Index the new instances among Orthanc's changes up to a sequence number, those that `differing` finds.

        While things run, that number is an interval old: what arrived since is still on its way through the pipe.
        """
        with connect(self._engine) as connection:
            since = (store.read_state(connection, CHANGES) or {"since": 0})["since"]
        if since > self._last_change():
            logger.warning("Orthanc's changes begin anew: its database was replaced. Everything is compared.")
            self._compare("Orthanc's database was replaced")
            since = 0
        while since < upto and not self._stop.is_set():
            page = self._orthanc.get("/changes", parameters={"since": since, "limit": _PAGE})
            changes = [change for change in page["Changes"] if change["Seq"] <= upto]
            stored = {one["ID"]: reception_date(one["Date"]) for one in changes if one["ChangeType"] == "NewInstance"}
            self._index(differing(stored))
            if self._stop.is_set():
                return
            since = max((change["Seq"] for change in changes), default=upto)
            with transaction(self._engine) as connection:
                store.write_state(connection, CHANGES, {"since": since})

    def _differing_after_start(self, stored: Mapping[str, datetime | None]) -> list[str]:
        """All of them: what a crash lost may be the second of two stores within a second, which no time tells apart."""
        return list(stored)

    def _differing(self, stored: Mapping[str, datetime | None]) -> list[str]:
        """The instances that are missing, or were not stored last when the index took them up."""

        def is_doubtful(one: str, known: KnownStore) -> bool:
            date = stored[one]
            return date is None or not is_same_time(date, known)

        return self._not_in_step(list(stored), is_doubtful)

    def _not_in_step(self, identifiers: Sequence[str], is_doubtful: Callable[[str, KnownStore], bool]) -> list[str]:
        """Those that the index does not have as Orthanc has them now, also after a pause; of those that it has, the
        doubtful are asked about.

        What Orthanc stored a moment ago is still in the pipe: to fetch it, too, would double the work under load.
        """
        for is_second_look in (False, True):
            with connect(self._engine) as connection:
                known = known_stores(connection, identifiers)
            doubtful = [one for one in identifiers if one in known and is_doubtful(one, known[one])]
            stores = stores_of_orthanc(self._orthanc, doubtful, self._clock())
            identifiers = [
                one
                for one in identifiers
                if one not in known or (one in stores and not is_store_of(stores[one], known[one]))
            ]
            if not identifiers or is_second_look:
                break
            self._stop.wait(_IN_THE_PIPE_S)
        return list(identifiers)

    def _compare(self, reason: str) -> None:
        """Compare every instance, both ways, and repair; the one that was not finished begins anew."""
        total, started_at = self._orthanc_counts().instances, self._clock()
        with transaction(self._engine) as connection:
            work = works.start(connection, COMPARING.name, by=None, now=started_at, total=total, is_asked=False)
        progress = Progress(number=work.id, total=total)
        logger.info("Comparing %d instances of Orthanc with the index: %s.", total, reason)
        self._save(progress)
        with connect(self._engine) as connection:
            store.begin_comparison(connection)
            for page in self._pages_of_orthanc():
                store.note_in_orthanc(connection, page)
                self._index(self._not_in_step(page, lambda one, known: True), progress)
                progress.compared += len(page)
                if not self._save(progress) or self._stop.is_set():
                    return
            extra = store.not_in_orthanc(connection, before=started_at)
        for place in range(0, len(extra), _PAGE):
            progress.removed += self._writer.remove(Level.INSTANCE, extra[place : place + _PAGE])
        self._save(progress, is_done=True)
        logger.info(
            "Compared %d instances: %d were missing or old in the index, %d were gone from Orthanc.",
            progress.compared,
            progress.indexed,
            progress.removed,
        )

    def _pages_of_orthanc(self) -> Iterator[list[str]]:
        """Every instance of Orthanc, page by page. What arrives or goes meanwhile may shift the pages: the pipe
        brings what is new, and each removal is asked about again."""
        since = 0
        while page := self._orthanc.get("/instances", parameters={"since": since, "limit": _PAGE}, timeout_s=300):
            yield page
            since += len(page)

    def _index(self, identifiers: Sequence[str], progress: Progress | None = None) -> None:
        """Index these as Orthanc has them now, those of a comparison with its progress, until `stop` is set."""
        for place in range(0, len(identifiers), _CHUNK):
            if self._stop.is_set():
                return
            written = self._writer.write_from_orthanc(identifiers[place : place + _CHUNK])
            if progress is not None:
                progress.indexed += written
                self._save(progress)

    def _last_change(self) -> int:
        return int(self._orthanc.get("/changes", parameters={"last": ""})["Last"])

    def _orthanc_counts(self) -> Counts:
        found = self._orthanc.get("/statistics", timeout_s=120)
        return Counts(
            patients=int(found["CountPatients"]),
            studies=int(found["CountStudies"]),
            series=int(found["CountSeries"]),
            instances=int(found["CountInstances"]),
        )

    def _save(self, progress: Progress, *, is_done: bool = False) -> bool:
        """Whether it is to go on."""
        with transaction(self._engine) as connection:
            return works.note_progress(
                connection,
                progress.number,
                done=progress.compared if is_done else max(progress.compared, progress.indexed),
                total=progress.compared if is_done else progress.total,
                counts={"indexed": progress.indexed, "removed": progress.removed},
                working_s=monotonic() - progress.began_at,
                now=self._clock(),
                is_done=is_done,
            )

    def _wait(self, seconds: float) -> None:
        self._wake.wait(seconds)
        if not self._stop.is_set():
            self._wake.clear()


def _difference(orthanc: Counts, index: Counts) -> Counts:
    return Counts(
        patients=orthanc.patients - index.patients,
        studies=orthanc.studies - index.studies,
        series=orthanc.series - index.series,
        instances=orthanc.instances - index.instances,
    )
