"""The figures of the yearly report. Queries only: each reads the rows of a year, or of two, once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    String,
    Subquery,
    and_,
    case,
    cast,
    extract,
    func,
    or_,
    select,
)

from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.store.statistics import grouped
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.store.yearly_beside import alerts_of_year, levels_of_year
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.features.dose.analysis.yearly.model import (
    MONTHS,
    MOST_NAMES,
    DeviceOfYear,
    DoseOfDevice,
    LeftOut,
    ModalityOfYear,
    NameOfYear,
    QuantityOfYear,
    YearlyReport,
)
from treegarth.features.dose.quantities import QUANTITIES
from treegarth.features.dose.registry.store.device_names import device_key_of, named_devices
from treegarth.features.dose.registry.store.missing_dose import count_missing_by_month, select_without_dose
from treegarth.features.dose.registry.tables import dose_study

MAIN = (
    "dlp_mgy_cm",
    "dose_area_product_gy_m2",
    "glandular_dose_left_mgy",
    "glandular_dose_right_mgy",
    "administered_activity_mbq",
)
"""The quantity by which exams of a modality are compared (see `registry/lacking.py`): of a breast, each side's."""

PARTS_OF_ANOTHER = ("dlp_head_mgy_cm", "dlp_body_mgy_cm")
"""The DLP of either phantom: the DLP itself stands there by its phantom."""

MOST_INSTITUTIONS = 5
DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")

_BETWEEN = "\x1f"
_Key = String(collation="C")
_study = dose_study.c
_COUNTS = and_(_study.not_patient.is_(None), _study.replaced_by.is_(None), ~_study.is_void)
_DOUBTED = func.coalesce(func.cardinality(_study.doubts), 0) > 0


@dataclass(frozen=True, kw_only=True)
class _Year:
    """A year and its days."""

    number: int

    @property
    def first(self) -> date:
        return date(self.number, 1, 1)

    @property
    def last(self) -> date:
        return date(self.number, 12, 31)

    def has(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        return column.between(self.first, self.last)


def yearly_report(connection: Connection, number: int, today: date) -> YearlyReport:
    """Of one year, as it is known now."""
    year, before = _Year(number=number), _Year(number=number - 1)
    without, partly = _missing(connection, year)
    exams = _exams_of_devices(connection, year)
    left = _left_out(connection, year)
    return YearlyReport(
        year=number,
        is_over=today > year.last,
        today=today,
        institutions=_institutions(connection, year),
        exam_count=sum(one.exams for one in exams.values()),
        last_year_exam_count=_count(connection, before),
        doubted_count=sum(one.doubted for one in exams.values()),
        left_out=left,
        without_dose_count=without,
        partial_dose_count=partly,
        months=_exams_of_months(connection, year),
        modalities=_modalities(connection, year, before),
        devices=_devices(connection, year, exams),
        levels=levels_of_year(connection, year.first, year.last, today),
        alerts=alerts_of_year(connection, year.first, year.last),
    )


def years_with_exams(connection: Connection) -> tuple[int, int] | None:
    """The first and the last year that has an exam with a day."""
    days = select(func.min(_study.study_date), func.max(_study.study_date))
    first, last = connection.execute(days).one()
    return (first.year, last.year) if first else None


# ---- of the registry ----


@dataclass(frozen=True, kw_only=True)
class _Exams:
    device: tuple[str | None, ...]
    exams: int
    doubted: int


def _count(connection: Connection, year: _Year) -> int:
    return connection.execute(select(func.count()).where(year.has(_study.study_date), _COUNTS)).scalar_one()


def _exams_of_devices(connection: Connection, year: _Year) -> dict[str, _Exams]:
    """By the device's fingerprint."""
    query = (
        select(
            _study.device_key,
            *(func.min(_study[name]).label(name) for name in DEVICE),
            func.count().label("exams"),
            func.count().filter(_DOUBTED).label("doubted"),
        )
        .where(year.has(_study.study_date), _COUNTS)
        .group_by(_study.device_key)
    )
    return {
        row.device_key: _Exams(device=tuple(row._mapping[one] for one in DEVICE), exams=row.exams, doubted=row.doubted)
        for row in connection.execute(query)
    }


def _exams_of_months(connection: Connection, year: _Year) -> list[int]:
    month = cast(extract("month", _study.study_date), Integer)
    query = select(month.label("month"), func.count().label("n")).where(year.has(_study.study_date), _COUNTS)
    return _in_months((row.month, row.n) for row in connection.execute(query.group_by("month")))


def _in_months(found: Iterable[tuple[int, int]]) -> list[int]:
    counted = dict(found)
    return [counted.get(month, 0) for month in range(1, MONTHS + 1)]


def _left_out(connection: Connection, year: _Year) -> LeftOut:
    """Each study once: what is no patient's first, then what a person left out, then what counts elsewhere."""
    why = case(
        (_study.not_patient.is_not(None), _study.not_patient), (_study.is_void, "void"), else_="elsewhere"
    ).label("why")
    query = select(why, func.count().label("n")).where(
        year.has(_study.study_date),
        or_(_study.not_patient.is_not(None), _study.is_void, _study.replaced_by.is_not(None)),
    )
    counted = {row.why: row.n for row in connection.execute(query.group_by("why"))}
    return LeftOut(**{f"{one}_count": counted.get(one, 0) for one in ("phantom", "qa", "service", "void", "elsewhere")})


def _institutions(connection: Connection, year: _Year) -> list[str]:
    name = _study.institution_name
    query = select(name).where(year.has(_study.study_date), _COUNTS, name.is_not(None), name != "")
    ordered = query.group_by(name).order_by(func.count().desc(), name).limit(MOST_INSTITUTIONS)
    return list(connection.execute(ordered).scalars())


def _missing(connection: Connection, year: _Year) -> tuple[int, int]:
    """Studies without a dose, and with a part of it."""
    found = select_without_dose(connection, study_date_from=year.first, study_date_to=year.last).subquery()
    query = select(found.c.dose, func.count().label("n")).group_by(found.c.dose)
    counted = {row.dose: row.n for row in connection.execute(query)}
    return counted.get("none", 0), counted.get("partly", 0)


# ---- of the rows of statistics ----


def _key(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """What rows have in common, as one text that is compared quickly."""
    return cast(func.concat_ws(_BETWEEN, *(func.coalesce(one, "") for one in columns)), _Key)


def _parts(key: object) -> list[str | None]:
    return [one or None for one in str(key).split(_BETWEEN)]


def _rows(year: _Year, *columns: Any, wanted: ColumnElement[bool]) -> Subquery:
    return (
        select(exam_dose.c.value, exam_dose.c.is_doubted, *columns)
        .where(wanted, year.has(exam_dose.c.study_date))
        .subquery("rows")
    )


def _modalities(connection: Connection, year: _Year, before: _Year) -> list[ModalityOfYear]:
    now, last = _exams_by_modality(connection, year), _exams_by_modality(connection, before)
    quantities, names = _quantities(connection, year, before), _names(connection, year)
    found = [
        ModalityOfYear(
            modality=modality,
            exam_count=sum(months),
            last_year_exam_count=sum(last.get(modality, ())),
            months=months,
            quantities=quantities.get(modality, []),
            names=names.get(modality, [])[:MOST_NAMES],
            more_names=max(0, len(names.get(modality, ())) - MOST_NAMES),
        )
        for modality, months in now.items()
    ]
    return sorted(found, key=lambda one: (-one.exam_count, one.modality))


def _exams_by_modality(connection: Connection, year: _Year) -> dict[str, list[int]]:
    month = cast(extract("month", exam_dose.c.study_date), Integer).label("month")
    query = (
        select(exam_dose.c.modality, month, func.count().label("n"))
        .where(exam_dose.c.quantity == EVENT_COUNT, year.has(exam_dose.c.study_date))
        .group_by(exam_dose.c.modality, "month")
    )
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.modality].append((row.month, row.n))
    return {modality: _in_months(months) for modality, months in found.items()}


def _quantities(connection: Connection, year: _Year, before: _Year) -> dict[str, list[QuantityOfYear]]:
    now, last = (_distributions_of_quantities(connection, one) for one in (year, before))
    found: dict[str, list[QuantityOfYear]] = defaultdict(list)
    for key, one in now.items():
        modality, quantity, phantom = _parts(key)
        was = last.get(key)
        median = was.median if was else None
        found[modality or ""].append(
            QuantityOfYear(
                quantity=quantity or "",
                phantom=phantom,
                n=one.n,
                doubted_left_out=one.doubted_left_out,
                median=one.median,
                p25=one.p25,
                p75=one.p75,
                p95=one.p95,
                last_year_n=was.n if was else 0,
                last_year_median=median,
                change_percent=change_percent(median, one.median),
            )
        )
    order = {name: number for number, name in enumerate(QUANTITIES_IN_ORDER)}
    for quantities in found.values():
        quantities.sort(key=lambda one: (order.get(one.quantity, len(order)), one.quantity, -one.n, one.phantom or ""))
    return found


QUANTITIES_IN_ORDER = [*MAIN, *(one.removeprefix("best_") for one in QUANTITIES)]
"""The main one first; what is worked out of others and has no name here comes last."""


def change_percent(before: float | None, now: float | None) -> float | None:
    """How much a median changed."""
    if not before or now is None:
        return None
    change = 100 * (now / before - 1)
    return change if abs(change) < float("inf") else None


def _distributions_of_quantities(connection: Connection, year: _Year) -> Mapping[Any, Distribution]:
    table = exam_dose.c
    key = _key(table.modality, table.quantity, table.phantom).label("key")
    rows = _rows(year, key, wanted=table.quantity.not_in((EVENT_COUNT, *PARTS_OF_ANOTHER)))
    return grouped(connection, rows, rows.c.key, with_doubted=False)


def _names(connection: Connection, year: _Year) -> dict[str, list[NameOfYear]]:
    """By modality, those with the most exams first."""
    table = exam_dose.c
    first = _first_of_each_name()
    rows = (
        select(
            table.value, table.is_doubted, _key(cast(first.c.first, _Key), table.quantity, table.phantom).label("key")
        )
        .join(first, first.c.id == table.exam_name_id)
        .where(table.quantity.in_(MAIN), year.has(table.study_date))
        .subquery("rows")
    )
    found: dict[str, list[NameOfYear]] = defaultdict(list)
    groups = grouped(connection, rows, rows.c.key, with_doubted=False)
    called = _called(connection)  # after them: a name that comes meanwhile is known
    for key, one in groups.items():
        number, quantity, phantom = _parts(key)
        name = called[int(number or 0)]
        found[name.modality].append(
            NameOfYear(
                name=name.name,
                is_standard=name.is_standard,
                quantity=quantity or "",
                phantom=phantom,
                n=one.n,
                doubted_left_out=one.doubted_left_out,
                median=one.median,
                median_low=one.median_low,
                median_high=one.median_high,
            )
        )
    for names in found.values():
        names.sort(key=lambda one: (-one.n, one.name or "", one.quantity, one.phantom or ""))
    return found


def _first_of_each_name() -> Subquery:
    """Of each interned name the first one that is called the same: by its standard name, else by its description."""
    name = exam_name.c
    described = case((name.standard_name_id.is_(None), func.coalesce(name.study_description, "")))
    same = func.min(name.id).over(partition_by=(name.modality, name.standard_name_id, described))
    return select(name.id, same.label("first")).subquery("called")


def _called(connection: Connection) -> Mapping[int, Any]:
    query = select(
        exam_name.c.id,
        exam_name.c.modality,
        func.nullif(func.coalesce(standard_name.c.name, exam_name.c.study_description), "").label("name"),
        exam_name.c.standard_name_id.is_not(None).label("is_standard"),
    ).outerjoin(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
    return {row.id: row for row in connection.execute(query)}


# ---- of devices ----


def _devices(connection: Connection, year: _Year, exams: Mapping[str, _Exams]) -> list[DeviceOfYear]:
    doses = _doses_of_devices(connection, year)
    without, partly = _missing_of_devices(connection, year)
    called = named_devices(connection)
    by_device = {one.device: (one, doses.get(key, [])) for key, one in exams.items()}
    found = []
    for device in dict.fromkeys((*by_device, *without)):  # one that gave no dose too
        one, its_doses = by_device.get(device, (_Exams(device=device, exams=0, doubted=0), []))
        if one.exams or without[device] or partly[device]:
            key = device_key_of(*device)
            named = {"device_key": key, "display_name": called.get(key), **dict(zip(DEVICE, device, strict=True))}
            counts = {"exam_count": one.exams, "doubted_count": one.doubted, "without_dose_count": without[device]}
            counts["partial_dose_count"] = partly[device]
            found.append(DeviceOfYear.model_validate({**named, **counts, "doses": its_doses}))
    return sorted(found, key=lambda one: (-one.exam_count, *(getattr(one, name) or "" for name in DEVICE)))


def _missing_of_devices(connection: Connection, year: _Year) -> tuple[Counter[Any], Counter[Any]]:
    """Studies without a dose, and with a part of it, by the device of their series."""
    without: Counter[Any] = Counter()
    partly: Counter[Any] = Counter()
    for one in count_missing_by_month(connection, study_date_from=year.first, study_date_to=year.last):
        device = tuple(getattr(one, name) for name in DEVICE)
        without[device] += one.without_dose_count
        partly[device] += one.partial_dose_count
    return without, partly


def _doses_of_devices(connection: Connection, year: _Year) -> dict[str, list[DoseOfDevice]]:
    table = exam_dose.c
    key = _key(table.device_key, table.modality, table.quantity, table.phantom).label("key")
    rows = _rows(year, key, wanted=table.quantity.in_(MAIN))
    found: dict[str, list[DoseOfDevice]] = defaultdict(list)
    for group, one in grouped(connection, rows, rows.c.key, with_doubted=False).items():
        device, modality, quantity, phantom = _parts(group)
        dose = {"modality": modality, "quantity": quantity, "phantom": phantom, "n": one.n}
        found[device or ""].append(
            DoseOfDevice.model_validate({**dose, "median": one.median, "p25": one.p25, "p75": one.p75})
        )
    for doses in found.values():
        doses.sort(key=lambda one: (-one.n, one.modality, one.quantity, one.phantom or ""))
    return found
