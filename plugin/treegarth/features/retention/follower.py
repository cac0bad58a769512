"""What retention does when objects leave the index or come back to it: the ledger, and what stays findable.

A policy's deletions have a row in the ledger already, written before; whatever else Orthanc loses gets one here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.retention.store import departed
from treegarth.index.follower import IndexFollower
from treegarth.index.instances import IndexedInstance, RemovedInstance
from treegarth.index.parents import note_pruned


class LedgerFollower(IndexFollower):
    """Keeps account of what leaves and of what comes back, and has its series and study say how much was pruned."""

    def left(self, connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
        if not instances:
            return
        departed.note_departed(connection, instances, at)
        _count(connection, sorted({one.orthanc_series_id for one in instances}))

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance], at: datetime) -> None:
        """One quick question for a batch, and no more where nothing is gone of its studies.

        What is read once more for its parents did not arrive. What is stored again with another header is another
        object than the one that was marked: its mark goes.
        """
        arrived = [one for one in instances if not one.is_known]
        if not arrived:
            return
        again = [one.orthanc_instance_id for one in arrived if one.is_stored_again]
        if again:
            departed.unmark(connection, again)
        if not departed.studies_with_gone(connection, sorted({one.orthanc_study_id for one in arrived})):
            return
        departed.note_returned(connection, [one.orthanc_instance_id for one in arrived], at)
        pruned = departed.series_with_pruned(connection, sorted({one.orthanc_series_id for one in arrived}))
        if pruned:
            _count(connection, pruned)


def _count(connection: Connection, orthanc_series_ids: Sequence[str]) -> None:
    note_pruned(connection, departed.count_pruned(connection, orthanc_series_ids))
