"""Which objects of a study the registry knows to report dose, for features that send them on. Queries only."""

from __future__ import annotations

from sqlalchemy import Connection, select

from treegarth.features.dose.registry.tables import dose_report


def dose_objects(connection: Connection, orthanc_study_id: str) -> tuple[frozenset[str], frozenset[str]]:
    """Orthanc identifiers of the objects that dose was read from, and of those that still wait to be read first."""
    columns = (dose_report.c.orthanc_instance_id, dose_report.c.state, dose_report.c.read_at, dose_report.c.refused)
    rows = connection.execute(select(*columns).where(dose_report.c.orthanc_study_id == orthanc_study_id)).all()
    read = {one.orthanc_instance_id for one in rows if one.read_at is not None and one.refused is None}
    unread = {one.orthanc_instance_id for one in rows if one.read_at is None and one.state == "unread"}
    return frozenset(read), frozenset(unread)
