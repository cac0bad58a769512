"""What is no patient: rules for phantoms, quality assurance and service, and the studies that they mark. Queries only.

A marked study stays in the registry; statistics and totals leave it out by `DoseStudyFilter.not_patient`. Of the rules
that are on and match, the one with the lowest number marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from treegarth.documents.store import Author, Kind, Stored
from treegarth.errors import InvalidRequest
from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.features.dose.registry.tables import dose_study, not_patient_rule, not_patient_rule_version
from treegarth.phrases import N_, P_

Meaning: TypeAlias = Literal["phantom", "qa", "service"]

PATTERNS = ("patient_id", "patient_name", "study_description", "equipment")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPatientPatterns:
    """Patterns in which * is any text and ? any character, in capitals or not; all that are given must match.

    `equipment` is compared with manufacturer, model, station name and serial number, one by one.
    """

    patient_id: str | None = None
    patient_name: str | None = None
    study_description: str | None = None
    equipment: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPatientPreview:
    """What patterns match: how many studies, how many of them a rule marks already, and the newest of them."""

    study_count: int
    marked_count: int
    studies: Sequence[DoseStudy]


def count_marked(connection: Connection) -> dict[int, int]:
    """How many studies each rule marks now, by its number."""
    rule = dose_study.c.not_patient_rule_id
    found = connection.execute(select(rule, func.count().label("studies")).where(rule.is_not(None)).group_by(rule))
    return {row.not_patient_rule_id: row.studies for row in found}


def preview_not_patients(connection: Connection, patterns: NotPatientPatterns, *, limit: int = 20) -> NotPatientPreview:
    """What these patterns would mark, before a rule is made of them. Raises InvalidRequest without any."""
    matches = _matches(patterns)
    counts = select(func.count(), func.count(dose_study.c.not_patient)).select_from(dose_study).where(matches)
    found, marked = connection.execute(counts).one()
    newest = dose_study.c.study_date.desc().nulls_last(), dose_study.c.orthanc_study_id.desc()
    columns = [dose_study.c[name] for name in DoseStudy.model_fields]
    studies = connection.execute(select(*columns).where(matches).order_by(*newest).limit(limit))
    return NotPatientPreview(
        study_count=found, marked_count=marked, studies=[DoseStudy(**row._mapping) for row in studies]
    )


def check_patterns(patterns: NotPatientPatterns) -> None:
    """Raises InvalidRequest where they would match every study."""
    _matches(patterns)


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    patterns = {name: document.get(name) for name in PATTERNS}
    check_patterns(NotPatientPatterns(**patterns))
    return {"meaning": document["meaning"], **patterns}


NOT_PATIENTS = Kind(
    record=Stored,
    table=not_patient_rule,
    versions=not_patient_rule_version,
    missing=N_("There is no rule with this number."),
    taken=N_("Another rule has the name %(name)s."),
    keys=("name", "meaning", *PATTERNS, "note"),
    starts_on=True,
    columns=_columns,
    follow=lambda connection, before, change, author: mark_not_patients(connection),
)


def mark_not_patients(connection: Connection, orthanc_study_ids: Sequence[str] | None = None) -> None:
    """Mark every study, or these, by the rules that hold now."""
    ours = [] if orthanc_study_ids is None else [dose_study.c.orthanc_study_id.in_(orthanc_study_ids)]
    rule = select(not_patient_rule.c.id).where(not_patient_rule.c.is_on, _rule_matches())
    first = rule.order_by(not_patient_rule.c.id).limit(1).correlate(dose_study).scalar_subquery()
    found = update(dose_study).where(*ours, dose_study.c.not_patient_rule_id.is_distinct_from(first))
    connection.execute(found.values(not_patient_rule_id=first))
    meaning = (
        select(not_patient_rule.c.meaning)
        .where(not_patient_rule.c.id == dose_study.c.not_patient_rule_id)
        .correlate(dose_study)
        .scalar_subquery()
    )
    named = update(dose_study).where(*ours, dose_study.c.not_patient.is_distinct_from(meaning))
    connection.execute(named.values(not_patient=meaning))


_COLUMNS: dict[str, Sequence[ColumnElement[str | None]]] = {
    "patient_id": (dose_study.c.patient_id,),
    "patient_name": (dose_study.c.patient_name,),
    "study_description": (dose_study.c.study_description,),
    "equipment": (
        dose_study.c.manufacturer,
        dose_study.c.manufacturer_model_name,
        dose_study.c.station_name,
        dose_study.c.device_serial_number,
    ),
}


def _matches(patterns: NotPatientPatterns) -> ColumnElement[bool]:
    given = {name: pattern for name in PATTERNS if (pattern := getattr(patterns, name))}
    if not given or all(set(pattern) <= {"*", "?"} for pattern in given.values()):
        raise InvalidRequest(P_("A rule needs a pattern that says something: without one it would mark every study."))
    return and_(
        *(
            or_(*(column.ilike(_as_like(pattern), escape="!") for column in _COLUMNS[name]))
            for name, pattern in given.items()
        )
    )


def _rule_matches() -> ColumnElement[bool]:
    """The same for the patterns in a rule's row: those that are not given match everything."""
    return and_(
        *(
            or_(
                not_patient_rule.c[name].is_(None),
                *(column.ilike(_like(not_patient_rule.c[name]), escape="!") for column in _COLUMNS[name]),
            )
            for name in PATTERNS
        )
    )


def _as_like(pattern: str) -> str:
    for wild in "!%_":
        pattern = pattern.replace(wild, "!" + wild)
    return pattern.replace("*", "%").replace("?", "_")


def _like(pattern: ColumnElement[str]) -> ColumnElement[str]:
    escaped = pattern
    for written, meant in (("!", "!!"), ("%", "!%"), ("_", "!_"), ("*", "%"), ("?", "_")):
        escaped = func.replace(escaped, written, meant)
    return escaped
