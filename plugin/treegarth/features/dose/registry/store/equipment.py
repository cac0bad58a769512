"""The devices of the registry, each with how much it did. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from treegarth.features.dose.registry.tables import dose_study

NAMES = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One device and the studies whose last counted source names it, without those that another one replaces;
    `not_patient_count` are among them."""

    key: str
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    kinds: Sequence[str]
    study_count: int
    not_patient_count: int
    issue_count: int
    first_study_date: date | None
    last_study_date: date | None


def list_equipment(connection: Connection) -> list[Device]:
    """Every device, by manufacturer, model and station."""
    table = dose_study.c
    query = select(
        table.device_key,
        table.kinds,
        func.count().label("study_count"),
        func.count(table.not_patient).label("not_patient_count"),
        func.sum(table.issue_count).label("issue_count"),
        func.min(table.study_date).label("first_study_date"),
        func.max(table.study_date).label("last_study_date"),
    )
    query = query.where(table.replaced_by.is_(None)).group_by(table.device_key, table.kinds)
    by_device: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        by_device.setdefault(row.device_key, []).append(row)
    devices = [_device(key, _names(connection, key), rows) for key, rows in by_device.items()]
    return sorted(
        devices, key=lambda device: [(getattr(device, name) is None, getattr(device, name)) for name in NAMES]
    )


def _names(connection: Connection, key: str) -> dict[str, str | None]:
    """Of any of its studies: one look into the index, where reading the names of all would read every row."""
    query = select(*(dose_study.c[name] for name in NAMES)).where(dose_study.c.device_key == key).limit(1)
    return dict(connection.execute(query).one()._mapping)


def _device(key: str, names: dict[str, str | None], rows: Sequence[Row[Any]]) -> Device:
    first = [row.first_study_date for row in rows if row.first_study_date is not None]
    last = [row.last_study_date for row in rows if row.last_study_date is not None]
    return Device(
        key=key,
        **names,
        kinds=sorted({kind for row in rows for kind in row.kinds}),
        study_count=sum(row.study_count for row in rows),
        not_patient_count=sum(row.not_patient_count for row in rows),
        issue_count=sum(row.issue_count for row in rows),
        first_study_date=min(first, default=None),
        last_study_date=max(last, default=None),
    )
