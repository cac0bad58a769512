"""What leaves the index: what was pruned stays findable, others' deletions stand in the ledger, what returns counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, Engine, func, insert, select

from tests.index_support import NOON, search_studies, write_study
from tests.retention_support import add_up_ledger
from treegarth.features.archive.search_model import StudyFilter
from treegarth.features.archive.store import reconciliation, removal
from treegarth.features.archive.store.search import list_series
from treegarth.features.retention.follower import LedgerFollower
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy
from treegarth.index import parents
from treegarth.index.instances import Level
from treegarth.index.tables import instance, patient

LEDGER = LedgerFollower()
UID = "1.2.840.99999.1.1"


@dataclass(frozen=True)
class Arrived:
    """What the ledger asks of an instance that was indexed."""

    orthanc_instance_id: str
    orthanc_series_id: str = "series-00001"
    orthanc_study_id: str = "study-00001"
    is_stored_again: bool = False
    is_known: bool = False


def intend(connection: Connection, *positions: int) -> None:
    """What the pruning of study 1 writes before it deletes."""
    connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
    for position in positions:
        connection.execute(
            insert(prune_ledger).values(
                orthanc_instance_id=f"instance-00001-{position}",
                orthanc_series_id="series-00001",
                orthanc_study_id="study-00001",
                study_instance_uid=UID,
                series_instance_uid="1.2.840.99999.2.1",
                sop_instance_uid=f"1.2.840.99999.3.1.{position}",
                size_bytes=500,
                received_at=NOON,
                state="intended",
                policy_id=1,
                policy_version=1,
                intended_at=NOON,
            )
        )


def leave(connection: Connection, *identifiers: str, level: Level = Level.INSTANCE) -> None:
    removed = removal.remove(connection, level, identifiers)
    LEDGER.left(connection, removed, NOON)
    removal.remove_empty(connection, removed)


def test_a_study_whose_objects_were_all_pruned_is_found_and_says_so(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        intend(connection, 1, 2)
        leave(connection, "instance-00001-1", "instance-00001-2")
        (study,) = search_studies(connection, StudyFilter(study_instance_uid=UID)).items
        assert (study.instance_count, study.pruned_instance_count, study.pruned_size_bytes) == (0, 2, 1000)
        assert study.modalities == ["CT"]
        assert [one.pruned_instance_count for one in list_series(connection, study.orthanc_study_id)] == [2]
        assert len(search_studies(connection, StudyFilter(modalities=("CT",))).items) == 1
        assert reconciliation.counts(connection) == reconciliation.Counts(patients=0, studies=0, series=0, instances=0)


def test_what_somebody_else_deleted_leaves_the_index_and_stands_in_the_ledger_as_theirs(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        leave(connection, "study-00001", level=Level.STUDY)
        assert search_studies(connection, StudyFilter(study_instance_uid=UID)).items == []
        assert connection.execute(select(func.count()).select_from(patient)).scalar_one() == 0
        rows = connection.execute(select(prune_ledger).order_by(prune_ledger.c.sop_instance_uid)).all()
    assert [(row.state, row.policy_id, row.sop_instance_uid, row.deleted_at) for row in rows] == [
        ("deleted", None, f"1.2.840.99999.3.1.{position}", NOON) for position in (1, 2)
    ]
    assert {(row.study_instance_uid, row.modality, row.size_bytes) for row in rows} == {(UID, "CT", 500)}


def test_a_study_pruned_in_part_keeps_its_numbers_when_others_delete_the_rest(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        intend(connection, 1)
        leave(connection, "instance-00001-1")
        leave(connection, "instance-00001-2")
        (study,) = search_studies(connection, StudyFilter(study_instance_uid=UID)).items
    assert (study.instance_count, study.pruned_instance_count) == (0, 1)


def test_an_object_that_comes_back_is_no_longer_counted_as_pruned(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        intend(connection, 1, 2)
        kept = connection.execute(select(instance).where(instance.c.orthanc_instance_id == "instance-00001-1")).one()
        leave(connection, "instance-00001-1", "instance-00001-2")
        connection.execute(prune_ledger.update().values(state="deleted", deleted_at=NOON))
        add_up_ledger(connection)
        connection.execute(insert(instance).values(kept._asdict()))
        parents.tell_studies(connection, series_ids=["series-00001"], study_ids=["study-00001"])
        LEDGER.indexed(connection, [Arrived(kept.orthanc_instance_id)], NOON + timedelta(days=1))
        (study,) = search_studies(connection, StudyFilter(study_instance_uid=UID)).items
        returned = connection.execute(
            select(prune_ledger.c.sop_instance_uid).where(prune_ledger.c.returned_at.is_not(None))
        )
        assert returned.scalars().all() == [kept.sop_instance_uid]
    assert (study.instance_count, study.pruned_instance_count, study.pruned_size_bytes) == (1, 1, 500)


def test_the_mark_of_an_object_goes_when_another_one_is_stored_in_its_place(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        for position in (1, 2):
            connection.execute(
                insert(prune_mark).values(
                    orthanc_instance_id=f"instance-00001-{position}",
                    orthanc_series_id="series-00001",
                    orthanc_study_id="study-00001",
                    study_instance_uid=UID,
                    sop_instance_uid=f"1.2.840.99999.3.1.{position}",
                    size_bytes=500,
                    policy_id=1,
                    policy_version=1,
                    marked_at=NOON,
                    due_at=NOON,
                )
            )
        again = Arrived("instance-00001-1", is_stored_again=True)
        LEDGER.indexed(connection, [again, Arrived("instance-00001-2")], NOON)
        assert connection.execute(select(prune_mark.c.orthanc_instance_id)).scalars().all() == ["instance-00001-2"]


def test_pruned_and_present_studies_of_one_patient_count_as_one_patient(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        write_study(connection, 2)
        intend(connection, 1, 2)
        leave(connection, "instance-00001-1", "instance-00001-2")
        found = reconciliation.counts(connection)
    assert found == reconciliation.Counts(patients=1, studies=1, series=1, instances=2)
