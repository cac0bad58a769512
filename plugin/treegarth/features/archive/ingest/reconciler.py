"""Repair what crashes, restarts, lost events and outages left: make the index equal to Orthanc again.

Two looks, every minute: Orthanc's durable list of changes since a checkpoint (instances that never reached the
index), and the counts on both sides. Where the counts differ and stay different, every identifier is compared.
The first start on a full archive is the same comparison: a back-fill, resumed after any interruption because what
is in the index already is skipped. One reconciler works for all Orthancs that share an index.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from treegarth.database.engine import connect, transaction
from treegarth.errors import TreegarthError
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.sources import instance_of_orthanc, reception_date
from treegarth.features.archive.model import Level
from treegarth.features.archive.store import reconciling as store
from treegarth.features.archive.store.reconciling import Counts
from treegarth.host.orthanc_client import OrthancClient

CHANGES, COMPARISON, REQUEST = "changes", "comparison", "comparison_request"
_PAGE = 5000  # identifiers of one look into Orthanc
_CHUNK = 100  # instances fetched and written together
_FETCHERS = 4
_IN_THE_PIPE_S = 1.0
_OVERWRITTEN_AFTER = timedelta(seconds=2)  # Orthanc's two time stamps of one store are whole seconds

logger = logging.getLogger(__name__)


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

    def stop(self) -> None:
        """End at the next page."""
        self._stop.set()
        self._wake.set()

    def request_comparison(self) -> None:
        """Compare every identifier as soon as may be, in whichever process is the reconciler."""
        with transaction(self._engine) as connection:
            store.write_state(connection, REQUEST, {"at": self._clock().isoformat()})
        self._wake.set()

    def run(self) -> None:
        """Reconcile at once, then at every interval. An outage ends one round, not the reconciler."""
        while not self._stop.is_set():
            pause_s = self._interval_s
            try:
                with connect(self._engine) as connection:
                    if store.try_lock(connection):
                        connection.commit()  # the lock stays with the connection, the transaction need not
                        self._run_as_the_one(lambda: store.still_there(connection))
            except TreegarthError as error:
                pause_s = min(pause_s, 5.0)
                logger.info("The reconciler waits: %s", error)
            except Exception:
                logger.exception("A round of the reconciler failed; the next one begins anew.")
            self._wait(pause_s)

    def _run_as_the_one(self, check_lock: Callable[[], None]) -> None:
        self._seen_last = self._last_change()
        with connect(self._engine) as connection:
            is_new = store.read_state(connection, CHANGES) is None
        if is_new:
            self._begin()
        self._look(at_start=True)
        while not self._stop.is_set():
            self._wait(self._interval_s)
            check_lock()
            self._look(at_start=False)

    def _begin(self) -> None:
        """The first time on this archive: everything that it holds, then its changes from here on."""
        last = self._last_change()
        self._compare("first start")
        with transaction(self._engine) as connection:
            store.write_state(connection, CHANGES, {"since": last})

    def _look(self, *, at_start: bool) -> None:
        self._follow_changes(self._last_change() if at_start else self._seen_last or 0)
        self._seen_last = self._last_change()
        reason = self._why_compare(at_start=at_start)
        if reason and not self._stop.is_set():
            self._compare(reason)

    def _why_compare(self, *, at_start: bool) -> str | None:
        """The reason for a comparison of every identifier; None where nothing asks for one."""
        with connect(self._engine) as connection:
            compared = store.read_state(connection, COMPARISON) or {}
            requested = (store.read_state(connection, REQUEST) or {}).get("at", "")
            here = store.counts(connection)
        drift, before = _difference(self._orthanc_counts(), here), self._last_drift
        self._last_drift = drift
        if requested > compared.get("started_at", ""):
            return "asked for by a person"
        if not compared.get("finished_at"):
            return "the last comparison was not finished"
        if self._clock() - datetime.fromisoformat(compared["finished_at"]) > self._full_comparison_every:
            return "it is time for one"
        if drift != Counts(patients=0, studies=0, series=0, instances=0) and (
            at_start or drift == before or self._is_idle()
        ):
            return "the counts of Orthanc and of the index differ"
        return None

    def _follow_changes(self, upto: int) -> None:
        """Index the new instances among Orthanc's changes up to a sequence number.

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
            self._index(self._not_indexed(changes))
            since = max((change["Seq"] for change in changes), default=upto)
            with transaction(self._engine) as connection:
                store.write_state(connection, CHANGES, {"since": since})

    def _not_indexed(self, changes: Sequence[dict[str, Any]]) -> list[str]:
        """The instances that are missing, or were stored again after the index took them."""
        stored = {change["ID"]: change["Date"] for change in changes if change["ChangeType"] == "NewInstance"}

        def is_old(one: str, received: datetime) -> bool:
            return received + _OVERWRITTEN_AFTER < (reception_date(stored[one]) or received)

        return self._missing(list(stored), is_old)

    def _missing(self, identifiers: Sequence[str], is_old: Callable[[str, datetime], bool]) -> list[str]:
        """Those that the index does not have, or has in an old form, also after a pause.

        What Orthanc stored a moment ago is still in the pipe: to fetch it, too, would double the work under load.
        """
        for is_second_look in (False, True):
            with connect(self._engine) as connection:
                received = store.received_at(connection, identifiers)
            identifiers = [one for one in identifiers if one not in received or is_old(one, received[one])]
            if not identifiers or is_second_look:
                break
            self._stop.wait(_IN_THE_PIPE_S)
        return list(identifiers)

    def _compare(self, reason: str) -> None:
        """Compare every identifier, both ways, and repair."""
        total = self._orthanc_counts().instances
        progress: dict[str, Any] = {
            "reason": reason,
            "started_at": self._clock().isoformat(),
            "finished_at": None,
            "orthanc_instances": total,
            "compared": 0,
            "indexed": 0,
            "removed": 0,
        }
        logger.info("Comparing %d instances of Orthanc with the index: %s.", total, reason)
        self._save(progress)
        with connect(self._engine) as connection:
            store.begin_comparison(connection)
            for page in self._pages_of_orthanc():
                store.note_in_orthanc(connection, page)
                self._index_missing(page, progress)
                progress["compared"] += len(page)
                self._save(progress)
                if self._stop.is_set():
                    return
            extra = store.not_in_orthanc(connection, before=datetime.fromisoformat(progress["started_at"]))
        for place in range(0, len(extra), _PAGE):
            progress["removed"] += self._writer.remove(Level.INSTANCE, extra[place : place + _PAGE])
        progress["finished_at"] = self._clock().isoformat()
        self._save(progress)
        logger.info(
            "Compared %d instances: %d were missing in the index, %d were gone from Orthanc.",
            *(progress[name] for name in ("compared", "indexed", "removed")),
        )

    def _pages_of_orthanc(self) -> Iterator[list[str]]:
        """Every instance of Orthanc, page by page. What arrives or goes meanwhile may shift the pages: the pipe
        brings what is new, and each removal is asked about again."""
        since = 0
        while page := self._orthanc.get("/instances", parameters={"since": since, "limit": _PAGE}, timeout_s=300):
            yield page
            since += len(page)

    def _index_missing(self, page: Sequence[str], progress: dict[str, Any]) -> None:
        missing = self._missing(page, lambda one, received: False)
        for place in range(0, len(missing), _CHUNK):
            progress["indexed"] += self._index(missing[place : place + _CHUNK])
            self._save(progress)
            if self._stop.is_set():
                return

    def _index(self, identifiers: Sequence[str]) -> int:
        """Fetch these headers from Orthanc and write them; the number still there."""
        written = 0
        with ThreadPoolExecutor(_FETCHERS, thread_name_prefix="reconciler") as pool:
            for place in range(0, len(identifiers), _CHUNK):
                fetched = pool.map(self._fetch, identifiers[place : place + _CHUNK])
                stored = [item for item in fetched if item is not None]
                if stored:
                    self._writer.write(stored)
                written += len(stored)
                if self._stop.is_set():
                    break
        return written

    def _fetch(self, orthanc_instance_id: str) -> Any:
        return instance_of_orthanc(self._orthanc, orthanc_instance_id, self._clock())

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

    def _save(self, progress: dict[str, Any]) -> None:
        with transaction(self._engine) as connection:
            store.write_state(connection, COMPARISON, progress)

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
