"""What exams and protocols are called, how often, and which standard name each has. Queries only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Integer,
    Select,
    String,
    Subquery,
    Table,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from treegarth.database.folding import matches
from treegarth.features.dose.analysis.names.rules import Of
from treegarth.features.dose.analysis.store.name_counts import counts_of_events, counts_of_exams
from treegarth.features.dose.analysis.tables import (
    exam_name,
    protocol_name,
    standard_name,
    standard_name_version,
)
from treegarth.record import Record

Named = Literal["no", "yes", "any"]


class RawName(Record):
    """What exams of a modality are called by their objects, or what irradiation events are: their protocol."""

    key: str
    """`exams-` or `events-` and a number, by which it stays known."""
    of: Of
    modality: str
    """(0008,0060)"""
    study_description: str | None
    """(0008,1030), of exams."""
    requested_procedure_description: str | None
    """(0032,1060), of exams."""
    procedure_codes: list[str]
    """code^meaning^scheme, of exams."""
    protocols: list[str]
    """Acquisition protocols: of exams each once, of events the one."""
    count: int
    """How many exams, or events, are called so."""
    standard_name_id: int | None
    """Null: no rule gives one."""
    standard_name: str | None


class NamedSum(Record):
    """A standard name with what it is the name of."""

    id: int
    modality: str
    name: str
    is_on: bool
    """Whether its rules give it."""
    place: int
    """In the order in which names are given: of several that fit, the first is."""
    rule_count: int
    exam_count: int
    """Exams that have it."""
    event_count: int
    """Irradiation events whose protocol has it."""
    raw_name_count: int
    """Of how many raw names of exams and protocols it is the name."""
    code_value: str | None
    coding_scheme_designator: str | None
    code_meaning: str | None
    version: int
    """Counts every change."""


@dataclass(frozen=True, kw_only=True)
class RawNamesWanted:
    """Which raw names."""

    named: Named = "any"
    of: Of | None = None
    modality: str | None = None
    standard_name_id: int | None = None
    text: str | None = None
    key: str | None = None


def select_raw_names(wanted: RawNamesWanted) -> Select[Any]:
    """With a row's every field under its name."""
    of_each: dict[Of, Select[Any]] = {"exams": _exams(), "events": _events()}
    one = union_all(*(found for of, found in of_each.items() if wanted.of in (None, of))).subquery("raw_name")
    query = select(*one.c, standard_name.c.name.label("standard_name")).outerjoin_from(
        one, standard_name, standard_name.c.id == one.c.standard_name_id
    )
    conditions = [] if wanted.key is None else [one.c.key == wanted.key]
    if wanted.modality is not None:
        conditions.append(one.c.modality == wanted.modality)
    if wanted.standard_name_id is not None:
        conditions.append(one.c.standard_name_id == wanted.standard_name_id)
    elif wanted.named != "any":
        conditions.append(
            one.c.standard_name_id.is_(None) if wanted.named == "no" else one.c.standard_name_id.is_not(None)
        )
    if wanted.text is not None:
        told = (
            one.c.study_description,
            one.c.requested_procedure_description,
            func.array_to_string(one.c.procedure_codes, " "),
            func.array_to_string(one.c.protocols, " "),
        )
        conditions.append(or_(*(matches(text, wanted.text) for text in told)))
    return query.where(and_(true(), *conditions))


def _exams() -> Select[Any]:
    name, counted = exam_name.c, counts_of_exams()
    columns: list[Any] = [
        func.concat("exams-", name.id, type_=String(collation="C")).label("key"),
        literal("exams", Text).label("of"),
        name.modality,
        name.study_description,
        name.requested_procedure_description,
        name.procedure_codes,
        name.protocols,
        counted.c.count,
        name.standard_name_id,
    ]
    return select(*columns).join_from(exam_name, counted, counted.c.name_id == name.id)


def _events() -> Select[Any]:
    name, counted = protocol_name.c, counts_of_events()
    columns: list[Any] = [
        func.concat("events-", name.id, type_=String(collation="C")).label("key"),
        literal("events", Text).label("of"),
        name.modality,
        cast(null(), Text).label("study_description"),
        cast(null(), Text).label("requested_procedure_description"),
        cast([], ARRAY(Text)).label("procedure_codes"),
        func.array_append(cast([], ARRAY(Text)), name.name, type_=ARRAY(Text)).label("protocols"),
        counted.c.count,
        name.standard_name_id,
    ]
    return select(*columns).join_from(protocol_name, counted, counted.c.name_id == name.id)


def name_of_number(connection: Connection, number: int) -> str | None:
    """What a standard name is called, with its modality; None where there is none."""
    query = select(standard_name.c.modality, standard_name.c.name).where(standard_name.c.id == number)
    found = connection.execute(query).one_or_none()
    return None if found is None else f"{found.name} ({found.modality})"


def select_names(*, modality: str | None = None, text: str | None = None) -> Select[Any]:
    """Standard names that are there, with a row's every field under its name."""
    name, version = standard_name.c, standard_name_version.c
    exams, events = _sums(exam_name, counts_of_exams()), _sums(protocol_name, counts_of_events())
    place = func.rank().over(partition_by=name.modality, order_by=(name.position, name.id))
    query = (
        select(
            name.id,
            name.modality,
            name.name,
            name.is_on,
            cast(place, Integer).label("place"),
            func.jsonb_array_length(version.document["rules"], type_=Integer).label("rule_count"),
            func.coalesce(exams.c.count, 0).label("exam_count"),
            func.coalesce(events.c.count, 0).label("event_count"),
            (func.coalesce(exams.c.names, 0) + func.coalesce(events.c.names, 0)).label("raw_name_count"),
            name.code_value,
            name.coding_scheme_designator,
            name.code_meaning,
            name.version,
        )
        .join_from(
            standard_name,
            standard_name_version,
            and_(version.standard_name_id == name.id, version.version == name.version),
        )
        .outerjoin(exams, exams.c.standard_name_id == name.id)
        .outerjoin(events, events.c.standard_name_id == name.id)
        .where(name.removed_at.is_(None))
        .subquery("named")
    )
    conditions = [] if modality is None else [query.c.modality == modality]
    if text is not None:
        conditions.append(or_(matches(query.c.name, text), matches(query.c.code_meaning, text)))
    return select(*query.c).where(and_(true(), *conditions))


def _sums(names: Table, counted: Subquery) -> Subquery:
    """Exams or events of each standard name, and of how many raw names they are."""
    return (
        select(
            names.c.standard_name_id,
            cast(func.sum(counted.c.count), BigInteger).label("count"),
            func.count().label("names"),
        )
        .join_from(names, counted, counted.c.name_id == names.c.id)
        .where(names.c.standard_name_id.is_not(None))
        .group_by(names.c.standard_name_id)
        .subquery(f"{names.name}_sum")
    )
