"""What reference levels ask the database: the medians that are held against all of them at once, which standard names
there are, which doses one exam has. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Subquery,
    Text,
    cast,
    collate,
    column,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import array

from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.store.statistics import grouped
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.record import Record

_BETWEEN = "\x1f"


@dataclass(frozen=True, kw_only=True)
class SiteAndDevices:
    """What a level is held against: all exams that it is about, and those of each device, by its key."""

    site: Distribution
    devices: Mapping[str, Distribution]


def site_and_devices(
    connection: Connection, wanted: Sequence[Wanted], *, by_device: bool = True
) -> list[SiteAndDevices]:
    """Of each that is wanted: by two statements in all, however many there are. All are of exams with a standard name,
    of the same days, and doubted values count in all or in none; an exam that names no device is of the site alone."""
    if not wanted:
        return []
    rows = _rows(wanted, by_device=by_device)
    found = grouped(connection, rows, rows.c.key, with_doubted=wanted[0].with_doubted)
    sites: dict[int, Distribution] = {}
    devices: dict[int, dict[str, Distribution]] = {}
    for key, one in found.items():
        number, _, device = str(key).partition(_BETWEEN)
        if device:
            devices.setdefault(int(number), {})[device] = one
        else:
            sites[int(number)] = one
    return [
        SiteAndDevices(site=sites.get(number, NOTHING), devices=devices.get(number, {}))
        for number in range(len(wanted))
    ]


def _rows(wanted: Sequence[Wanted], *, by_device: bool) -> Subquery:
    """Each value once under the number of the wanted, and once under that with its device."""
    asked, dose = _as_rows(wanted), exam_dose.c
    number = cast(asked.c.number, Text)
    of_device = number + _BETWEEN + func.nullif(dose.device_key, "")
    keys: ColumnElement[Any] = array([number, of_device]) if by_device else array([number])
    key = func.unnest(keys).table_valued(column("key", Text)).render_derived(name="keys")
    days = (wanted[0].study_date_from, wanted[0].study_date_to)
    return (
        select(dose.value, dose.is_doubted, key.c.key)
        .select_from(asked)
        .join(exam_name, exam_name.c.standard_name_id == asked.c.standard_name_id)
        .join(exam_dose, dose.exam_name_id == exam_name.c.id)
        .join(key, true())
        .where(
            dose.quantity == collate(asked.c.quantity, "C"),
            dose.modality == collate(asked.c.modality, "C"),
            or_(asked.c.phantom.is_(None), dose.phantom == collate(asked.c.phantom, "C")),
            *_within(dose.patient_age_years, asked.c.age_from, asked.c.age_below),
            *_within(dose.patient_weight_kg, asked.c.weight_from, asked.c.weight_below),
            *([dose.study_date >= days[0]] if days[0] else []),
            *([dose.study_date <= days[1]] if days[1] else []),
        )
        .subquery("rows")
    )


def _within(
    value: ColumnElement[Any], least: ColumnElement[Any], below: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    """As `Band` says it: whose age is not known is in no band of ages."""
    return [or_(least.is_(None), value >= least), or_(below.is_(None), value < below)]


def _as_rows(wanted: Sequence[Wanted]) -> FromClause:
    """One parameter a column: the same statement however many there are."""
    given: dict[str, tuple[Any, list[Any]]] = {
        "number": (Integer, list(range(len(wanted)))),
        "standard_name_id": (Integer, [one.standard_name_id for one in wanted]),
        "quantity": (Text, [one.quantity for one in wanted]),
        "modality": (Text, [one.modality for one in wanted]),
        "phantom": (Text, [one.phantom for one in wanted]),
        "age_from": (Double, [one.age_years.least for one in wanted]),
        "age_below": (Double, [one.age_years.below for one in wanted]),
        "weight_from": (Double, [one.weight_kg.least for one in wanted]),
        "weight_below": (Double, [one.weight_kg.below for one in wanted]),
    }
    arrays = [cast(literal(values, ARRAY(kind)), ARRAY(kind)) for kind, values in given.values()]
    columns = [column(name, kind) for name, (kind, _) in given.items()]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name="asked")


def names_of_standard(connection: Connection) -> list[str]:
    """Every standard name that is in use, of whatever modality."""
    table = standard_name.c
    usable = select(table.name).where(table.removed_at.is_(None), table.is_on)
    return list(connection.execute(usable.distinct().order_by(table.name)).scalars())


class ExamDose(Record):
    """A best known dose of one exam, with what says which reference levels are about it."""

    quantity: str
    modality: str
    phantom: str | None
    standard_name: str
    value: float
    """In the stored unit."""
    study_date: date | None
    patient_age_years: float | None
    patient_weight_kg: float | None


def doses_of_exam(connection: Connection, orthanc_study_id: str) -> list[ExamDose]:
    """Those that are not doubted, of an exam that has a standard name."""
    table = exam_dose.c
    query = (
        select(
            table.quantity,
            table.modality,
            table.phantom,
            standard_name.c.name.label("standard_name"),
            table.value,
            table.study_date,
            table.patient_age_years,
            table.patient_weight_kg,
        )
        .join(exam_name, exam_name.c.id == table.exam_name_id)
        .join(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
        .where(table.orthanc_study_id == orthanc_study_id, table.is_doubted.is_(False))
        .order_by(table.modality, table.quantity)
    )
    return [ExamDose.model_validate(row._asdict()) for row in connection.execute(query)]
