"""What the reconciler keeps and asks: its checkpoint, its progress, and what the index holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Column,
    Connection,
    MetaData,
    Select,
    Table,
    Text,
    exists,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.parameters import written_out
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
    empty_patients, empty_studies, empty_series = tuple(connection.execute(_empty()).one())
    return Counts(
        patients=patients - empty_patients,
        studies=studies - empty_studies,
        series=series_ - empty_series,
        instances=instances,
    )


def _empty() -> Select[Any]:
    """How many patients, studies and series have rows, and no objects."""
    empty_study, empty_series = (table.c.instance_count == written_out(0) for table in (study, series))
    other = study.alias("other")
    has_others = exists().where(other.c.orthanc_patient_id == study.c.orthanc_patient_id, other.c.instance_count > 0)
    patients = select(func.count(study.c.orthanc_patient_id.distinct())).where(empty_study, ~has_others)
    studies = select(func.count()).select_from(study).where(empty_study)
    series_ = select(func.count()).select_from(series).where(empty_series)
    return select(*(count.scalar_subquery() for count in (patients, studies, series_)))


_in_orthanc = Table(
    "in_orthanc",
    MetaData(),  # of one transaction: migrations do not compare it
    Column("id", Text(collation="C")),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def begin_comparison(connection: Connection) -> None:
    """A table of this transaction for the identifiers that Orthanc has now."""
    _in_orthanc.create(connection, checkfirst=False)


def note_in_orthanc(connection: Connection, identifiers: Sequence[str]) -> None:
    rows = select(func.unnest(literal(list(identifiers), ARRAY(Text))))
    connection.execute(insert(_in_orthanc).from_select(["id"], rows))


def not_in_orthanc(connection: Connection, before: datetime) -> list[str]:
    """The instances that the index had before that time and that were not noted."""
    connection.execute(text("ANALYZE in_orthanc"))
    key = instance.c.orthanc_instance_id
    is_noted = exists().where(_in_orthanc.c.id == key)
    query = select(key).where(instance.c.indexed_at < before, ~is_noted).order_by(key)
    return list(connection.execute(query).scalars())
