"""The rows that a question of statistics is about, of exams or of events, as one kind of subquery. Queries only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, Table, and_, any_, case, false, func, literal, or_, select

from treegarth.features.dose.analysis.tables import event_dose, exam_dose, exam_name, protocol_name
from treegarth.features.dose.analysis.wanted import Band, Phantom, Wanted
from treegarth.features.dose.registry.decision.facts import BODY, HEAD

ABOUT = ("orthanc_study_id", "device_key", "study_date", "patient_age_years", "patient_weight_kg", "patient_size_m")
"""What each row has beside `value`, `is_doubted`, `phantom` and `name_id`."""

event_phantom: ColumnElement[str] = case(
    (event_dose.c.ctdiw_phantom_type == HEAD, literal("head")),
    (event_dose.c.ctdiw_phantom_type == BODY, literal("body")),
    else_=literal("unknown"),
)


def select_rows(wanted: Wanted) -> Subquery:
    """Each row that is meant, doubted ones too: what is doubted is counted, whether it counts or not."""
    chosen = _of_exams(wanted) if wanted.level == "exam" else _of_events(wanted)
    table = exam_dose if wanted.level == "exam" else event_dose
    return chosen.where(*select_named(wanted), *select_about(table, wanted)).subquery("rows")


def select_named(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Of the rows of a level, those of the name and of the modality that are asked for."""
    return _named_exams(wanted) if wanted.level == "exam" else _named_events(wanted)


def _of_exams(wanted: Wanted) -> Select[Any]:
    table = exam_dose.c
    chosen = select(
        table.value,
        table.is_doubted,
        table.phantom,
        table.exam_name_id.label("name_id"),
        table.study_hour,
        *(table[name] for name in ABOUT),
    ).where(table.quantity == wanted.quantity)
    return chosen if wanted.phantom is None else chosen.where(table.phantom == wanted.phantom)


def _named_exams(wanted: Wanted) -> list[ColumnElement[bool]]:
    table, found = exam_dose.c, []
    if wanted.modality is not None:
        found.append(table.modality == wanted.modality)
    if wanted.exam_name_id is not None:
        found.append(table.exam_name_id == wanted.exam_name_id)
    if wanted.standard_name_id is not None:
        named = select(exam_name.c.id).where(exam_name.c.standard_name_id == wanted.standard_name_id)
        found.append(table.exam_name_id.in_(named))
    return found


def _of_events(wanted: Wanted) -> Select[Any]:
    table = event_dose.c
    value = table[wanted.quantity]
    chosen = select(
        value.label("value"),
        # Nearly none are doubted, and how many are is known sooner than which.
        and_(func.cardinality(table.doubted) > 0, literal(wanted.quantity) == any_(table.doubted)).label("is_doubted"),
        event_phantom.label("phantom"),
        table.protocol_name_id.label("name_id"),
        *(table[name] for name in ABOUT),
    ).where(value.is_not(None))
    return chosen if wanted.phantom is None else chosen.where(_is_of(wanted.phantom))


def _is_of(phantom: Phantom) -> ColumnElement[bool]:
    """As `event_phantom`, in the words of the index."""
    told = event_dose.c.ctdiw_phantom_type
    if phantom == "unknown":
        return or_(told.is_(None), told.not_in((HEAD, BODY)))
    return told == {"head": HEAD, "body": BODY}[phantom] if phantom != "both" else false()


def _named_events(wanted: Wanted) -> list[ColumnElement[bool]]:
    table, found = event_dose.c, []
    if wanted.protocol_name_id is not None:
        found.append(table.protocol_name_id == wanted.protocol_name_id)
    if wanted.standard_name_id is None and wanted.modality is None:
        return found
    named = select(protocol_name.c.id)
    if wanted.standard_name_id is not None:
        named = named.where(protocol_name.c.standard_name_id == wanted.standard_name_id)
    if wanted.modality is not None:
        named = named.where(protocol_name.c.modality == wanted.modality)
    return [*found, table.protocol_name_id.in_(named)]


def select_about(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    """Of the rows of a level, those of the days, the device and the bands that are asked for."""
    found = []
    if wanted.study_date_from is not None:
        found.append(table.c.study_date >= wanted.study_date_from)
    if wanted.study_date_to is not None:
        found.append(table.c.study_date <= wanted.study_date_to)
    if wanted.device_key is not None:
        found.append(table.c.device_key == wanted.device_key)
    if wanted.among is not None:
        found.append(table.c.orthanc_study_id.in_(wanted.among))
    ages = _within(table.c.patient_age_years, wanted.age_years)
    return [*found, *ages, *_within(table.c.patient_weight_kg, wanted.weight_kg)]


def _within(column: ColumnElement[Any], band: Band) -> list[ColumnElement[bool]]:
    ends = [column >= band.least] if band.least is not None else []
    return [*ends, column < band.below] if band.below is not None else ends
