"""What the dose registry does with the index: objects that can hold dose wait to be read, and the workers are told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from treegarth.features.dose.analysis.size.store.queue import forget_studies
from treegarth.features.dose.registry.candidates import is_candidate, is_sampled
from treegarth.features.dose.registry.service import follow_deleted, follow_indexed
from treegarth.features.dose.registry.store.modalities import note_modalities
from treegarth.features.dose.registry.store.samples import REST
from treegarth.features.dose.registry.tasks import READ_WAITING, SAMPLE_SERIES
from treegarth.index.follower import IndexFollower
from treegarth.index.instances import IndexedInstance, RemovedInstance
from treegarth.tasks.app import TaskHints


class DoseFollower(IndexFollower):
    """Notes dose objects as unread in the transaction that indexes them; keeps the dose of those that leave."""

    def __init__(self, hints: TaskHints) -> None:
        self._hints = hints

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance], at: datetime) -> None:
        follow_indexed(connection, instances)
        note_modalities(connection, instances)

    def deleted(self, connection: Connection, instances: Sequence[RemovedInstance], at: datetime) -> None:
        follow_deleted(connection, [one.orthanc_instance_id for one in instances], at)

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        forget_studies(connection, orthanc_study_ids)

    def committed(self, instances: Sequence[IndexedInstance]) -> None:
        candidates = [instance for instance in instances if is_candidate(instance)]
        if not all(is_sampled(one) for one in candidates):
            self._hints.announce(READ_WAITING)
        if any(is_sampled(one) for one in candidates):
            self._hints.announce(SAMPLE_SERIES, after=REST)
