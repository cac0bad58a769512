"""Objects whose sequences are nested deeper than Orthanc can be asked to read, and where they are. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, or_, select

from treegarth.index.tables import instance, series, study

_IS_DEEP = instance.c.nesting_depth.is_not(None)  # by the index on these alone: there are hardly ever any


@dataclass(frozen=True, kw_only=True)
class DeepObject:
    """An object of a series, and how deep its sequences are nested."""

    orthanc_instance_id: str
    orthanc_series_id: str
    nesting_depth: int


@dataclass(frozen=True, kw_only=True)
class DeepStudy:
    """A study that holds such objects."""

    orthanc_study_id: str
    study_instance_uid: str
    patient_id: str | None
    study_description: str | None
    object_count: int
    deepest: int


def deep_objects_of(connection: Connection, orthanc_study_id: str) -> list[DeepObject]:
    """Those of one study."""
    query = (
        select(instance.c.orthanc_instance_id, instance.c.orthanc_series_id, instance.c.nesting_depth)
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .where(_IS_DEEP, series.c.orthanc_study_id == orthanc_study_id)
        .order_by(instance.c.orthanc_instance_id)
    )
    return [DeepObject(**row._mapping) for row in connection.execute(query)]


def count_deep_objects(connection: Connection) -> int:
    """How many the archive has."""
    return connection.execute(select(func.count()).select_from(instance).where(_IS_DEEP)).scalar_one()


def deep_studies(connection: Connection, *, limit: int) -> list[DeepStudy]:
    """The studies that hold any, the latest first."""
    return _deep_studies(connection, [], limit)


def deep_studies_met(connection: Connection, study_instance_uids: Sequence[str], *, limit: int) -> list[DeepStudy]:
    """Those that a viewer of these studies comes to: they themselves, all that carry their UIDs, and every other study
    of their patients, which it looks for by Patient ID."""
    patients = (
        select(func.upper(study.c.patient_id))
        .where(study.c.study_instance_uid.in_(study_instance_uids), study.c.patient_id != "")
        .scalar_subquery()
    )
    is_met = or_(study.c.study_instance_uid.in_(study_instance_uids), func.upper(study.c.patient_id).in_(patients))
    return _deep_studies(connection, [is_met], limit)


def _deep_studies(connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[DeepStudy]:
    columns = [study.c[name] for name in ("orthanc_study_id", "study_instance_uid", "patient_id", "study_description")]
    query = (
        select(
            *columns,
            func.count().label("object_count"),
            func.max(instance.c.nesting_depth).label("deepest"),
        )
        .select_from(instance)
        .join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(_IS_DEEP, *conditions)
        .group_by(*columns, study.c.last_received_at)
        .order_by(study.c.last_received_at.desc(), study.c.orthanc_study_id)
        .limit(limit)
    )
    return [DeepStudy(**row._mapping) for row in connection.execute(query)]
