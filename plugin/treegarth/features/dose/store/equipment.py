"""The devices of the registry, each with how much it did. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from treegarth.features.dose.store.filtering import device_key
from treegarth.features.dose.tables import dose_study


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """One device and the studies whose last counted source names it; `not_patient_count` are among them."""

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
    names = (table.manufacturer, table.manufacturer_model_name, table.station_name, table.device_serial_number)
    kinds = func.array_agg(func.distinct(func.array_to_string(table.kinds, "\n")))
    query = (
        select(
            device_key(table).label("key"),
            *names,
            kinds.label("kinds"),
            func.count().label("study_count"),
            func.count(table.not_patient).label("not_patient_count"),
            func.sum(table.issue_count).label("issue_count"),
            func.min(table.study_date).label("first_study_date"),
            func.max(table.study_date).label("last_study_date"),
        )
        .group_by(*names)
        .order_by(*(name.asc().nulls_last() for name in names))
    )
    return [
        Device(**{**row._mapping, "kinds": sorted({kind for kinds in row.kinds for kind in kinds.split("\n")})})
        for row in connection.execute(query)
    ]
