"""What is no patient: rules for phantoms, quality assurance and service, and the studies that they mark. Queries only.

A marked study stays in the registry; statistics and totals leave it out by `DoseStudyFilter.not_patient`. What a person
says of one study goes first, then the rules, of those that are on and match the one with the lowest number, then what
the study's objects say themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, case, exists, false, func, null, or_, select, update

from treegarth.documents.store import Author, Kind, Stored
from treegarth.errors import InvalidRequest
from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.registry.own_words import QUALITY_CONTROL_INTENT
from treegarth.features.dose.registry.store.marks import PATIENT, StudyMark, marks_of, said_of
from treegarth.features.dose.registry.store.studies import DoseStudy, columns_of_studies
from treegarth.features.dose.registry.tables import (
    dose_report,
    dose_study,
    not_patient_rule,
    not_patient_rule_version,
)
from treegarth.index.tables import series, study
from treegarth.phrases import N_, P_
from treegarth.record import Record

Meaning: TypeAlias = Literal["phantom", "qa", "service"]
By: TypeAlias = Literal["person", "rule", "intent", "subject", "image"]
"""Who says what a study is: a person, a rule, or its objects (`own_words`)."""

PATTERNS = ("patient_id", "patient_name", "study_description", "equipment", "institution_name")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPatientPatterns:
    """Patterns in which * is any text and ? any character, in capitals or not; all that are given must match.

    `equipment` is compared with manufacturer, model, station name and serial number, one by one.
    """

    patient_id: str | None = None
    patient_name: str | None = None
    study_description: str | None = None
    equipment: str | None = None
    institution_name: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotPatientPreview:
    """What patterns match: how many studies, how many of them are marked already, and the newest of them."""

    study_count: int
    marked_count: int
    studies: Sequence[DoseStudy]


def count_marked(connection: Connection) -> dict[int, int]:
    """How many studies each rule marks now, by its number."""
    rule = dose_study.c.not_patient_rule_id
    found = connection.execute(select(rule, func.count().label("studies")).where(rule.is_not(None)).group_by(rule))
    return {row.not_patient_rule_id: row.studies for row in found}


class MarkOfStudy(Record):
    """What a study is said to be, and by what; `history` is what people said of it, the latest first."""

    not_patient: Meaning | None
    """Null: it is a patient's."""
    by: By | None
    """Who says so: a `person`, a `rule`, its dose report by its `intent`, its objects by their `subject` or `image`."""
    rule_id: int | None
    """The rule that says so."""
    rule_name: str | None
    history: list[StudyMark]


def standing_of(connection: Connection, orthanc_study_id: str) -> MarkOfStudy:
    """Of a study without dose only what people say is told."""
    history = marks_of(connection, orthanc_study_id)
    row = connection.execute(
        select(dose_study.c.not_patient, dose_study.c.not_patient_by, not_patient_rule.c.id, not_patient_rule.c.name)
        .select_from(dose_study.outerjoin(not_patient_rule, not_patient_rule.c.id == dose_study.c.not_patient_rule_id))
        .where(dose_study.c.orthanc_study_id == orthanc_study_id)
    ).one_or_none()
    if row is None:
        said = history[0].meaning if history else None
        meaning = None if said == PATIENT else said
        by: By | None = None if said is None else "person"
        return MarkOfStudy(not_patient=meaning, by=by, rule_id=None, rule_name=None, history=history)
    return MarkOfStudy(
        not_patient=row.not_patient, by=row.not_patient_by, rule_id=row.id, rule_name=row.name, history=history
    )


def preview_not_patients(connection: Connection, patterns: NotPatientPatterns, *, limit: int = 20) -> NotPatientPreview:
    """What these patterns would mark, before a rule is made of them. Raises InvalidRequest without any."""
    matches = _matches(patterns)
    counts = select(func.count(), func.count(dose_study.c.not_patient)).select_from(dose_study).where(matches)
    found, marked = connection.execute(counts).one()
    newest = dose_study.c.study_date.desc().nulls_last(), dose_study.c.orthanc_study_id.desc()
    columns = columns_of_studies()
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
    """Mark every study, or these, by what people said of them, by the rules that hold now, by what objects say; the
    rows of statistics follow."""
    ours = [] if orthanc_study_ids is None else [dose_study.c.orthanc_study_id.in_(orthanc_study_ids)]
    first = _first_rule()
    found = update(dose_study).where(*ours, dose_study.c.not_patient_rule_id.is_distinct_from(first))
    connection.execute(found.values(not_patient_rule_id=first))
    meaning, by = _mark()
    named = update(dose_study).where(
        *ours, or_(dose_study.c.not_patient.is_distinct_from(meaning), dose_study.c.not_patient_by.is_distinct_from(by))
    )
    changed = named.values(not_patient=meaning, not_patient_by=by).returning(dose_study.c.orthanc_study_id)
    refresh_values(connection, [*connection.execute(changed).scalars(), *(orthanc_study_ids or ())])


@cache
def _first_rule() -> ColumnElement[int]:
    """The rule that marks a study of which no person said anything. Built once: it is asked after every source."""
    said = said_of(dose_study.c.orthanc_study_id)
    rule = select(not_patient_rule.c.id).where(not_patient_rule.c.is_on, _rule_matches(), said.is_(None))
    return rule.order_by(not_patient_rule.c.id).limit(1).correlate(dose_study).scalar_subquery()


@cache
def _mark() -> tuple[ColumnElement[str | None], ColumnElement[str | None]]:
    """What a study is instead of a patient, and who says so."""
    said = said_of(dose_study.c.orthanc_study_id)
    of_rule = (
        select(not_patient_rule.c.meaning)
        .where(not_patient_rule.c.id == dose_study.c.not_patient_rule_id)
        .correlate(dose_study)
        .scalar_subquery()
    )
    rule, own = dose_study.c.not_patient_rule_id, dose_study.c.own_word
    meaning = case(
        (said.is_not(None), func.nullif(said, PATIENT)),
        (rule.is_not(None), of_rule),
        (own == "subject", "phantom"),
        (own.is_not(None), "qa"),
        else_=null(),
    )
    return meaning, case((said.is_not(None), "person"), (rule.is_not(None), "rule"), else_=own)


def is_no_patient_without_dose(connection: Connection) -> ColumnElement[bool]:
    """The same of a study of the index of which no dose was read, by the rules that hold now."""
    rules = connection.execute(select(*(not_patient_rule.c[name] for name in PATTERNS)).where(not_patient_rule.c.is_on))
    matches = [_all_match(NotPatientPatterns(**row._mapping), _matches_index) for row in rules]
    said = said_of(study.c.orthanc_study_id)
    by_itself = or_(false(), *matches, _refused_says_so())
    return case((said.is_not(None), said != PATIENT), else_=by_itself)


def _refused_says_so() -> ColumnElement[bool]:
    """An object without dose that says of itself what `own_words` reads of sources."""
    report = dose_report.c.report
    return (
        exists()
        .where(
            dose_report.c.orthanc_study_id == study.c.orthanc_study_id,
            dose_report.c.state == "refused",
            or_(
                report["quality_control_image"].astext == "YES",
                report["quality_control_subject"].astext == "YES",
                report["intent_code"]["code"].astext == QUALITY_CONTROL_INTENT[1],
            ),
        )
        .correlate(study)
    )


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
    "institution_name": (dose_study.c.institution_name,),
}
_EQUIPMENT = (
    series.c.manufacturer,
    series.c.manufacturer_model_name,
    series.c.station_name,
    series.c.device_serial_number,
)


def _matches(patterns: NotPatientPatterns) -> ColumnElement[bool]:
    given = {name: pattern for name in PATTERNS if (pattern := getattr(patterns, name))}
    if not given or all(set(pattern) <= {"*", "?"} for pattern in given.values()):
        raise InvalidRequest(P_("A rule needs a pattern that says something: without one it would mark every study."))
    return _all_match(patterns, _matches_row)


def _all_match(patterns: NotPatientPatterns, match: Callable[[str, str], ColumnElement[bool]]) -> ColumnElement[bool]:
    return and_(*(match(name, _as_like(pattern)) for name in PATTERNS if (pattern := getattr(patterns, name))))


def _matches_row(name: str, like: str) -> ColumnElement[bool]:
    return or_(*(column.ilike(like, escape="!") for column in _COLUMNS[name]))


def _matches_index(name: str, like: str) -> ColumnElement[bool]:
    """The same of a row of the index, and of its series."""
    if name in study.c and name != "institution_name":
        return study.c[name].ilike(like, escape="!")
    columns = _EQUIPMENT if name == "equipment" else (series.c.institution_name,)
    matches = or_(*(column.ilike(like, escape="!") for column in columns))
    return exists().where(series.c.orthanc_study_id == study.c.orthanc_study_id, matches).correlate(study)


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
