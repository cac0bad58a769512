"""The devices of the registry, each with how much it did and what its examinations give. Queries only."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Connection, Select, Text, and_, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from treegarth.database.folding import matches
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.store.device_figures import DeviceFigure, figures_by_device
from treegarth.features.dose.registry.store.device_names import NAMES, current_names, shown_devices
from treegarth.features.dose.registry.tables import dose_study
from treegarth.record import Record


class Device(Record):
    """One manufacturer, model, station and serial number, and the studies whose last counted source names it, without
    those that another one replaces."""

    key: str
    """What the `device` of other lists takes."""
    display_name: str | None
    """What people call it; null: what its objects say."""
    location: str | None
    """Where it stands, as people say."""
    manufacturer: str | None
    """(0008,0070)"""
    manufacturer_model_name: str | None
    """(0008,1090)"""
    station_name: str | None
    """(0008,1010)"""
    device_serial_number: str | None
    """(0018,1000)"""
    kinds: list[str]
    """Of its examinations: `ct`, `projection`, `mammography`, `radiopharmaceutical`."""
    study_count: int
    not_patient_count: int
    """Studies of phantoms, for quality assurance or service: in no figure."""
    issue_count: int
    """Parts of its sources that could not be read."""
    first_study_date: date | None
    last_study_date: date | None
    figures: list[DeviceFigure]
    """What its examinations give, in the order of the quantities' names."""


def read_device_name(connection: Connection, key: str) -> str:
    """What people call a device, else its manufacturer, model and station in a line; empty where the registry does not
    know it."""
    return shown_devices(connection, [key])[key]


def find_device(connection: Connection, key: str) -> Device | None:
    """One of them; None where the registry does not know it."""
    row = connection.execute(select_equipment(key=key)).one_or_none()
    return None if row is None else Device.model_validate(row._asdict())


def select_equipment(
    *, equipment: str | None = None, kind: Kind | None = None, with_doubted: bool = False, key: str | None = None
) -> Select[Any]:
    """Every device, or those with this in a name, a number or the place, or with examinations of this kind."""
    table = dose_study.c
    counted = (
        select(
            table.device_key,
            table.kinds,
            func.count().label("study_count"),
            func.count(table.not_patient).label("not_patient_count"),
            func.sum(table.issue_count).label("issue_count"),
            func.min(table.study_date).label("first_study_date"),
            func.max(table.study_date).label("last_study_date"),
        )
        .where(table.replaced_by.is_(None), table.device_key == key if key is not None else true())
        .group_by(table.device_key, table.kinds)
        .cte("counted")
    )
    each = select(counted.c.device_key, func.unnest(counted.c.kinds, type_=Text).label("kind")).distinct().subquery()
    sorted_kinds = func.array_agg(aggregate_order_by(each.c.kind, each.c.kind), type_=ARRAY(Text))
    kinds_of = select(each.c.device_key, sorted_kinds.label("kinds")).group_by(each.c.device_key).subquery("kinds_of")
    device = (
        select(
            counted.c.device_key,
            *(
                cast(func.sum(counted.c[name]), BigInteger).label(name)
                for name in ("study_count", "not_patient_count", "issue_count")
            ),
            func.min(counted.c.first_study_date).label("first_study_date"),
            func.max(counted.c.last_study_date).label("last_study_date"),
        )
        .group_by(counted.c.device_key)
        .subquery("device")
    )
    # of any of its studies: one look into the index, where reading the names of all would read every row
    of_one = select(*(table[name] for name in NAMES)).where(table.device_key == device.c.device_key).limit(1)
    named = of_one.lateral("named")
    people, figures = current_names(), figures_by_device(with_doubted=with_doubted)
    kinds = func.coalesce(kinds_of.c.kinds, cast([], ARRAY(Text)), type_=ARRAY(Text))
    query = (
        select(
            device.c.device_key.label("key"),
            people.c.display_name,
            people.c.location,
            *named.c,
            kinds.label("kinds"),
            *(column for column in device.c if column.key != "device_key"),
            func.coalesce(figures.c.figures, cast([], JSONB), type_=JSONB).label("figures"),
        )
        .join_from(device, named, true())
        .outerjoin(people, people.c.device_key == device.c.device_key)
        .outerjoin(kinds_of, kinds_of.c.device_key == device.c.device_key)
        .outerjoin(figures, figures.c.device_key == device.c.device_key)
    )
    searched = (*named.c, people.c.display_name, people.c.location)
    wanted = [] if equipment is None else [or_(*(matches(name, equipment) for name in searched))]
    if kind is not None:
        wanted.append(literal(kind) == func.any(kinds))
    return query.where(and_(true(), *wanted))
