"""Where the doses of some exams lie among those of exams that are called the same. Queries only.

A list asks for a page of exams at once, in one statement. Its work is bounded, however many exams the archive has: an
exam's own rows are found by the primary key, and of each name and quantity about 500 values are read, from the index
`ix_exam_dose_name` alone. Where there are more, these are the exams with the smallest of Orthanc's identifiers, which
are digests: a choice by chance, the same one each time, that says so. How many that takes is worked out of the 64th
part of the values whose identifiers begin with 00 to 03.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    Row,
    case,
    cast,
    collate,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from treegarth.database.parameters import is_among
from treegarth.features.dose.analysis.store.names import exam_name_words
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.features.dose.analysis.wanted import BY_PHANTOM, Phantom
from treegarth.features.dose.quantities import BEST, DERIVED
from treegarth.record import Record

LEAST_EXAMS = 20
"""Of fewer values no percentile is told: that is how many medians are compared of, too (`levels/model.py`)."""
ENOUGH = 500
"""Values that are read of a name and a quantity, about. By chance a percentile of so many is off by less than 5 in 95
of 100 cases (1.96 times the root of 0.5 · 0.5 / 500, at the median; less towards the ends)."""
PART = 64
PART_BELOW = "04"
"""Of identifiers in hexadecimal digits, one in 64 is less than this."""
EVERY = "~"
"""No identifier is as great."""
MOST = 40 * ENOUGH
"""Values that are read of one raw name at the most, whatever its identifiers are like."""

MARKED = (*BEST, *DERIVED)
NameKind: TypeAlias = Literal["standard", "exam"]


class Percentile(Record):
    """Where a dose lies among those of the exams that are called the same. Doubted ones are none of them."""

    quantity: str
    """As in `best`, or a derived one."""
    phantom: Phantom | None
    """Of a DLP or a CTDIvol: it lies among those of this phantom alone."""
    percentile: float
    """Of 100 of these values so many are less, of equal ones half (the percentile rank of scipy's kind `mean`)."""
    exam_count: int
    """Values among which it lies."""
    is_sample: bool
    """Whether these were chosen by chance of more."""
    name_kind: NameKind
    """`standard`: they share a standard name; `exam`: it has none, they are called the same by their objects."""
    name_id: int
    """What `standard_name` or `exam_name` of `dose/analysis/...` takes."""
    name: str


def percentiles_of(connection: Connection, orthanc_study_ids: Collection[str]) -> dict[str, list[Percentile]]:
    """Of each of these studies those that can be told, by quantity: not of a doubted value, one without a phantom that
    is by phantom, one of both phantoms, one without any name, or one among fewer than 20."""
    found: dict[str, list[Percentile]] = {one: [] for one in orthanc_study_ids}
    for row in connection.execute(_statement(orthanc_study_ids)):
        found[row.orthanc_study_id].append(_percentile(row))
    return {study: sorted(some, key=lambda one: MARKED.index(one.quantity)) for study, some in found.items()}


def add_percentiles(connection: Connection, rows: Iterable[Any]) -> Mapping[str, list[Percentile]]:
    """The same of rows of studies."""
    return percentiles_of(connection, [row.orthanc_study_id for row in rows])


def _percentile(row: Row[Any]) -> Percentile:
    is_standard = row.standard_name_id is not None
    return Percentile(
        quantity=row.quantity,
        phantom=row.phantom,
        percentile=50 * (row.less + row.not_greater) / row.exam_count,
        exam_count=row.exam_count,
        is_sample=row.below != EVERY,
        name_kind="standard" if is_standard else "exam",
        name_id=row.standard_name_id if is_standard else row.exam_name_id,
        name=row.name if is_standard else exam_name_words(row),
    )


def _statement(orthanc_study_ids: Collection[str]) -> Any:
    own = _own(orthanc_study_ids)
    asked = _asked(own)
    named = _named(asked)
    bounded = _bounded(asked, named)
    found = _found(named, bounded)
    not_greater = func.width_bucket(own.c.value, found.c.ascending)
    return (
        select(
            own.c.orthanc_study_id,
            own.c.quantity,
            own.c.phantom,
            own.c.exam_name_id,
            own.c.standard_name_id,
            found.c.exam_count,
            found.c.below,
            not_greater.label("not_greater"),
            func.coalesce(func.array_position(found.c.ascending, own.c.value) - 1, not_greater).label("less"),
            standard_name.c.name,
            exam_name.c.study_description,
            exam_name.c.requested_procedure_description,
            exam_name.c.protocols,
        )
        .join_from(own, found, found.c.number == own.c.number)
        .join(exam_name, exam_name.c.id == own.c.exam_name_id)
        .outerjoin(standard_name, standard_name.c.id == own.c.standard_name_id)
    )


_GROUP = ("number", "quantity", "phantom", "standard_name_id", "alone_id")
"""What values have in common that are held against each other: `alone_id` is the raw name where no standard one is."""
ONCE = "MATERIALIZED"
"""A part that the planner takes for small would else be worked out for each row that it is joined with."""


def _own(orthanc_study_ids: Collection[str]) -> CTE:
    """The values of these studies that can have a percentile, each with the number of its group."""
    dose, name = exam_dose.c, exam_name.c
    alone = case((name.standard_name_id.is_(None), dose.exam_name_id), else_=null())
    group = (dose.quantity, dose.phantom, name.standard_name_id, alone)
    is_called = or_(
        name.standard_name_id.is_not(None),
        func.coalesce(name.study_description, "") != "",
        func.coalesce(name.requested_procedure_description, "") != "",
        func.cardinality(name.protocols) > 0,
    )
    has_one_phantom = or_(~is_among(dose.quantity, BY_PHANTOM["exam"]), is_among(dose.phantom, ("head", "body")))
    return (
        select(
            dose.orthanc_study_id,
            dose.quantity,
            dose.phantom,
            type_coerce(dose.value, Double).label("value"),
            dose.exam_name_id,
            name.standard_name_id,
            alone.label("alone_id"),
            func.dense_rank().over(order_by=group).label("number"),
        )
        .join_from(exam_dose, exam_name, name.id == dose.exam_name_id)
        .where(
            is_among(dose.orthanc_study_id, sorted(set(orthanc_study_ids))),
            is_among(dose.quantity, MARKED),
            dose.is_doubted.is_(False),
            has_one_phantom,
            is_called,
        )
        .cte("own")
    )


def _asked(own: CTE) -> CTE:
    """Each group once."""
    return select(*(own.c[name] for name in _GROUP)).distinct().cte("asked")


def _named(asked: CTE) -> CTE:
    """The raw names of each group."""
    of_group = (asked.c.number, asked.c.quantity, asked.c.phantom)
    of_standard = select(*of_group, exam_name.c.id.label("exam_name_id")).join_from(
        asked, exam_name, exam_name.c.standard_name_id == asked.c.standard_name_id
    )
    alone = select(*of_group, asked.c.alone_id).where(asked.c.alone_id.is_not(None))
    return union_all(of_standard, alone).cte("named")


def _values(named: CTE, below: ColumnElement[str], name: str) -> FromClause:
    """Those of one raw name whose identifiers are less than this: read one after the other where they stand in the
    index. The limit has each name looked up by itself; joined, the planner would read the whole table."""
    dose = exam_dose.c
    return (
        select(type_coerce(dose.value, Double).label("value"))
        .where(
            dose.exam_name_id == named.c.exam_name_id,
            dose.quantity == named.c.quantity,
            dose.orthanc_study_id < below,
            dose.phantom.is_not_distinct_from(named.c.phantom),
            dose.is_doubted.is_(False),
        )
        .order_by(dose.orthanc_study_id)
        .limit(MOST)
        .lateral(name)
    )


def _bounded(asked: CTE, named: CTE) -> CTE:
    """Below which identifier a group has about 500 values."""
    some = _values(named, literal(PART_BELOW), "some")
    parts = select(named.c.number, func.count().label("part")).join_from(named, some, true())
    counted = parts.group_by(named.c.number).cte("counted").prefix_with(ONCE)
    least = func.lpad(func.to_hex(cast(65_536 * ENOUGH / (PART * counted.c.part), Integer)), 4, "0")
    below = case((func.coalesce(counted.c.part, 0) * PART > ENOUGH, least), else_=EVERY)
    found = select(asked.c.number, collate(below, "C").label("below"))
    joined = found.outerjoin_from(asked, counted, counted.c.number == asked.c.number)
    return joined.cte("bounded").prefix_with(ONCE)


def _found(named: CTE, bounded: CTE) -> CTE:
    """The values of each group in their order."""
    some = _values(named, bounded.c.below, "each")
    value = some.c.value
    return (
        select(
            named.c.number,
            func.min(bounded.c.below).label("below"),
            func.count().label("exam_count"),
            func.array_agg(aggregate_order_by(value, value), type_=ARRAY(Double)).label("ascending"),
        )
        .join_from(named, bounded, bounded.c.number == named.c.number)
        .join(some, true())
        .group_by(named.c.number)
        .having(func.count() >= LEAST_EXAMS)
        .cte("found")
        .prefix_with(ONCE)
    )
