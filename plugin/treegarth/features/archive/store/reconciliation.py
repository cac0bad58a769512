"""What the reconciler keeps and asks: its checkpoint, its progress, and what the index holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from treegarth.index.tables import archive_state, instance, patient, series, study


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many resources there are of each level."""

    patients: int
    studies: int
    series: int
    instances: int


def read_state(connection: Connection, name: str) -> dict[str, Any] | None:
    """A named piece of the reconciler's memory."""
    return connection.execute(select(archive_state.c.value).where(archive_state.c.name == name)).scalar_one_or_none()


def write_state(connection: Connection, name: str, value: dict[str, Any]) -> None:
    statement = insert(archive_state).values(name=name, value=value)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": statement.excluded.value, "changed_at": func.now()}
        )
    )


def counts(connection: Connection) -> Counts:
    """How many rows the index has whose objects are in Orthanc: what was pruned keeps its rows, and is not counted.

    Rows without objects are few and have indexes of their own, so that the rest is counted as quickly as before.
    """
    patients, studies, series_, instances = (
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (patient, study, series, instance)
    )
    empty_patients, empty_studies, empty_series = connection.execute(text(_EMPTY)).one()
    return Counts(
        patients=patients - empty_patients,
        studies=studies - empty_studies,
        series=series_ - empty_series,
        instances=instances,
    )


_EMPTY = """
SELECT (
    SELECT count(DISTINCT e.orthanc_patient_id) FROM study e WHERE e.instance_count = 0 AND NOT EXISTS (
        SELECT 1 FROM study t WHERE t.orthanc_patient_id = e.orthanc_patient_id AND t.instance_count > 0
    )
), (SELECT count(*) FROM study WHERE instance_count = 0), (SELECT count(*) FROM series WHERE instance_count = 0)
"""


def count_instances(connection: Connection) -> int:
    """How many instances the index has, from its studies' counts: these are kept in the same transactions."""
    return int(connection.execute(select(func.coalesce(func.sum(study.c.instance_count), 0))).scalar_one())


def begin_comparison(connection: Connection) -> None:
    """A table of this transaction for the identifiers that Orthanc has now."""
    connection.execute(text('CREATE TEMPORARY TABLE in_orthanc (id text COLLATE "C") ON COMMIT DROP'))


def note_in_orthanc(connection: Connection, identifiers: Sequence[str]) -> None:
    connection.execute(text("INSERT INTO in_orthanc SELECT unnest(CAST(:ids AS text[]))"), {"ids": list(identifiers)})


def not_in_orthanc(connection: Connection, before: datetime) -> list[str]:
    """The instances that the index had before that time and that were not noted."""
    connection.execute(text("ANALYZE in_orthanc"))
    found = connection.execute(
        text(
            "SELECT orthanc_instance_id FROM instance i WHERE indexed_at < :before"
            " AND NOT EXISTS (SELECT 1 FROM in_orthanc o WHERE o.id = i.orthanc_instance_id) ORDER BY 1"
        ),
        {"before": before},
    )
    return list(found.scalars())
