"""What of an exam lives on in another study: under a corrected patient ID, or filed twice. Queries only.

An object is the same one in another study by its SOP Instance UID or by Orthanc's ModifiedFrom; an event by its UID.
Of several places one counts: never a copy without the patient's identity, rather one that is there than one that left
the archive, then what was modified, then the later (content, creation, arrival).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Label,
    Row,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)

from treegarth.features.dose.registry.decision import Elsewhere
from treegarth.features.dose.registry.decision.instants import instant_of
from treegarth.features.dose.registry.tables import administration, dose_report, irradiation_event

Key: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class _Found:
    sources: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    same_patient: set[str] = field(default_factory=set)


_mine, _other = dose_report.alias("mine"), dose_report.alias("other")
_IS_MINE = _mine.c.orthanc_study_id == any_(bindparam("studies", type_=ARRAY(Text)))


def _told(report: FromClause, prefix: str) -> list[Label[Any]]:
    told = {
        "study": report.c.orthanc_study_id,
        "source": report.c.orthanc_instance_id,
        "source_class": report.c.source,
        "report": report.c.report,
        "gone": report.c.source_deleted_at,
        "received": func.coalesce(report.c.received_at, report.c.discovered_at),
        "patient": report.c.patient_id,
        "issuer": report.c.issuer_of_patient_id,
    }
    return [column.label(f"{prefix}{name}") for name, column in told.items()]


def _pairs(joined: FromClause, *which: ColumnElement[Any]) -> Select[Any]:
    """Sources of the studies, each with one that is joined to it and is of another study."""
    return (
        select(*which, *_told(_mine, ""), *_told(_other, "other_"), _mine.c.modified_from)
        .select_from(joined)
        .where(_IS_MINE, _other.c.orthanc_study_id != _mine.c.orthanc_study_id)
        .where(_mine.c.kind.is_not(None), _other.c.kind.is_not(None))
    )


def _originals_of(wanted: ColumnElement[bool]) -> CTE:
    """What Orthanc made these sources of, and what it made that of, and so on."""
    original = (
        select(_mine.c.orthanc_instance_id.label("source"), _mine.c.modified_from.label("orthanc_instance_id"))
        .where(wanted)
        .cte("original", recursive=True)
    )
    return original.union(
        select(original.c.source, _other.c.modified_from)
        .join_from(original, _other, _other.c.orthanc_instance_id == original.c.orthanc_instance_id)
        .where(_other.c.modified_from.is_not(None))
    )


def _copies_of(wanted: ColumnElement[bool]) -> CTE:
    """What Orthanc made of these sources, and what it made of that, and so on."""
    copy = (
        select(_mine.c.orthanc_instance_id.label("source"), _other.c.orthanc_instance_id)
        .join_from(_mine, _other, _other.c.modified_from == _mine.c.orthanc_instance_id)
        .where(wanted)
        .cte("copy", recursive=True)
    )
    return copy.union(
        select(copy.c.source, _other.c.orthanc_instance_id).join_from(
            copy, _other, _other.c.modified_from == copy.c.orthanc_instance_id
        )
    )


def _objects() -> CompoundSelect[Any]:
    has_original = _mine.c.modified_from.is_not(None)
    related: dict[str, FromClause] = {
        relation: _mine.join(made, made.c.source == _mine.c.orthanc_instance_id).join(
            _other, _other.c.orthanc_instance_id == made.c.orthanc_instance_id
        )
        for relation, made in (("original", _originals_of(_IS_MINE & has_original)), ("copy", _copies_of(_IS_MINE)))
    }
    related["same"] = _mine.join(_other, _other.c.sop_instance_uid == _mine.c.sop_instance_uid)
    return union_all(*(_pairs(joined, literal(relation).label("relation")) for relation, joined in related.items()))


def _events(table: Table) -> Select[Any]:
    one, same = table.alias("one"), table.alias("same")
    joined = (
        _mine.join(one, one.c.orthanc_instance_id == _mine.c.orthanc_instance_id)
        .join(same, same.c.irradiation_event_uid == one.c.irradiation_event_uid)
        .join(_other, _other.c.orthanc_instance_id == same.c.orthanc_instance_id)
    )
    return _pairs(joined, one.c.irradiation_event_uid.label("uid"))


def _originals() -> Select[Any]:
    of_sources = _mine.c.orthanc_instance_id == any_(bindparam("sources", type_=ARRAY(Text)))
    original = _originals_of(of_sources)
    return select(original.c.source, dose_report.c.sop_instance_uid).join_from(
        original, dose_report, dose_report.c.orthanc_instance_id == original.c.orthanc_instance_id
    )


# Made once, and the same for any number of studies: SQLAlchemy compiles them once, and PostgreSQL plans them once.
_OBJECTS = _objects()
_EVENTS = [_events(table) for table in (irradiation_event, administration)]
_ORIGINALS = _originals()


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
    reports = [one for one in same if one.source_class != "header" and one.other_source_class != "header"]
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
