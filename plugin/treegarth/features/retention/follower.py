"""What the index does when objects leave it or come back, in its own transaction: the ledger, and what stays findable.

A policy's deletions have a row in the ledger already, written before; whatever else Orthanc loses gets one here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from sqlalchemy import Connection

from treegarth.features.retention.store import departed
from treegarth.features.retention.store.departed import Departed


class Arrived(Protocol):
    """What is asked of an instance that was indexed."""

    @property
    def orthanc_instance_id(self) -> str: ...
    @property
    def orthanc_series_id(self) -> str: ...
    @property
    def is_stored_again(self) -> bool: ...


PrunedCounts: TypeAlias = Mapping[str, tuple[int, int]]  # series → objects that a policy deleted, and their bytes
NotePruned: TypeAlias = Callable[[Connection, PrunedCounts], None]


@dataclass(frozen=True, kw_only=True)
class Departures:
    """Follows the index. `note_pruned` is the archive's: it writes the counts into its rows."""

    note_pruned: NotePruned

    def left(self, connection: Connection, instances: Sequence[Departed], at: datetime) -> None:
        """These instances are in Orthanc no more; their series and studies are still in the index."""
        if not instances:
            return
        departed.note_departed(connection, instances, at)
        self._count(connection, sorted({one.orthanc_series_id for one in instances}))

    def arrived(self, connection: Connection, instances: Sequence[Arrived], at: datetime) -> None:
        """These instances were indexed. One quick question for a batch, and no more where nothing was pruned.

        What is stored again with another header is another object than the one that was marked: its mark goes.
        """
        again = [one.orthanc_instance_id for one in instances if one.is_stored_again]
        if again:
            departed.unmark(connection, again)
        series = sorted({one.orthanc_series_id for one in instances})
        pruned = departed.series_with_pruned(connection, series)
        if pruned:
            departed.note_returned(connection, [one.orthanc_instance_id for one in instances], at)
            self._count(connection, pruned)

    def _count(self, connection: Connection, orthanc_series_ids: Sequence[str]) -> None:
        self.note_pruned(connection, departed.count_pruned(connection, orthanc_series_ids))
