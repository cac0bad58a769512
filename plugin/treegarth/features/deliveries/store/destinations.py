"""Destinations as they are kept: their settings with each change, and what waits, arrives and fails there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
    update,
)

from treegarth.database.parameters import is_among_numbers, written_out
from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.errors import NotFound, Problem
from treegarth.features.deliveries import addresses
from treegarth.features.deliveries.destinations import Destination, DestinationSettings, WantedProof, address_document
from treegarth.features.deliveries.model import NEVER, ON_THE_WAY, ObjectState, Standing
from treegarth.features.deliveries.store.leases import is_open
from treegarth.features.deliveries.store.standing import by_standing, conditions, has_left, stands
from treegarth.features.deliveries.tables import (
    Moment,
    delivery_batch,
    delivery_object,
    destination,
    destination_version,
)
from treegarth.features.deliveries.windows import Window
from treegarth.phrases import N_, P_

THROUGHPUT_OF = timedelta(hours=1)
REMOVED = P_("The destination was removed.")
MOST_NAMED = 8
"""Of the destinations that there are, where none is like the one that was named."""
_windows = TypeAdapter(tuple[Window, ...])


@dataclass(frozen=True, kw_only=True)
class DestinationFigures:
    """What waits for a destination and what lately arrived there."""

    counts: Mapping[Standing, int] = field(default_factory=lambda: by_standing(()))  # objects
    tried: int = 0  # of what waits
    left: int = 0  # of what was given up: what left Orthanc before it was sent
    waiting_bytes: int = 0
    oldest_waiting_at: datetime | None = None
    sends: int = 0  # that ended within the last hour, as the two that follow
    sent_bytes: int = 0
    sending_s: float = 0.0

    @property
    def waiting(self) -> int:
        return self.counts[Standing.WAITING]

    @property
    def given_up(self) -> int:
        return self.counts[Standing.GIVEN_UP]

    @property
    def mbit_per_s(self) -> float | None:
        """How fast a send was on average."""
        return self.sent_bytes * 8 / 1e6 / self.sending_s if self.sending_s > 0 else None


def list_destinations(connection: Connection) -> list[Destination]:
    """Those that were not removed, by name."""
    present = select(destination).where(destination.c.removed_at.is_(None)).order_by(destination.c.name)
    return [_destination(row) for row in connection.execute(present)]


def read_destination(connection: Connection, destination_id: int, *, locked: bool = False) -> Destination:
    """One of them, removed or not. Raises NotFound."""
    query = select(destination).where(destination.c.id == destination_id)
    row = connection.execute(query.with_for_update() if locked else query).first()
    if row is None:
        raise NotFound(P_("There is no such destination."))
    return _destination(row)


def present_destination(connection: Connection, destination_id: int) -> Destination:
    """One that was not removed, locked until this transaction ends. Raises NotFound."""
    found = read_destination(connection, destination_id, locked=True)
    if found.removed_at is not None:
        raise NotFound(P_("This destination was removed."))
    return found


def destination_named(connection: Connection, name: str) -> Destination | None:
    """The destination of that name that was not removed."""
    named = select(destination).where(destination.c.name == name, destination.c.removed_at.is_(None))
    row = connection.execute(named).first()
    return _destination(row) if row else None


def destination_names(connection: Connection) -> list[str]:
    """The names of those that were not removed, sorted."""
    present = select(destination.c.name).where(destination.c.removed_at.is_(None)).order_by(destination.c.name)
    return list(connection.execute(present).scalars())


def missing_destination(connection: Connection, name: str, place: str) -> Problem | None:
    """That there is no destination of that name, with those that may have been meant."""
    known = destination_names(connection)
    if name in known:
        return None
    folded = {one.casefold(): one for one in known}
    near = [folded[one] for one in get_close_matches(name.casefold(), folded, 3, 0.6)]
    right = P_("Make it, or correct the name.")
    if known:
        right = P_("Make it, or write one of %(names)s.", names=", ".join(near or known[:MOST_NAMED]))
    return Problem(place=place, wrong=P_("there is no destination %(name)s.", name=name), right=right)


def note_echo(connection: Connection, destination_id: int, *, can_find: bool | None, can_commit: bool | None) -> None:
    """A destination answered: it is not down, and what waits there need not wait longer.

    What it said it can is kept; None is not known, and leaves what was known.
    """
    learnt = {"can_find": can_find, "can_commit": can_commit}
    values: dict[str, Any] = {name: value for name, value in learnt.items() if value is not None}
    values |= {"next_attempt_at": None, "down_since": None}
    connection.execute(update(destination).where(destination.c.id == destination_id).values(values))


def read_figures(
    connection: Connection, destination_ids: Sequence[int], now: datetime
) -> dict[int, DestinationFigures]:
    """How far the objects for each of these are, and how sending goes."""
    values: dict[int, dict[str, Any]] = {one: {} for one in destination_ids}
    for row in connection.execute(_standings(destination_ids)):
        counts = by_standing((one.value, row._mapping[one.value]) for one in Standing)
        others = {name: row._mapping[name] for name in ("tried", "left", "waiting_bytes", "oldest_waiting_at")}
        values[row.destination_id] |= {"counts": counts, **others}
    sends = (
        select(
            delivery_batch.c.destination_id,
            func.count().label("sends"),
            func.coalesce(func.sum(delivery_batch.c.size_bytes), 0).label("sent_bytes"),
            func.coalesce(
                func.sum(func.extract("epoch", delivery_batch.c.ended_at - delivery_batch.c.started_at)), 0
            ).label("sending_s"),
        )
        .where(delivery_batch.c.destination_id.in_(destination_ids))
        .where(delivery_batch.c.started_at > now - THROUGHPUT_OF, delivery_batch.c.outcome == "arrived")
        .group_by(delivery_batch.c.destination_id)
    )
    for row in connection.execute(sends):
        values[row.destination_id] |= {
            "sends": row.sends,
            "sent_bytes": int(row.sent_bytes),
            "sending_s": float(row.sending_s),
        }
    return {one: DestinationFigures(**found) for one, found in values.items()}


def _standings(destination_ids: Sequence[int]) -> Select[Any]:
    """Queries with the conditions of the partial indexes: of what was taken and is through, the most by far, no row is
    read but its place in an index."""
    names = ("destination_id", "state", "proof", "attempts", "size_bytes", "queued_at")
    is_of_these = is_among_numbers(delivery_object.c.destination_id, destination_ids)
    of_these = select(*(delivery_object.c[name] for name in names), literal(1).label("objects")).where(is_of_these)
    comes_to_something = delivery_object.c.next_attempt_at < NEVER  # as that index has it: all that waits or is sent
    found = union_all(
        of_these.where(is_open(), comes_to_something, stands(*ON_THE_WAY)),
        of_these.where(stands(Standing.GIVEN_UP)),
        _counted(is_of_these, Standing.UNPROVED, ObjectState.SENT),
        _counted(is_of_these, Standing.ARRIVED, ObjectState.CONFIRMED),
    ).subquery("found")
    known, column = conditions(found), found.c
    count, waits = func.count(), known[Standing.WAITING]
    return select(
        column.destination_id,
        *(_sum(column.objects, known[one]).label(one.value) for one in Standing),
        count.filter(waits, column.attempts > 0).label("tried"),
        count.filter(has_left(found)).label("left"),
        _sum(column.size_bytes, waits).label("waiting_bytes"),
        func.min(column.queued_at).filter(waits).label("oldest_waiting_at"),
    ).group_by(column.destination_id)


def _counted(is_of_these: ColumnElement[bool], standing: Standing, state: ObjectState) -> Select[Any]:
    """How many there are, as one row for each destination."""
    return (
        select(
            delivery_object.c.destination_id,
            written_out(state.value).label("state"),
            literal("").label("proof"),
            literal(0).label("attempts"),
            literal(0).label("size_bytes"),
            cast(null(), Moment).label("queued_at"),
            func.count().label("objects"),
        )
        .where(is_of_these, stands(standing))
        .group_by(delivery_object.c.destination_id)
    )


def _sum(value: ColumnElement[Any], where: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(value).filter(where), 0), BigInteger)


def _destination(row: Row[Any]) -> Destination:
    values = row._asdict()
    kind = addresses.Kind(values.pop("kind"))
    return Destination(
        kind=kind,
        address=addresses.ADDRESSES[kind].model_validate(values.pop("address")),
        proof=WantedProof(values.pop("proof")),
        windows=_windows.validate_python(windows) if (windows := values.pop("windows")) else None,
        **values,
    )


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    """What sending goes by. What was learnt of an old address is forgotten; what waits goes at once when it goes on."""
    settings = DestinationSettings.model_validate(document)
    values = settings.model_dump(exclude={"name", "address", "windows"})
    values |= {"kind": str(settings.kind), "proof": str(settings.proof), "address": address_document(settings.address)}
    windows = settings.windows
    values["windows"] = [window.model_dump(mode="json") for window in windows] if windows else null()
    if before is not None and any(before.document[name] != document[name] for name in ("kind", "address")):
        values |= dict.fromkeys(("can_commit", "can_find", "down_since", "next_attempt_at")) | {"failures": 0}
    if before is not None and is_on and not before.is_on:
        values |= {"next_attempt_at": None, "failures": 0}
    return values


def _follow(connection: Connection, before: Stored, change: Change, author: Author) -> None:
    """Who named it as the alternate names it by its new name; what waits for one that was removed is given up."""
    if change is Change.REMOVED:
        waiting = (delivery_object.c.destination_id == before.id, delivery_object.c.state == "waiting")
        connection.execute(update(delivery_object).where(*waiting).values(state="given up", last_error=REMOVED))
    renamed = select(destination.c.name).where(destination.c.id == before.id, destination.c.name != before.name)
    for name in connection.execute(renamed).scalars() if change is Change.EDITED else ():
        for other in DESTINATIONS.all(connection):
            if other.document.get("alternate") == before.name:
                document = {**other.document, "alternate": name}
                DESTINATIONS.edit(connection, other.id, document, author, since=None)


DESTINATIONS = Kind(
    record=Stored,
    table=destination,
    versions=destination_version,
    missing=N_("There is no such destination."),
    taken=N_("There is a destination named “%(name)s” already."),
    keys=tuple(DestinationSettings.model_fields),
    starts_on=True,
    columns=_columns,
    follow=_follow,
)
