"""Turn stored instances into index rows, a batch a transaction, with what follows from them.

A batch that cannot be written is halved until the one instance at fault is found; that one is written with what
Orthanc itself knows of it and the reason. Nothing is dropped, and one bad object never stops the others.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.dicom.depth import nesting_beyond
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import relabel_of
from treegarth.dicom.relabelling import Relabellings
from treegarth.errors import TreegarthError, UnreadableObject
from treegarth.features.archive.ingest.description import described, described_by_orthanc
from treegarth.features.archive.ingest.sources import (
    stores_of_orthanc,
    with_header,
)
from treegarth.features.archive.ingest.stores import (
    Verdict,
    is_same,
    is_store_of,
    is_stored_again,
    judge,
    latest_clear,
    says_nothing_new,
    tells_uploader,
)
from treegarth.features.archive.store import batches, removal
from treegarth.index.follower import IndexFollower
from treegarth.index.instances import IndexedInstance, KnownStore, Level, StoredInstance
from treegarth.index.relabelling import read_relabellings
from treegarth.orthanc.client import OrthancClient
from treegarth.phrases import P_

_FETCHED_TOGETHER = 100  # instances
_FETCHERS = 4
Judge: TypeAlias = Callable[[IndexedInstance, KnownStore | None], Verdict]

logger = logging.getLogger(__name__)


def _nobody_waits(orthanc_series_ids: Iterable[str]) -> None:
    """Whoever reads stale series looks for them by the clock as well."""


def _nobody_counts(taken_up: int) -> None:
    """Only the process that serves the plugin is asked for it."""


@dataclass(frozen=True, kw_only=True)
class BatchWriter:
    """Writes instances and deletions into the index, with all that follows from them."""

    engine: Engine
    orthanc: OrthancClient
    followers: Sequence[IndexFollower]
    clock: Callable[[], datetime]
    on_stale: Callable[[Iterable[str]], None] = _nobody_waits
    """Told of series that may have lost the object that their attributes are of."""
    on_indexed: Callable[[int], None] = _nobody_counts
    """Told how many instances were taken up: new to the index, or stored again. Not of those that are read anew."""
    by_orthanc_users: bool = True
    """Whether Orthanc has checked the names of users that it keeps with objects; else they are what somebody typed
    beside a token."""

    def write_new(self, reports: Sequence[StoredInstance]) -> None:
        """Index what Orthanc has just reported; where that is not clearly what it keeps, it is asked.

        Raises DatabaseUnavailable or OrthancUnavailable: then none is lost, and the same call may be made again.
        """
        by_instance: dict[str, list[StoredInstance]] = {}
        for one in reports:
            by_instance.setdefault(one.orthanc_instance_id, []).append(one)
        clear = [found for group in by_instance.values() if (found := latest_clear(group)) is not None]
        unclear = sorted(by_instance.keys() - {one.orthanc_instance_id for one in clear})
        asked = self._write_judged(clear, judge)
        if unclear:
            with transaction(self.engine) as connection:
                known = batches.known_stores(connection, unclear)
            asked += [
                one for one in unclear if not all(says_nothing_new(it, known.get(one)) for it in by_instance[one])
            ]
        self._write_pages(asked, anew=False, reports={one: by_instance[one][-1] for one in asked})

    def write_from_orthanc(self, identifiers: Sequence[str], *, anew: bool = False) -> int:
        """Index these instances as Orthanc has them now; how many it still has. `anew`: also those that are the same.

        Raises DatabaseUnavailable, OrthancUnavailable or OrthancRefused.
        """
        return self._write_pages(identifiers, anew=anew, reports={})

    def _write_pages(self, identifiers: Sequence[str], *, anew: bool, reports: Mapping[str, StoredInstance]) -> int:
        """`reports` say who uploaded an instance, which Orthanc cannot be asked."""
        there = 0
        for place in range(0, len(identifiers), _FETCHED_TOGETHER):
            page = identifiers[place : place + _FETCHED_TOGETHER]
            there += self._write_from_orthanc(page, anew=anew, reports=reports)
        return there

    def _write_from_orthanc(
        self, identifiers: Sequence[str], *, anew: bool, reports: Mapping[str, StoredInstance]
    ) -> int:
        with transaction(self.engine) as connection:  # committed: after a rollback psycopg prepares all anew
            before = batches.known_stores(connection, identifiers)
        stores = stores_of_orthanc(self.orthanc, identifiers, self.clock())
        with ThreadPoolExecutor(_FETCHERS, thread_name_prefix="headers") as pool:
            kept = (self._with_uploader(one, reports.get(one.orthanc_instance_id)) for one in stores.values())
            found = pool.map(partial(with_header, self.orthanc), kept)
            fetched = [item for item in found if item is not None]

        def judge_fetched(item: IndexedInstance, known: KnownStore | None) -> Verdict:
            is_known = known is not None and is_same(item, known)
            if known != before.get(item.orthanc_instance_id):  # what another wrote meanwhile may be newer
                return Verdict.SKIP if is_known else Verdict.ASK
            is_told = known is not None and tells_uploader(item, known)
            return Verdict.SKIP if is_known and not anew and not is_told else Verdict.WRITE

        overtaken = self._write_judged(fetched, judge_fetched)
        if overtaken:
            self._write_from_orthanc(overtaken, anew=anew, reports=reports)
        return len(fetched)

    def _with_uploader(self, stored: StoredInstance, report: StoredInstance | None) -> StoredInstance:
        """As Orthanc has it, and who uploaded it as the report of the same store says."""
        origin = stored.origin
        if not self.by_orthanc_users:
            origin = dataclasses.replace(origin, http_user=None)
        if report is not None and report.received_at == stored.received_at:
            origin = origin.with_uploader(report.origin)
        return dataclasses.replace(stored, origin=origin)

    def remove(self, level: Level, identifiers: Sequence[str]) -> int:
        """Take out of the index what Orthanc does not have any more; the number of instances removed.

        Asks Orthanc for each: an event may be older than an instance that was stored again.
        """
        with transaction(self.engine) as connection:
            known = removal.known(connection, level, identifiers)
        gone = [one for one in identifiers if one in known and not self.orthanc.exists(f"/{level.value}/{one}")]
        if not gone:
            return 0
        with transaction(self.engine) as connection:
            removed = removal.remove(connection, level, gone)
            for follower in self.followers:
                follower.left(connection, removed, self.clock())
            studies = removal.remove_empty(connection, removed)
            for follower in self.followers:
                follower.deleted(connection, removed, self.clock())
                if studies:
                    follower.studies_left(connection, studies)
        self.on_stale({one.orthanc_series_id for one in removed})
        return len(removed)

    def _write_judged(self, items: Sequence[StoredInstance], judge: Judge) -> list[str]:
        """Index those that are to be written; the identifiers of those that Orthanc is to be asked about."""
        if not items:
            return []
        with transaction(self.engine) as connection:
            relabellings = read_relabellings(connection)
        instances = [found for item in items if (found := described(self.orthanc, item, relabellings)) is not None]
        verdicts: dict[str, Verdict] = {}
        self._write(instances, _Headers(items, relabellings), judge, verdicts)
        return [one for one, verdict in verdicts.items() if verdict is Verdict.ASK]

    def _write(
        self,
        instances: Sequence[IndexedInstance],
        headers: _Headers,
        judge: Judge,
        verdicts: dict[str, Verdict],
    ) -> None:
        if not instances:
            return
        choose = partial(_choose, instances, judge, verdicts)
        stored: list[str] = []
        try:
            with transaction(self.engine) as connection:
                written = batches.write_instances(
                    connection, instances, headers.json_of, choose, on_stored=stored.extend
                )
                self._tell(connection, written)
        except TreegarthError:
            raise
        except Exception as error:
            if len(instances) > 1:
                middle = len(instances) // 2
                self._write(instances[:middle], headers, judge, verdicts)
                self._write(instances[middle:], headers, judge, verdicts)
            else:
                self._write_what_orthanc_knows(instances[0], type(getattr(error, "orig", error)).__name__)
            return
        self._count(stored)
        self._hint(written)

    def _tell(self, connection: Connection, instances: Sequence[IndexedInstance]) -> None:
        if not instances:
            return
        for follower in self.followers:
            follower.indexed(connection, instances, self.clock())

    def _write_what_orthanc_knows(self, instance: IndexedInstance, reason: str) -> None:
        logger.warning("An instance's row was refused (%s); it is indexed by what Orthanc knows of it.", reason)
        reason = P_("the index refused its values: %(reason)s", reason=reason)
        found = described_by_orthanc(self.orthanc, instance, reason)
        if found is None:
            return
        stored: list[str] = []
        try:
            with transaction(self.engine) as connection:
                kept = lambda known: [_keeping(found, known.get(found.orthanc_instance_id))]  # noqa: E731
                batches.write_instances(connection, [found], lambda _: None, kept, on_stored=stored.extend)
                self._tell(connection, [found])
        except TreegarthError:
            raise
        except Exception:
            logger.exception("Instance %s cannot be indexed at all.", instance.orthanc_instance_id)
            return
        self._count(stored)
        self._hint([found])

    def _count(self, stored: Sequence[str]) -> None:
        if stored:
            self.on_indexed(len(stored))

    def _hint(self, instances: Sequence[IndexedInstance]) -> None:
        if instances:
            for follower in self.followers:
                _hint(follower, instances)


def _choose(
    instances: Sequence[IndexedInstance], judge: Judge, verdicts: dict[str, Verdict], known: Mapping[str, KnownStore]
) -> list[IndexedInstance]:
    """Those of the instances that are to be written; each verdict is noted."""
    chosen = []
    for one in instances:
        store = known.get(one.orthanc_instance_id)
        verdict = verdicts[one.orthanc_instance_id] = judge(one, store)
        if verdict is Verdict.WRITE and store is not None:
            again = is_stored_again(one, store)
            is_known = not again and is_store_of(one, store)
            chosen.append(dataclasses.replace(_keeping(one, store), is_stored_again=again, is_known=is_known))
        elif verdict is Verdict.WRITE:
            chosen.append(one)
    return chosen


def _keeping(one: IndexedInstance, known: KnownStore | None) -> IndexedInstance:
    """What is read anew keeps the uploader whom the index knows of the same store."""
    if known is None or not is_store_of(one, known):
        return one
    origin = one.origin.with_uploader(known.origin)
    return one if origin is one.origin else dataclasses.replace(one, origin=origin)


class _Headers:
    """The headers of stored instances as DICOM JSON, each made when it is asked for."""

    def __init__(self, items: Sequence[StoredInstance], relabellings: Relabellings) -> None:
        self._items = {one.orthanc_instance_id: one for one in items}
        self._relabellings = relabellings

    def json_of(self, orthanc_instance_id: str) -> dict[str, Any] | None:
        item = self._items[orthanc_instance_id]
        if not item.data or nesting_beyond(item.data):
            return None  # nobody could show it
        try:
            by_sender = self._relabellings.sent_by(item.origin.remote_ae_title)
            return header_json(item.data, relabel_of(item.data, by_sender))
        except UnreadableObject:
            logger.info("A series has no header in the index: its first object's bytes gave none.")
            return None


def _hint(follower: IndexFollower, instances: Sequence[IndexedInstance]) -> None:
    try:
        follower.committed(instances)
    except Exception:
        logger.exception("Work was not announced to the workers; the sweep will find it.")
