"""What is no patient: rules for phantoms, quality assurance and service, and the studies that they mark. Queries only.

A marked study stays in the registry; statistics and totals leave it out by `DoseStudyFilter.not_patient`. Rules are
kept when they are removed, with who did it and when; the lowest number of those that match is the one that marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from treegarth.errors import InvalidRequest
from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.features.dose.registry.tables import dose_study, not_patient_rule
from treegarth.phrases import P_

Meaning: TypeAlias = Literal["phantom", "qa", "service"]

_RULE = ("id", "meaning", "patient_id", "patient_name", "study_description", "equipment", "note")
_WHO = ("created_by", "created_at", "removed_by", "removed_at")
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
class NotPatientRule:
    """One rule, with who made and who removed it; `study_count` is how many studies it marks now."""

    id: int
    meaning: Meaning
    patterns: NotPatientPatterns
    note: str | None
    created_by: str | None
    created_at: datetime
    removed_by: str | None
    removed_at: datetime | None
    study_count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPatientPreview:
    """What patterns match: how many studies, how many of them a rule marks already, and the newest of them."""

    study_count: int
    marked_count: int
    studies: Sequence[DoseStudy]


def list_not_patient_rules(connection: Connection, *, with_removed: bool = False) -> list[NotPatientRule]:
    """The rules in the order in which they were made."""
    rule = dose_study.c.not_patient_rule_id
    marked = select(rule, func.count().label("studies")).where(rule.is_not(None)).group_by(rule).subquery()
    query = (
        select(
            *(not_patient_rule.c[name] for name in (*_RULE, *_WHO)),
            func.coalesce(marked.c.studies, 0).label("study_count"),
        )
        .outerjoin(marked, marked.c.not_patient_rule_id == not_patient_rule.c.id)
        .order_by(not_patient_rule.c.id)
    )
    if not with_removed:
        query = query.where(not_patient_rule.c.removed_at.is_(None))
    rules = []
    for row in connection.execute(query):
        values = dict(row._mapping)
        patterns = NotPatientPatterns(**{name: values.pop(name) for name in PATTERNS})
        rules.append(NotPatientRule(patterns=patterns, **values))
    return rules


def find_not_patient_rule(connection: Connection, rule: int) -> NotPatientRule | None:
    """The rule of this number, also one that was removed; None where there is none."""
    return next((one for one in list_not_patient_rules(connection, with_removed=True) if one.id == rule), None)


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


def count_not_patients(connection: Connection, patterns: NotPatientPatterns) -> int:
    """How many studies these patterns match. Raises InvalidRequest without any."""
    return connection.execute(select(func.count()).select_from(dose_study).where(_matches(patterns))).scalar_one()


def add_not_patient_rule(
    connection: Connection,
    *,
    meaning: Meaning,
    patterns: NotPatientPatterns,
    note: str | None = None,
    by: str | None,
    now: datetime,
) -> int:
    """The number of the new rule, which holds from now on. Raises InvalidRequest without any pattern."""
    _matches(patterns)
    values = {name: getattr(patterns, name) or None for name in PATTERNS}
    statement = insert(not_patient_rule).values(meaning=meaning, note=note, created_by=by, created_at=now, **values)
    made = connection.execute(statement.returning(not_patient_rule.c.id)).scalar_one()
    mark_not_patients(connection)
    return int(made)


def remove_not_patient_rule(connection: Connection, rule: int, *, by: str | None, now: datetime) -> bool:
    """Let the rule hold no more; it stays on record. False where there is none."""
    done = connection.execute(
        update(not_patient_rule)
        .where(not_patient_rule.c.id == rule, not_patient_rule.c.removed_at.is_(None))
        .values(removed_by=by, removed_at=now)
    )
    if done.rowcount:
        mark_not_patients(connection)
    return done.rowcount == 1


def mark_not_patients(connection: Connection, orthanc_study_ids: Sequence[str] | None = None) -> None:
    """Mark every study, or these, by the rules that hold now."""
    ours = [] if orthanc_study_ids is None else [dose_study.c.orthanc_study_id.in_(orthanc_study_ids)]
    rule = select(not_patient_rule.c.id).where(not_patient_rule.c.removed_at.is_(None), _rule_matches())
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
