"""Of series with hundreds of images a few are sources of dose, the same few for every order of arrival. Queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, select

from treegarth.features.dose.candidates import SAMPLE, SAMPLED_SOURCES, IndexedInstance
from treegarth.features.dose.tables import dose_report


def sample(
    connection: Connection, instances: Iterable[IndexedInstance]
) -> tuple[Sequence[IndexedInstance], Sequence[str]]:
    """The instances that are to be noted, and the studies that lost a source which one of these displaced."""
    wanted: list[IndexedInstance] = []
    of_series: dict[str, dict[str, IndexedInstance]] = {}
    for instance in instances:
        if instance.sop_class_uid in SAMPLED_SOURCES:
            of_series.setdefault(instance.orthanc_series_id, {})[instance.orthanc_instance_id] = instance
        else:
            wanted.append(instance)
    changed: set[str] = set()
    for series, given in sorted(of_series.items()):
        kept, displaced = _choose(connection, series, sorted(given))
        wanted += [given[identifier] for identifier in kept]
        changed |= displaced
    return wanted, sorted(changed)


def _choose(connection: Connection, series: str, given: Sequence[str]) -> tuple[list[str], set[str]]:
    """Those of the given that are among the series' smallest identifiers; what they displace goes."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(series, 7_313))))
    ours = (dose_report.c.orthanc_series_id == series, dose_report.c.sop_class_uid.in_(sorted(SAMPLED_SOURCES)))
    there = connection.execute(select(dose_report.c.orthanc_instance_id).where(*ours)).scalars().all()
    chosen = sorted({*there, *given})[:SAMPLE]
    displaced: set[str] = set()
    if gone := [identifier for identifier in there if identifier not in chosen]:
        removed = delete(dose_report).where(dose_report.c.orthanc_instance_id.in_(gone))
        displaced = set(connection.execute(removed.returning(dose_report.c.orthanc_study_id)).scalars())
    return [identifier for identifier in given if identifier in chosen], displaced
