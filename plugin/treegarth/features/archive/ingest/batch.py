"""Turn stored instances into index rows, a batch a transaction, with what follows from them.

A batch that cannot be written is halved until the one instance at fault is found; that one is written with what
Orthanc itself knows of it and the reason. Nothing is dropped, and one bad object never stops the others.
"""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import Header, Issue, orthanc_identifiers, read_header
from treegarth.dicom.nesting import nesting_beyond
from treegarth.errors import TreegarthError, UnreadableObject
from treegarth.features.archive.ingest.sources import (
    header_by_orthanc,
    identifiers_by_orthanc,
    instance_of_orthanc,
    is_refused_duplicate,
)
from treegarth.features.archive.model import IndexedInstance, Level, RemovedInstance, StoredInstance
from treegarth.features.archive.store import writing
from treegarth.host.orthanc_client import OrthancClient
from treegarth.phrases import P_

logger = logging.getLogger(__name__)


class Follower(Protocol):
    """What another feature does in the same transaction as the index rows."""

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance]) -> None:
        """These instances are in the index now; they may have been before."""

    def deleted(self, connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> None:
        """These are not any more."""

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        """Nothing is left of these studies, not even what is known of pruned objects."""

    def committed(self, instances: Sequence[IndexedInstance]) -> None:
        """The transaction is through: the moment to hint at work. May fail; the work is a state in the database."""


class Departures(Protocol):
    """Keeps account of what leaves the index and of what comes back, in the same transaction."""

    def left(self, connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
        """These left; their series and studies are still there, and stay where this notes pruned objects of them."""

    def arrived(self, connection: Connection, instances: Sequence[IndexedInstance], at: datetime) -> None:
        """These are in the index now."""


@dataclass(frozen=True, kw_only=True)
class BatchWriter:
    """Writes instances and deletions into the index, with all that follows from them."""

    engine: Engine
    orthanc: OrthancClient
    followers: Sequence[Follower]
    clock: Callable[[], datetime]
    departures: Departures | None = None

    def write(self, stored: Sequence[StoredInstance]) -> None:
        """Index these instances. Raises DatabaseUnavailable or OrthancUnavailable: then none of them is lost, and
        the same call may be made again."""
        latest = {item.orthanc_instance_id: item for item in stored}  # stored twice in one batch: the later counts
        data = {key: item.data for key, item in latest.items() if item.data}
        instances = [found for item in latest.values() if (found := self._describe(item, data)) is not None]
        self._write(instances, data)

    def write_new(self, stored: Sequence[StoredInstance]) -> None:
        """As `write`, for what Orthanc has just reported, which is not always what it keeps.

        It also reports an object that it has already and does not take again, with the bytes that it threw away.
        """
        numbers = Counter(item.orthanc_instance_id for item in stored)
        with transaction(self.engine) as connection:  # committed: after a rollback psycopg prepares all anew
            known = writing.known(connection, Level.INSTANCE, list(numbers))
        seen_before = known | {one for one, number in numbers.items() if number > 1}
        self.write(
            [
                dataclasses.replace(item, data=None) if item.orthanc_instance_id in seen_before else item
                for item in stored
                if item.orthanc_instance_id not in known or not is_refused_duplicate(self.orthanc, item)
            ]
        )

    def remove(self, level: Level, identifiers: Sequence[str]) -> int:
        """Take out of the index what Orthanc does not have any more; the number of instances removed.

        Asks Orthanc for each: an event may be older than an instance that was stored again.
        """
        with transaction(self.engine) as connection:
            known = writing.known(connection, level, identifiers)
        gone = [one for one in identifiers if one in known and not self.orthanc.exists(f"/{level.value}/{one}")]
        if not gone:
            return 0
        with transaction(self.engine) as connection:
            removed = writing.remove(connection, level, gone)
            if self.departures is not None:
                self.departures.left(connection, removed, self.clock())
            studies = writing.remove_empty(connection, removed)
            for follower in self.followers:
                follower.deleted(connection, [one.orthanc_instance_id for one in removed], self.clock())
                if studies:
                    follower.studies_left(connection, studies)
        return len(removed)

    def _describe(self, item: StoredInstance, data: dict[str, bytes]) -> IndexedInstance | None:
        """The instance as the index takes it; None where Orthanc has it no more. Fetched bytes join `data`."""
        if item.data is None:
            found = instance_of_orthanc(self.orthanc, item.orthanc_instance_id, self.clock())
            if found is None:
                return None
            item = found
            data[item.orthanc_instance_id] = item.data or b""
        header = self._header(item)
        if header is None:
            return None
        nesting = nesting_beyond(item.data or b"") if item.nesting is None else item.nesting
        return self._identified(item, header, nesting or None)

    def _header(self, item: StoredInstance) -> Header | None:
        try:
            return read_header(item.data or b"")
        except UnreadableObject as error:
            reason = error.sentence
        except Exception as error:  # whatever the bytes are, the objects behind this one must not wait
            logger.exception("The header of %s met a defect of the reader.", item.orthanc_instance_id)
            reason = P_("The header could not be read: %(kind)s.", kind=type(error).__name__)
        return header_by_orthanc(self.orthanc, item.orthanc_instance_id, reason)

    def _identified(
        self, item: StoredInstance | IndexedInstance, header: Header, nesting_depth: int | None
    ) -> IndexedInstance | None:
        identifiers = orthanc_identifiers(header)
        if identifiers.instance != item.orthanc_instance_id:  # Orthanc read an identifier otherwise than we did
            by_orthanc = identifiers_by_orthanc(self.orthanc, item.orthanc_instance_id)
            if by_orthanc is None:
                return None
            identifiers = by_orthanc
        return IndexedInstance(
            orthanc_patient_id=identifiers.patient,
            orthanc_study_id=identifiers.study,
            orthanc_series_id=identifiers.series,
            orthanc_instance_id=item.orthanc_instance_id,
            header=header if nesting_depth is None else _with_depth(header, nesting_depth),
            size_bytes=item.size_bytes,
            received_at=item.received_at,
            origin=item.origin,
            nesting_depth=nesting_depth,
        )

    def _write(self, instances: Sequence[IndexedInstance], data: dict[str, bytes]) -> None:
        if not instances:
            return
        try:
            with transaction(self.engine) as connection:
                headers = _series_headers(connection, instances, data)
                writing.write_instances(connection, instances, headers)
                self._tell(connection, instances)
        except TreegarthError:
            raise
        except Exception as error:
            if len(instances) > 1:
                middle = len(instances) // 2
                self._write(instances[:middle], data)
                self._write(instances[middle:], data)
            else:
                self._write_what_orthanc_knows(instances[0], type(getattr(error, "orig", error)).__name__)
            return
        for follower in self.followers:
            _hint(follower, instances)

    def _tell(self, connection: Connection, instances: Sequence[IndexedInstance]) -> None:
        if self.departures is not None:
            self.departures.arrived(connection, instances, self.clock())
        for follower in self.followers:
            follower.indexed(connection, instances)

    def _write_what_orthanc_knows(self, instance: IndexedInstance, reason: str) -> None:
        logger.warning("An instance's row was refused (%s); it is indexed by what Orthanc knows of it.", reason)
        reason = P_("the index refused its values: %(reason)s", reason=reason)
        header = header_by_orthanc(self.orthanc, instance.orthanc_instance_id, reason)
        if header is None or (found := self._identified(instance, header, instance.nesting_depth)) is None:
            return
        try:
            with transaction(self.engine) as connection:
                writing.write_instances(connection, [found], {})
                self._tell(connection, [found])
        except TreegarthError:
            raise
        except Exception:
            logger.exception("Instance %s cannot be indexed at all.", instance.orthanc_instance_id)
            return
        for follower in self.followers:
            _hint(follower, [found])


def _with_depth(header: Header, depth: int) -> Header:
    reason = P_("its sequences are nested %(depth)s deep: Orthanc cannot show it, so it is not shown", depth=depth)
    return dataclasses.replace(header, issues=(*header.issues, Issue(path="", reason=reason)))


def _series_headers(
    connection: Connection, instances: Sequence[IndexedInstance], data: dict[str, bytes]
) -> dict[str, tuple[str, Any]]:
    """The header of one instance for each series that has none yet; not of one whose depth nobody could show."""
    shallow = [item for item in reversed(instances) if item.nesting_depth is None]
    first = {item.orthanc_series_id: item.orthanc_instance_id for item in shallow}
    missing = first.keys() - writing.series_with_header(connection, first)
    headers: dict[str, tuple[str, Any]] = {}
    for series_id in missing:
        try:
            headers[series_id] = (first[series_id], header_json(data[first[series_id]]))
        except (KeyError, UnreadableObject):
            logger.info("A series has no header in the index yet: its first instance's bytes gave none.")
    return headers


def _hint(follower: Follower, instances: Sequence[IndexedInstance]) -> None:
    try:
        follower.committed(instances)
    except Exception:
        logger.exception("Work was not announced to the workers; the sweep will find it.")
