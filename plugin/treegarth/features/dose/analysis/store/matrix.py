"""Devices and names side by side: what a quantity is like of each name on each device. Queries only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, Text, cast, collate, func, literal_column, select

from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.store.names import KindOfName, labels_of_names
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.statistics import distributions
from treegarth.features.dose.analysis.tables import exam_name, protocol_name
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.record import Record

_BETWEEN = "\x1f"
_DIVIDER: ColumnElement[str] = literal_column("chr(31)", Text)


class _Place(Record):
    """Of which name, on which device."""

    name_id: int
    """The number of the standard name, of the name of exams, or of the acquisition protocol."""
    name: str
    """As people know it."""
    device_key: str | None
    """Null: of all devices together."""
    device: str | None
    """What people call the device."""


class MatrixCell(Distribution, _Place):
    """What a quantity is like of one name, on one device or on all of them."""


def matrix(connection: Connection, wanted: Wanted, kind: KindOfName) -> list[MatrixCell]:
    """Of each name first all devices together, then each one: names and devices with the most values first. What has no
    name of the kind is in none."""
    rows = _named_rows(wanted, kind)
    whole: Mapping[Any, Distribution] = distributions(connection, wanted, rows, rows.c.name_id)
    found: Mapping[Any, Distribution] = distributions(connection, wanted, rows, _place(rows))
    parts: dict[int, list[tuple[str, Distribution]]] = {}
    for place, one in found.items():
        device, _, number = str(place).rpartition(_BETWEEN)
        parts.setdefault(int(number), []).append((device, one))
    names = labels_of_names(connection, kind, whole)
    devices = shown_devices(connection, {device for some in parts.values() for device, _ in some})
    cells = []
    for number, one in sorted(whole.items(), key=lambda entry: (-entry[1].n, entry[0])):
        name = names.get(number, "")
        cells.append(MatrixCell(name_id=number, name=name, device_key=None, device=None, **dict(one)))
        cells += [
            MatrixCell(name_id=number, name=name, device_key=device, device=devices.get(device), **dict(part))
            for device, part in sorted(parts.get(number, ()), key=lambda entry: (-entry[1].n, entry[0]))
        ]
    return cells


def _place(rows: Subquery) -> ColumnElement[Any]:
    """A device and a name as one text, compared byte by byte: what is grouped is one value."""
    return collate(func.concat(rows.c.device_key, _DIVIDER, cast(rows.c.name_id, Text), type_=Text), "C")


def _named_rows(wanted: Wanted, kind: KindOfName) -> Subquery:
    """The rows with the number of their name of this kind as `name_id`, and a device."""
    rows = select_rows(wanted)
    table = exam_name if wanted.level == "exam" else protocol_name
    number = table.c.standard_name_id if kind == "standard" else rows.c.name_id
    chosen = select(rows.c.value, rows.c.is_doubted, rows.c.device_key, number.label("name_id"))
    if kind == "standard":
        chosen = chosen.join_from(rows, table, table.c.id == rows.c.name_id)
    return chosen.where(number.is_not(None), rows.c.device_key.is_not(None)).subquery("named")
