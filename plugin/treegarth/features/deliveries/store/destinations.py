"""Destinations as they are kept: their settings with each change, and what waits, arrives and fails there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Connection, Row, Select, cast, func, null, select, union_all, update
from sqlalchemy.exc import IntegrityError

from treegarth.database.parameters import is_among_numbers, written_out
from treegarth.documents.store import EditedMeanwhile, Stored
from treegarth.errors import NotFound, Problem, RequestConflict
from treegarth.features.deliveries.addresses import ADDRESSES, Kind
from treegarth.features.deliveries.destinations import Destination, DestinationSettings, WantedProof, address_document
from treegarth.features.deliveries.model import ObjectState
from treegarth.features.deliveries.store.leases import is_open
from treegarth.features.deliveries.tables import delivery_batch, delivery_object, destination, destination_change
from treegarth.features.deliveries.windows import Window
from treegarth.phrases import P_
from treegarth.record import Record

THROUGHPUT_OF = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # of what nobody wrote down
REMOVED = P_("The destination was removed.")
_windows = TypeAdapter(tuple[Window, ...])

MOST_NAMED = 8
"""Of the destinations that there are, where none is like the one that was named."""


@dataclass(frozen=True, kw_only=True)
class DestinationFigures:
    """What waits for a destination and what lately arrived there."""

    waiting: int = 0  # never tried yet
    failed: int = 0  # tried, and waits for the next try
    sending: int = 0
    sent: int = 0  # taken by the destination, without better proof yet
    given_up: int = 0
    waiting_bytes: int = 0  # of what waits, failed or not
    oldest_waiting_at: datetime | None = None
    sends: int = 0  # that ended within the last hour, as the two that follow
    sent_bytes: int = 0
    sending_s: float = 0.0

    @property
    def mbit_per_s(self) -> float | None:
        """How fast a send was on average."""
        return self.sent_bytes * 8 / 1e6 / self.sending_s if self.sending_s > 0 else None


class DestinationChange(Record):
    """Who changed what, and when."""

    change: Literal["created", "edited", "paused", "resumed", "removed"]
    document: dict[str, Any]
    """The settings from then on."""
    changed_by: str | None
    changed_at: datetime


def list_destinations(connection: Connection, *, removed: bool = False) -> list[Destination]:
    """All of them by name; those that were removed only if asked for."""
    query = select(destination).order_by(destination.c.name, destination.c.id)
    if not removed:
        query = query.where(destination.c.removed_at.is_(None))
    return [_destination(row) for row in connection.execute(query)]


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


def create_destination(
    connection: Connection, settings: DestinationSettings, *, by: str | None, at: datetime
) -> Destination:
    """A new one. Raises RequestConflict where the name is taken or the alternate is not there."""
    _check_alternate(connection, settings)
    try:
        with connection.begin_nested():
            row = connection.execute(destination.insert().values(_columns(settings)).returning(destination)).one()
    except IntegrityError as error:
        raise _taken(settings) from error
    _note(connection, row.id, "created", settings.document(), by, at)
    return _destination(row)


def change_destination(
    connection: Connection,
    destination_id: int,
    settings: DestinationSettings,
    *,
    since: int | None,
    by: str | None,
    at: datetime,
) -> Destination:
    """Set all of it anew; the same settings are no change. `since` is the version that the edit began from. What was
    learnt of the old address is forgotten where that changed.

    Raises NotFound, RequestConflict, EditedMeanwhile.
    """
    before = present_destination(connection, destination_id)
    if settings_of(before).document() == settings.document():
        return before
    if since is not None and since != before.version:
        raise EditedMeanwhile(_as_stored(connection, before), since)
    _check_alternate(connection, settings)
    values = {**_columns(settings), "version": before.version + 1}
    if (before.kind, before.address) != (settings.kind, settings.address):
        values |= dict.fromkeys(("can_commit", "can_find", "down_since", "next_attempt_at")) | {"failures": 0}
    try:
        with connection.begin_nested():
            row = _update(connection, destination_id, values)
    except IntegrityError as error:
        raise _taken(settings) from error
    _note(connection, destination_id, "edited", settings.document(), by, at)
    if before.name != settings.name:
        connection.execute(
            update(destination).where(destination.c.alternate == before.name).values(alternate=settings.name)
        )
    return _destination(row)


def _as_stored(connection: Connection, one: Destination) -> Stored:
    """As documents are kept, with who set it last."""
    edits = (change for change in read_changes(connection, one.id) if change.change in ("created", "edited"))
    last = next(edits, None)
    return Stored(
        id=one.id,
        name=one.name,
        version=one.version,
        edited_version=one.version,
        is_on=not one.is_paused,
        document=settings_of(one).document(),
        changed_by=last.changed_by if last else None,
        changed_at=last.changed_at if last else EPOCH,
    )


def pause_destination(
    connection: Connection, destination_id: int, *, paused: bool, by: str | None, at: datetime
) -> Destination:
    """Stop sending there, or begin again at once: what waits is tried without waiting. Raises NotFound."""
    present_destination(connection, destination_id)
    values: dict[str, Any] = {"is_paused": paused}
    if not paused:
        values |= {"next_attempt_at": None, "failures": 0}
    row = _update(connection, destination_id, values)
    _note(connection, destination_id, "paused" if paused else "resumed", settings_of(row).document(), by, at)
    return _destination(row)


def remove_destination(connection: Connection, destination_id: int, *, by: str | None, at: datetime) -> Destination:
    """Send nothing there any more. It stays in the history, and what waited for it is given up. Raises NotFound."""
    present_destination(connection, destination_id)
    row = _update(connection, destination_id, {"removed_at": at})
    connection.execute(
        update(delivery_object)
        .where(delivery_object.c.destination_id == destination_id, delivery_object.c.state == "waiting")
        .values(state="given up", last_error=REMOVED)
    )
    _note(connection, destination_id, "removed", settings_of(row).document(), by, at)
    return _destination(row)


def note_echo(connection: Connection, destination_id: int, *, can_find: bool | None, can_commit: bool | None) -> None:
    """A destination answered: what waits there need not wait longer.

    What it said it can is kept; None is not known, and leaves what was known.
    """
    learnt = {"can_find": can_find, "can_commit": can_commit}
    values = {name: value for name, value in learnt.items() if value is not None} | {"next_attempt_at": None}
    connection.execute(update(destination).where(destination.c.id == destination_id).values(values))


def read_changes(connection: Connection, destination_id: int, *, limit: int = 100) -> list[DestinationChange]:
    """The newest changes first."""
    query = select(destination_change).where(destination_change.c.destination_id == destination_id)
    return [
        DestinationChange(
            change=row.change, document=row.document, changed_by=row.changed_by, changed_at=row.changed_at
        )
        for row in connection.execute(query.order_by(destination_change.c.id.desc()).limit(limit))
    ]


def read_figures(
    connection: Connection, destination_ids: Sequence[int], now: datetime
) -> dict[int, DestinationFigures]:
    """What waits for each of these and how sending goes. Reads what is open, not what was confirmed."""
    values: dict[int, dict[str, Any]] = {one: {} for one in destination_ids}
    for row in connection.execute(_open(destination_ids)):
        values[row.destination_id] |= {k: v for k, v in row._mapping.items() if k != "destination_id"}
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


def _open(destination_ids: Sequence[int]) -> Select[Any]:
    """Two queries with the conditions of the partial indexes: the ledger's millions of confirmed rows are not read."""
    names = ("destination_id", "state", "attempts", "size_bytes", "queued_at")
    of_these = select(*(delivery_object.c[name] for name in names)).where(
        is_among_numbers(delivery_object.c.destination_id, destination_ids)
    )
    is_given_up = delivery_object.c.state == written_out(ObjectState.GIVEN_UP.value)
    found = union_all(of_these.where(is_open()), of_these.where(is_given_up)).subquery("open").c
    count, waits = func.count(), found.state == ObjectState.WAITING
    return select(
        found.destination_id,
        count.filter(waits, found.attempts == 0).label("waiting"),
        count.filter(waits, found.attempts > 0).label("failed"),
        count.filter(found.state == ObjectState.SENDING).label("sending"),
        count.filter(found.state == ObjectState.SENT).label("sent"),
        count.filter(found.state == ObjectState.GIVEN_UP).label("given_up"),
        cast(func.coalesce(func.sum(found.size_bytes).filter(waits), 0), BigInteger).label("waiting_bytes"),
        func.min(found.queued_at).filter(waits).label("oldest_waiting_at"),
    ).group_by(found.destination_id)


def settings_of(row: Row[Any] | Destination) -> DestinationSettings:
    """What a person set of it."""
    found = row if isinstance(row, Destination) else _destination(row)
    return DestinationSettings(
        name=found.name,
        kind=found.kind,
        address=found.address,
        proof=found.proof,
        alternate=found.alternate,
        windows=found.windows,
        max_associations=found.max_associations,
        max_mbit_per_s=found.max_mbit_per_s,
        max_attempts=found.max_attempts,
    )


def _destination(row: Row[Any]) -> Destination:
    values = row._asdict()
    kind = Kind(values.pop("kind"))
    return Destination(
        kind=kind,
        address=ADDRESSES[kind].model_validate(values.pop("address")),
        proof=WantedProof(values.pop("proof")),
        windows=_windows.validate_python(windows) if (windows := values.pop("windows")) else None,
        **values,
    )


def _columns(settings: DestinationSettings) -> dict[str, Any]:
    values = settings.model_dump(exclude={"address", "windows"})
    values["kind"], values["proof"] = str(settings.kind), str(settings.proof)
    values["address"] = address_document(settings.address)
    values["windows"] = [window.model_dump(mode="json") for window in settings.windows] if settings.windows else null()
    return values


def _update(connection: Connection, destination_id: int, values: dict[str, Any]) -> Row[Any]:
    changed = update(destination).where(destination.c.id == destination_id).values(values)
    return connection.execute(changed.returning(destination)).one()


def _check_alternate(connection: Connection, settings: DestinationSettings) -> None:
    if settings.alternate and destination_named(connection, settings.alternate) is None:
        wrong = P_("There is no destination named “%(name)s” to be the alternate.", name=settings.alternate)
        raise RequestConflict(wrong, field="alternate")


def _taken(settings: DestinationSettings) -> RequestConflict:
    return RequestConflict(P_("There is a destination named “%(name)s” already.", name=settings.name), field="name")


def _note(
    connection: Connection, destination_id: int, change: str, document: dict[str, Any], by: str | None, at: datetime
) -> None:
    connection.execute(
        destination_change.insert().values(
            destination_id=destination_id, change=change, document=document, changed_by=by, changed_at=at
        )
    )
