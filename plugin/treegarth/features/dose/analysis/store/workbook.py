"""What the sheets of a workbook hold: figures of every name, and the exams and events behind them. Queries only.

Percentiles are those of `statistics.py`: exact, between two neighbours in proportion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    Row,
    Select,
    Subquery,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from treegarth.database.finite_double import finite
from treegarth.features.dose.analysis.figures import EXAM_COUNT, OF_LEVEL
from treegarth.features.dose.analysis.store.names import exam_name_words
from treegarth.features.dose.analysis.store.rows import event_phantom, select_about, select_named
from treegarth.features.dose.analysis.tables import event_dose, exam_dose, exam_name, protocol_name, standard_name
from treegarth.features.dose.analysis.wanted import BY_PHANTOM
from treegarth.features.dose.analysis.workbook.model import (
    OF_EXAM,
    Subject,
    SummaryRow,
    WantedWorkbook,
    WorkbookEvent,
    WorkbookExam,
)
from treegarth.features.dose.quantities import OF_EVENT
from treegarth.features.dose.registry.store.device_names import called
from treegarth.features.dose.registry.store.events import number_of_event
from treegarth.features.dose.registry.tables import dose_study, irradiation_event
from treegarth.record import Record
from treegarth.web.export import unit_of

PARTS = (0.25, 0.5, 0.75, 0.9, 0.95)
ROWS_AT_ONCE = 1_000
"""Read of the database together."""

_IN_PARTS = dict.fromkeys(("minimum", "p25", "median", "p75", "p90", "p95", "maximum"))


# ---- which ----


def _exams(wanted: WantedWorkbook) -> list[ColumnElement[bool]]:
    """Of rows of `exam_dose`, those of the exams that are meant."""
    found = [*select_named(wanted.exams), *select_about(exam_dose, wanted.exams)]
    if wanted.protocol_name_id is None:
        return found
    event = event_dose.alias("of_protocol")
    has_one = exists().where(
        event.c.orthanc_study_id == exam_dose.c.orthanc_study_id, event.c.protocol_name_id == wanted.protocol_name_id
    )
    return [*found, has_one]


def _events(wanted: WantedWorkbook) -> list[ColumnElement[bool]]:
    """Of rows of `event_dose`, those that are meant."""
    found = [*select_named(wanted.events), *select_about(event_dose, wanted.events)]
    if not wanted.is_of_a_name:
        return found
    of_exams = select(exam_dose.c.orthanc_study_id).where(exam_dose.c.quantity == EXAM_COUNT, *_exams(wanted))
    return [*found, event_dose.c.orthanc_study_id.in_(of_exams)]


def count_rows(connection: Connection, wanted: WantedWorkbook, *, at_most: int) -> tuple[int, int]:
    """How many exams and events there are, each counted to one more than `at_most`."""
    exams = select(literal(1)).where(exam_dose.c.quantity == EXAM_COUNT, *_exams(wanted))
    events = select(literal(1)).select_from(event_dose).where(*_events(wanted))
    counts = [
        connection.execute(select(func.count()).select_from(one.limit(at_most + 1).subquery())).scalar_one()
        for one in (exams, events)
    ]
    return int(counts[0]), int(counts[1])


def quick_count(connection: Connection, wanted: WantedWorkbook, *, at_most: int) -> int:
    """How many exams or events there are, whichever are more, counted to more than `at_most`: without a look at the
    events of each exam, those without a dose are counted too."""
    if wanted.protocol_name_id is not None:
        some = select(literal(1).label("events")).select_from(event_dose).where(*_events(wanted))
    else:
        some = select(func.greatest(exam_dose.c.value, 1).label("events"))
        some = some.where(exam_dose.c.quantity == EXAM_COUNT, *_exams(wanted))
    events = some.limit(at_most + 1).subquery("some")
    return int(connection.execute(select(func.coalesce(func.sum(events.c.events), 0))).scalar_one())


# ---- figures ----


def summary(connection: Connection, wanted: WantedWorkbook, sheets: Mapping[int, Sequence[str]]) -> list[SummaryRow]:
    """By modality and name: standard names, names of exams without one, then protocols with their sheets by number."""
    exams = _of_exams(connection, wanted)
    events = _of_events(connection, wanted, sheets)
    return [*sorted(exams, key=_order), *sorted(events, key=_order)]


def _order(row: SummaryRow) -> tuple[object, ...]:
    quantities = list(OF_LEVEL["exam" if row.of == "exams" else "event"])
    place = quantities.index(row.quantity) if row.quantity in quantities else len(quantities)
    return (row.modality, row.called_by != "standard_name", row.name, place, row.phantom or "")


def _of_exams(connection: Connection, wanted: WantedWorkbook) -> Iterator[SummaryRow]:
    table = exam_dose.c
    own = case((exam_name.c.standard_name_id.is_(None), exam_name.c.id))
    rows = (
        select(
            table.value,
            table.is_doubted,
            table.quantity,
            table.phantom,
            exam_name.c.standard_name_id,
            own.label("exam_name_id"),
        )
        .join(exam_name, exam_name.c.id == table.exam_name_id)
        .where(table.quantity.in_(OF_EXAM), *_exams(wanted))
        .subquery("rows")
    )
    by = (rows.c.standard_name_id, rows.c.exam_name_id, rows.c.quantity, rows.c.phantom)
    found = _grouped(connection, rows, by, with_doubted=wanted.exams.with_doubted)
    standard, of_exams = _standard_names(connection), _exam_names(connection)
    for row in found:
        called_by: Subject = "exam_name" if row.standard_name_id is None else "standard_name"
        modality, name = of_exams[row.exam_name_id] if row.standard_name_id is None else standard[row.standard_name_id]
        named = {"of": "exams", "called_by": called_by, "modality": modality, "name": name, "phantom": row.phantom}
        yield _summary_row(row, row.quantity, named, ())


def _of_events(
    connection: Connection, wanted: WantedWorkbook, sheets: Mapping[int, Sequence[str]]
) -> Iterator[SummaryRow]:
    names = {row.id: (row.modality, row.name) for row in connection.execute(select(protocol_name))}
    for shown in OF_EVENT:
        value = event_dose.c[shown.column]
        by_phantom = shown.column in BY_PHANTOM["event"]
        rows = (
            select(
                value.label("value"),
                (literal(shown.column) == any_(event_dose.c.doubted)).label("is_doubted"),
                event_dose.c.protocol_name_id,
                (event_phantom if by_phantom else cast(null(), Text)).label("phantom"),
            )
            .where(value.is_not(None), event_dose.c.protocol_name_id.is_not(None), *_events(wanted))
            .subquery("rows")
        )
        by = (rows.c.protocol_name_id, rows.c.phantom)
        for row in _grouped(connection, rows, by, with_doubted=wanted.exams.with_doubted):
            modality, name = names[row.protocol_name_id]
            named = {"of": "events", "called_by": "protocol", "modality": modality, "name": name}
            named |= {"phantom": row.phantom}
            yield _summary_row(row, shown.column, named, sheets.get(row.protocol_name_id, ()))


def _summary_row(row: Row[Any], quantity: str, named: Mapping[str, Any], sheets: Sequence[str]) -> SummaryRow:
    parts = dict(zip(("p25", "median", "p75", "p90", "p95"), (finite(one) for one in row.parts or ()), strict=False))
    ends = {"minimum": row.minimum, "maximum": row.maximum}
    counts = {"n": row.n, "doubted_left_out": row.every - row.n}
    shown = {"quantity": quantity, "unit": unit_of(quantity), "sheets": list(sheets)}
    return SummaryRow.model_validate({**_IN_PARTS, **parts, **ends, **counts, **shown, **named})


def _grouped(
    connection: Connection, rows: Subquery, by: Sequence[ColumnElement[Any]], *, with_doubted: bool
) -> Sequence[Row[Any]]:
    counts = true() if with_doubted else rows.c.is_doubted.is_(False)
    parts = func.percentile_cont(cast(list(PARTS), ARRAY(Double))).within_group(rows.c.value).filter(counts)
    query: Select[Any] = select(
        *by,
        func.count().filter(counts).label("n"),
        func.count().label("every"),
        func.min(rows.c.value).filter(counts).label("minimum"),
        func.max(rows.c.value).filter(counts).label("maximum"),
        type_coerce(parts, ARRAY(Double)).label("parts"),
    )
    return connection.execute(query.group_by(*by)).all()


def _standard_names(connection: Connection) -> dict[int, tuple[str, str]]:
    rows = connection.execute(select(standard_name.c.id, standard_name.c.modality, standard_name.c.name))
    return {row.id: (row.modality, row.name) for row in rows}


def _exam_names(connection: Connection) -> dict[int, tuple[str, str]]:
    return {row.id: (row.modality, exam_name_words(row)) for row in connection.execute(select(exam_name))}


# ---- rows ----


def exams(connection: Connection, wanted: WantedWorkbook) -> Iterator[Record]:
    """Each exam once for each of its modalities, by day."""
    table, study = exam_dose.c, dose_study.c
    quantities = [func.max(table.value).filter(table.quantity == name).label(name) for name in OF_EXAM]
    doubted = func.array_agg(aggregate_order_by(cast(table.quantity, Text), table.quantity))
    key = (table.orthanc_study_id, table.modality)
    pivot = (
        select(
            *key,
            func.min(table.exam_name_id).label("exam_name_id"),
            func.max(table.value).filter(table.quantity == EXAM_COUNT).label("irradiation_event_count"),
            func.max(table.phantom).filter(table.quantity == "dlp_mgy_cm").label("dlp_phantom"),
            func.coalesce(doubted.filter(table.is_doubted), cast([], ARRAY(Text))).label("doubted"),
            *quantities,
        )
        .where(*_exams(wanted))
        .group_by(*key)
        .having(func.bool_or(table.quantity == EXAM_COUNT))
        .subquery("exams")
    )
    about = {
        **{name: pivot.c[name] for name in WorkbookExam.model_fields if name in pivot.c},
        "standard_name": standard_name.c.name,
        "device_name": called(study.device_key),
    }
    columns = [about[name] if name in about else study[name] for name in WorkbookExam.model_fields]
    query = (
        select(*(one.label(name) for name, one in zip(WorkbookExam.model_fields, columns, strict=True)))
        .join_from(pivot, dose_study, study.orthanc_study_id == pivot.c.orthanc_study_id)
        .join(exam_name, exam_name.c.id == pivot.c.exam_name_id)
        .outerjoin(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
        .order_by(study.study_date, study.study_time, study.orthanc_study_id, pivot.c.modality)
    )
    return (WorkbookExam.model_validate(row._asdict()) for row in _streamed(connection, query))


def events(connection: Connection, wanted: WantedWorkbook) -> Iterator[tuple[int | None, WorkbookEvent]]:
    """Each event with a dose, with the number of its protocol's name, by day."""
    table, study, event = event_dose.c, dose_study.c, irradiation_event.c
    about = {
        "modality": protocol_name.c.modality,
        "protocol": protocol_name.c.name,
        "standard_name": standard_name.c.name,
        "device_name": called(study.device_key),
        "phantom": case((func.coalesce(table.mean_ctdi_vol_mgy, table.dlp_mgy_cm).is_not(None), event_phantom)),
        **{name: number_of_event(name) for name in ("kvp", "x_ray_tube_current_ma")},
        **{name: event[name] for name in ("irradiation_event_uid", "irradiation_event_type", "target_region")},
        **{name: event[name] for name in ("scanning_length_mm", "pitch_factor")},
    }
    columns = [
        about[name] if name in about else (table if name in table else study)[name]
        for name in WorkbookEvent.model_fields
    ]
    is_told = and_(event.orthanc_instance_id == table.orthanc_instance_id, event.position == table.position)
    query = (
        select(
            table.protocol_name_id,
            *(one.label(name) for name, one in zip(WorkbookEvent.model_fields, columns, strict=True)),
        )
        .join_from(event_dose, dose_study, study.orthanc_study_id == table.orthanc_study_id)
        .outerjoin(irradiation_event, is_told)
        .outerjoin(protocol_name, protocol_name.c.id == table.protocol_name_id)
        .outerjoin(standard_name, standard_name.c.id == protocol_name.c.standard_name_id)
        .where(*_events(wanted))
        .order_by(study.study_date, study.study_time, table.orthanc_instance_id, table.position)
    )
    for row in _streamed(connection, query):
        given = row._asdict()
        number = given.pop("protocol_name_id")
        yield number, WorkbookEvent.model_validate(given)


def frequent_protocols(
    connection: Connection, wanted: WantedWorkbook, most: int
) -> tuple[list[tuple[int, str, str]], int]:
    """The protocols with the most events, each with modality and name, and how many there are in all."""
    counted = (
        select(event_dose.c.protocol_name_id, func.count().label("events"))
        .where(event_dose.c.protocol_name_id.is_not(None), *_events(wanted))
        .group_by(event_dose.c.protocol_name_id)
        .subquery("counted")
    )
    every = func.count().over().label("every")
    rows = connection.execute(
        select(protocol_name.c.id, protocol_name.c.modality, protocol_name.c.name, every)
        .join_from(counted, protocol_name, protocol_name.c.id == counted.c.protocol_name_id)
        .order_by(counted.c.events.desc(), protocol_name.c.id)
        .limit(most)
    ).all()
    return [(row.id, row.modality, row.name) for row in rows], rows[0].every if rows else 0


def _streamed(connection: Connection, query: Select[Any]) -> Iterable[Row[Any]]:
    """Row by row of a cursor of the database's: however many there are, few are in memory."""
    return connection.execute(query, execution_options={"stream_results": True, "yield_per": ROWS_AT_ONCE})
