"""What a feature does with what the index takes up and loses: in the index's own transaction, while a store waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from treegarth.index.instances import IndexedInstance, RemovedInstance


class IndexFollower:
    """Follows the index. Each feature overrides what concerns it; each call is a few statements for a whole batch."""

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance], at: datetime) -> None:
        """These instances are in the index now; they may have been before."""

    def left(self, connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
        """These left; their series and studies are still there, and stay where this notes pruned objects of them."""

    def deleted(self, connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
        """These left, and with them the series, studies and patients of which nothing is left."""

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        """Nothing is left of these studies, not even what is known of pruned objects."""

    def committed(self, instances: Sequence[IndexedInstance]) -> None:
        """The transaction is through: the moment to hint at work. May fail; the work is a state in the database."""
