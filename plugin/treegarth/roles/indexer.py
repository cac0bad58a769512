"""Write what Orthanc stores and deletes into the index, as the plugin tells it by the pipe."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime

from sqlalchemy import Connection

from treegarth.database.engine import create_engine
from treegarth.features import archive, dose, retention, rules
from treegarth.features.archive import IndexedInstance
from treegarth.roles.duty import now, take_up
from treegarth.tasks.app import TaskHints


def main() -> None:
    """Index until the pipe closes, then write what is left."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends when its input closes, with everything written
    duty = take_up(niceness=5)
    # A commit need not wait for the disk: what PostgreSQL loses in a crash of its own (less than a second) is still
    # in Orthanc's changes behind the reconciler's checkpoint, which is lost together with it or later.
    engine = create_engine(duty.database, pool_size=8, application_name="treegarth indexer", is_done_again=True)
    with closing(TaskHints(duty.database)) as hints:
        archive.run_indexer(
            engine=engine,
            orthanc=duty.orthanc,
            followers=[IndexFollower(hints)],
            settings=duty.settings,
            clock=now,
            frames_from=sys.stdin.buffer,
            answers_to=sys.stdout,
            departures=retention.Departures(note_pruned=archive.note_pruned),
        )


class IndexFollower:
    """Dose objects are noted as unread in the transaction that indexes them, and the workers are told; labels of a
    study go with it."""

    def __init__(self, hints: TaskHints) -> None:
        self._hints = hints

    def indexed(self, connection: Connection, instances: Sequence[IndexedInstance]) -> None:
        dose.follow_indexed(connection, instances)
        dose.note_modalities(connection, instances)

    def deleted(self, connection: Connection, orthanc_instance_ids: Sequence[str], at: datetime) -> None:
        dose.follow_deleted(connection, orthanc_instance_ids, at)

    def studies_left(self, connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
        rules.follow_studies_left(connection, orthanc_study_ids)

    def committed(self, instances: Sequence[IndexedInstance]) -> None:
        candidates = [instance for instance in instances if dose.is_candidate(instance)]
        if not all(dose.is_sampled(one) for one in candidates):
            self._hints.announce(dose.READ_WAITING)
        if any(dose.is_sampled(one) for one in candidates):
            self._hints.announce(dose.SAMPLE_SERIES, after=dose.REST)
