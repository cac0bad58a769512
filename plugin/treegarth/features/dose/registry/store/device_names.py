"""What people call devices and where they stand: every change is kept, the latest holds. Queries only.

A name is of a fingerprint (`device_key`), so nothing of any exam is written anew. Two devices may have one name, as
where a scanner was exchanged: whoever shows several tells them apart by station or serial number (`shown_devices`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import md5
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, FromClause, Row, Text, func, insert, literal, select, true

from treegarth.database.parameters import is_among
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.dose.registry.tables import device_name, dose_study
from treegarth.phrases import P_
from treegarth.record import Record

NAMES = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")
UNKNOWN = P_("The registry knows no device with this key.")


class DeviceNaming(Record):
    """What somebody called a device, and where it stands."""

    version: int
    """From 1 on; the greatest holds."""
    display_name: str | None
    """Null: what its objects call it."""
    location: str | None
    """A room, a building."""
    changed_by: str | None
    """Null without a login."""
    changed_at: datetime


def device_key_of(*names: str | None) -> str:
    """The fingerprint that `dose_study.device_key` has, of NAMES in their order: see DEVICE_KEY."""
    named = "\x1f".join(one or "" for one in names)
    return md5(named.encode(), usedforsecurity=False).hexdigest()[:16]


def current_names() -> FromClause:
    """`device_key`, `display_name`, `location` as they hold: few rows, of those that somebody named."""
    later = device_name.alias("later")
    is_later = (later.c.device_key == device_name.c.device_key) & (later.c.version > device_name.c.version)
    columns = (device_name.c.device_key, device_name.c.display_name, device_name.c.location)
    return select(*columns).where(~select(literal(1)).where(is_later).exists()).subquery("device_names")


def called(device_key: ColumnElement[Any]) -> ColumnElement[str | None]:
    """The display name of a row's device, as a column."""
    latest = (
        select(device_name.c.display_name)
        .where(device_name.c.device_key == device_key)
        .order_by(device_name.c.version.desc())
        .limit(1)
    )
    return latest.scalar_subquery()


def shown_devices(connection: Connection, keys: Iterable[str]) -> dict[str, str]:
    """What each of these devices is called on pages, in lists and charts: its display name, else manufacturer, model
    and station. Of several with one name each has its station or serial number behind it, or the beginning of its key.
    """
    wanted = sorted(set(keys))
    own = _called(connection, wanted)
    shared = _of_names(connection, {one for one in own.values() if one})
    objects = _objects_say(connection, {*wanted, *shared})
    names = {key: own.get(key) or shared.get(key) or _as_objects_say(objects.get(key)) for key in {*wanted, *shared}}
    told = _told_apart(names, objects)
    return {key: told[key] for key in wanted}


def named_devices(connection: Connection) -> dict[str, str]:
    """The same of those that somebody named."""
    names = current_names()
    keys = connection.execute(select(names.c.device_key).where(names.c.display_name.is_not(None))).scalars()
    return shown_devices(connection, keys)


def _called(connection: Connection, keys: Sequence[str]) -> dict[str, str | None]:
    names = current_names()
    rows = connection.execute(select(names).where(is_among(names.c.device_key, keys)))
    return {row.device_key: row.display_name for row in rows}


def _of_names(connection: Connection, display_names: Iterable[str]) -> dict[str, str]:
    """Every device with one of these names, asked for or not: what tells two apart is the same on every page."""
    names = current_names()
    rows = connection.execute(select(names).where(is_among(names.c.display_name, sorted(display_names))))
    return {row.device_key: row.display_name for row in rows}


def _objects_say(connection: Connection, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Of one exam of each: one look into the index a device."""
    key = func.unnest(literal(sorted(keys), ARRAY(Text))).table_valued("device_key").render_derived(name="asked")
    of_one = select(*(dose_study.c[name] for name in NAMES)).where(dose_study.c.device_key == key.c.device_key).limit(1)
    said = of_one.lateral("said")
    query = select(key.c.device_key, *said.c).join_from(key, said, true())
    return {row.device_key: row for row in connection.execute(query)}


def _as_objects_say(row: Row[Any] | None) -> str:
    found = [] if row is None else [row.manufacturer, row.manufacturer_model_name, row.station_name]
    return " ".join(one for one in found if one)


def _told_apart(names: Mapping[str, str], objects: Mapping[str, Row[Any]]) -> dict[str, str]:
    """Each with the first behind its name that no other one of that name has."""
    shared: dict[str, list[str]] = {}
    for key, name in names.items():
        shared.setdefault(name, []).append(key)
    return {
        key: name if len(shared[name]) == 1 else _with_more(key, name, shared[name], objects)
        for key, name in names.items()
    }


def _with_more(key: str, name: str, shared: Sequence[str], objects: Mapping[str, Row[Any]]) -> str:
    behind: Sequence[Callable[[str], str]] = (
        lambda one: getattr(objects.get(one), "station_name", None) or "",
        lambda one: getattr(objects.get(one), "device_serial_number", None) or "",
        lambda one: one[:6],
    )
    alone = (more(key) for more in behind if more(key) and [more(one) for one in shared].count(more(key)) == 1)
    told = next(alone, key)
    return f"{name} · {told}" if name else told


def naming_of(connection: Connection, device_key: str) -> list[DeviceNaming]:
    """Every change, the latest first."""
    query = select(device_name).where(device_name.c.device_key == device_key).order_by(device_name.c.version.desc())
    return [
        DeviceNaming(**{name: row._mapping[name] for name in DeviceNaming.model_fields})
        for row in connection.execute(query)
    ]


def name_device(
    connection: Connection,
    device_key: str,
    *,
    display_name: str | None,
    location: str | None,
    since: int,
    by: str | None,
    now: datetime,
) -> DeviceNaming:
    """Call a device so from now on. `since` is the version that the person saw, 0 where there was none.

    Raises NotFound where no exam has such a device, RequestConflict where somebody changed it meanwhile.
    """
    if not is_known(connection, device_key):
        raise NotFound(UNKNOWN)
    connection.execute(select(func.pg_advisory_xact_lock(7317, func.hashtext(device_key))))
    before = naming_of(connection, device_key)
    latest = before[0].version if before else 0
    if latest != since:
        raise RequestConflict(P_("Somebody changed the name of this device meanwhile; see what it is now."))
    named = DeviceNaming(
        version=latest + 1, display_name=display_name, location=location, changed_by=by, changed_at=now
    )
    if before and (before[0].display_name, before[0].location) == (display_name, location):
        return before[0]
    connection.execute(insert(device_name).values(device_key=device_key, **named.model_dump()))
    return named


def take_back(connection: Connection, device_key: str, *, since: int, by: str | None, now: datetime) -> DeviceNaming:
    """Call it what it was called before the latest change, which stays in its history. Raises NotFound,
    RequestConflict."""
    history = naming_of(connection, device_key)
    if not history:
        raise NotFound(P_("Nobody has named this device."))
    before = history[1] if len(history) > 1 else None
    names = (before.display_name, before.location) if before else (None, None)
    return name_device(connection, device_key, display_name=names[0], location=names[1], since=since, by=by, now=now)


def is_known(connection: Connection, device_key: str) -> bool:
    """Whether some exam is of this device."""
    query = select(literal(1)).where(dose_study.c.device_key == device_key).limit(1)
    return connection.execute(query).first() is not None
