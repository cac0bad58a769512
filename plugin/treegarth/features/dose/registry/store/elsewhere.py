"""What of an exam lives on in another study: under a corrected patient ID, or filed twice. Queries only.

An object is the same one in another study by its SOP Instance UID or by Orthanc's ModifiedFrom; an event by its UID.
Of several places one counts: never a copy without the patient's identity, rather one that is there than one that left
the archive, then what was modified, then the later (content, creation, arrival).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, text

from treegarth.features.dose.registry.decision import Elsewhere
from treegarth.features.dose.registry.decision.instants import instant_of

_PLACE = """
    mine.orthanc_study_id AS study, mine.orthanc_instance_id AS source,
    other.orthanc_study_id AS other_study, other.orthanc_instance_id AS other_source,
    other.report AS other_report, other.source_deleted_at AS other_gone, other.source AS other_class,
    coalesce(other.received_at, other.discovered_at) AS other_received,
    other.patient_id AS other_patient, other.issuer_of_patient_id AS other_issuer,
    mine.report AS report, mine.source_deleted_at AS gone, mine.source AS own_class,
    coalesce(mine.received_at, mine.discovered_at) AS received, mine.modified_from AS modified_from,
    mine.patient_id AS patient, mine.issuer_of_patient_id AS issuer
"""
_WHERE = """
WHERE mine.orthanc_study_id = ANY(:studies) AND other.orthanc_study_id <> mine.orthanc_study_id
AND mine.kind IS NOT NULL AND other.kind IS NOT NULL
"""
# As texts: the same statements for any number of studies, so PostgreSQL plans them once.
_OBJECTS = text(f"""
WITH RECURSIVE made (source, orthanc_instance_id) AS (
    SELECT mine.orthanc_instance_id, other.orthanc_instance_id FROM dose_report mine
    JOIN dose_report other ON other.modified_from = mine.orthanc_instance_id
    WHERE mine.orthanc_study_id = ANY(:studies)
    UNION
    SELECT made.source, other.orthanc_instance_id FROM made
    JOIN dose_report other ON other.modified_from = made.orthanc_instance_id
), original (source, orthanc_instance_id) AS (
    SELECT mine.orthanc_instance_id, mine.modified_from FROM dose_report mine
    WHERE mine.orthanc_study_id = ANY(:studies) AND mine.modified_from IS NOT NULL
    UNION
    SELECT original.source, one.modified_from FROM original
    JOIN dose_report one ON one.orthanc_instance_id = original.orthanc_instance_id WHERE one.modified_from IS NOT NULL
)
SELECT 'original' AS relation, {_PLACE} FROM dose_report mine
JOIN original ON original.source = mine.orthanc_instance_id
JOIN dose_report other ON other.orthanc_instance_id = original.orthanc_instance_id {_WHERE}
UNION ALL
SELECT 'copy' AS relation, {_PLACE} FROM dose_report mine
JOIN made ON made.source = mine.orthanc_instance_id
JOIN dose_report other ON other.orthanc_instance_id = made.orthanc_instance_id {_WHERE}
UNION ALL
SELECT 'same' AS relation, {_PLACE} FROM dose_report mine
JOIN dose_report other ON other.sop_instance_uid = mine.sop_instance_uid {_WHERE}
""")  # noqa: S608
_EVENTS = [
    text(f"""
SELECT one.irradiation_event_uid AS uid, {_PLACE} FROM dose_report mine
JOIN {table} one ON one.orthanc_instance_id = mine.orthanc_instance_id
JOIN {table} same ON same.irradiation_event_uid = one.irradiation_event_uid
JOIN dose_report other ON other.orthanc_instance_id = same.orthanc_instance_id {_WHERE}
""")  # noqa: S608
    for table in ("irradiation_event", "administration")
]

_ORIGINALS = text("""
WITH RECURSIVE original (source, orthanc_instance_id) AS (
    SELECT orthanc_instance_id, modified_from FROM dose_report WHERE orthanc_instance_id = ANY(:sources)
    UNION
    SELECT original.source, one.modified_from FROM original
    JOIN dose_report one ON one.orthanc_instance_id = original.orthanc_instance_id WHERE one.modified_from IS NOT NULL
)
SELECT original.source, one.sop_instance_uid FROM original
JOIN dose_report one ON one.orthanc_instance_id = original.orthanc_instance_id
""")

Key: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class _Found:
    sources: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    same_patient: set[str] = field(default_factory=set)


def elsewhere_of(connection: Connection, orthanc_study_ids: Sequence[str]) -> Mapping[str, Elsewhere]:
    """For those of the studies that have something in common with another one, what of them counts there."""
    found: dict[str, _Found] = {}
    objects = connection.execute(_OBJECTS, {"studies": list(orthanc_study_ids)}).all()
    for row in objects:
        if _counts_there(row):
            found.setdefault(row.study, _Found()).sources[row.source] = row.other_study
            _note_patient(found[row.study], row)
    for statement in _EVENTS:
        rows = connection.execute(statement, {"studies": list(orthanc_study_ids)}).all()
        for (study, uid), of_event in _by_event(rows).items():
            there = [row for row in of_event if _event_counts_there(of_event, row, objects)]
            if there:
                best = max(there, key=lambda row: (_rank(row, "other_"), row.other_study))
                found.setdefault(study, _Found()).uids[uid] = best.other_study
                _note_patient(found[study], best)
    return {
        study: Elsewhere(sources=one.sources, event_uids=one.uids, same_patient=frozenset(one.same_patient))
        for study, one in found.items()
    }


def former_uids(connection: Connection, orthanc_instance_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """For objects that Orthanc made of others: the SOP Instance UIDs of these. No query where there are none, as in
    nearly every study."""
    found: dict[str, set[str]] = {}
    if orthanc_instance_ids:
        for row in connection.execute(_ORIGINALS, {"sources": list(orthanc_instance_ids)}):
            found.setdefault(row.source, set()).add(row.sop_instance_uid)
    return {source: frozenset(uids) for source, uids in found.items()}


def _note_patient(found: _Found, row: Row[Any]) -> None:
    if (row.patient, row.issuer) == (row.other_patient, row.other_issuer):
        found.same_patient.add(row.other_study)


def _by_event(rows: Iterable[Row[Any]]) -> dict[tuple[str, str], list[Row[Any]]]:
    found: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in rows:
        found.setdefault((row.study, row.uid), []).append(row)
    return found


def _counts_there(row: Row[Any]) -> bool:
    """Of one object in two studies: whether the other one counts."""
    mine, other = _standing(row, ""), _standing(row, "other_")
    if mine != other:
        return bool(other > mine)
    if row.relation != "same":
        return bool(row.relation == "copy")
    if row.modified_from == row.other_source:
        return False
    return (_rank(row, "other_"), row.other_study) > (_rank(row, ""), row.study)


def _event_counts_there(rows: Sequence[Row[Any]], row: Row[Any], objects: Sequence[Row[Any]]) -> bool:
    """Of one event in two studies: whether it counts there. Reports are compared with reports where both have one."""
    same = [one for one in rows if one.other_study == row.other_study]
    for one in objects:  # what Orthanc says of two objects holds for their events
        if one.study == row.study and one.other_study == row.other_study and one.source == row.source:
            return _counts_there(one)
    reports = [one for one in same if one.own_class != "header" and one.other_class != "header"]
    compared = reports or same
    mine = max(_rank(one, "", arrival_only=not reports) for one in compared)
    other = max(_rank(one, "other_", arrival_only=not reports) for one in compared)
    return (other, row.other_study) > (mine, row.study)


def _standing(row: Row[Any], of: str) -> tuple[bool, bool]:
    """A copy without identity stands below all, what left the archive below what is there."""
    report = row._mapping[f"{of}report"] or {}
    return not report.get("patient_identity_removed"), row._mapping[f"{of}gone"] is None


def _rank(row: Row[Any], of: str, *, arrival_only: bool = False) -> Key:
    report = row._mapping[f"{of}report"] or {}
    offset = report.get("timezone_offset_from_utc")
    content = instant_of(report.get("content_date_time"), offset)
    made = instant_of(report.get("instance_created"), offset)
    written = (content.utc_s if content else 0.0, made.utc_s if made else 0.0)
    return (*_standing(row, of), *((0.0, 0.0) if arrival_only else written), row._mapping[f"{of}received"])
