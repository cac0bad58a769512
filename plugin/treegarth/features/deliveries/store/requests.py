"""Wishes that objects be delivered, by rules and by hand. An object and a destination have one row, whoever wishes it.

The row's state is the dispatcher's; a wish makes the row, wants a stronger proof, brings back what had left Orthanc, or
has what was stored again since sent once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.deliveries.model import NEVER, ObjectState
from treegarth.features.deliveries.selection import Candidate
from treegarth.features.deliveries.store.archive_index import stored_at
from treegarth.features.deliveries.tables import delivery, delivery_member, delivery_object
from treegarth.index.tables import instance
from treegarth.record import Record

_AT_ONCE = 1000  # rows of one statement: PostgreSQL takes 65,535 parameters


class DeliveryRequested(Record):
    """What a wish came to: objects wished, and how many of them nobody had wished there before."""

    objects: int
    """That were chosen."""
    new: int
    """Of them, those that nobody had wished there before."""


def request_delivery(
    connection: Connection,
    *,
    destination_id: int,
    objects: Sequence[Candidate],
    proof_wanted: str,
    now: datetime,
    rule_id: int = 0,
    asked_by: str | None = None,
) -> DeliveryRequested:
    """Wish these objects at the destination. Again for the same stores of the same objects it changes nothing."""
    if not objects:
        return DeliveryRequested(objects=0, new=0)
    deliveries = _note_deliveries(connection, destination_id, objects, rule_id, asked_by, now)
    new = 0
    ordered = sorted(objects, key=lambda one: one.orthanc_instance_id)  # all writers lock in this order
    for begin in range(0, len(ordered), _AT_ONCE):
        block = ordered[begin : begin + _AT_ONCE]
        _forget_older(connection, destination_id, block)
        new += _note_objects(connection, destination_id, block, proof_wanted, now)
        _note_members(connection, destination_id, block, deliveries)
    return DeliveryRequested(objects=len(ordered), new=new)


def chosen_before(
    connection: Connection, *, destination_id: int, rule_id: int, orthanc_study_id: str
) -> dict[str, list[str]]:
    """What this rule wished of the study before: Orthanc identifiers of instances by series."""
    query = (
        select(delivery.c.orthanc_series_id, func.array_agg(delivery_member.c.orthanc_instance_id))
        .join(delivery_member, delivery_member.c.delivery_id == delivery.c.id)
        .where(delivery.c.rule_id == rule_id, delivery.c.destination_id == destination_id)
        .where(delivery.c.orthanc_study_id == orthanc_study_id)
        .group_by(delivery.c.orthanc_series_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _note_deliveries(
    connection: Connection,
    destination_id: int,
    objects: Sequence[Candidate],
    rule_id: int,
    asked_by: str | None,
    now: datetime,
) -> dict[str, int]:
    """The wish's row of each series; its identifier by series."""
    rows = {
        one.orthanc_series_id: {
            "rule_id": rule_id,
            "asked_by": asked_by,
            "destination_id": destination_id,
            "orthanc_study_id": one.orthanc_study_id,
            "orthanc_series_id": one.orthanc_series_id,
            "study_instance_uid": one.study_instance_uid,
            "series_instance_uid": one.series_instance_uid,
            "modality": one.modality,
            "created_at": now,
            "changed_at": now,
        }
        for one in objects
    }
    statement = insert(delivery).values([rows[key] for key in sorted(rows)])
    noted = statement.on_conflict_do_update(
        index_elements=[delivery.c.rule_id, delivery.c.destination_id, delivery.c.orthanc_series_id],
        set_={"changed_at": now, "asked_by": func.coalesce(statement.excluded.asked_by, delivery.c.asked_by)},
    ).returning(delivery.c.orthanc_series_id, delivery.c.id)
    return {row.orthanc_series_id: row.id for row in connection.execute(noted)}


def _forget_older(connection: Connection, destination_id: int, objects: Sequence[Candidate]) -> None:
    """What was sent of an object that was stored again since is gone: that is not what is wished now."""
    row = delivery_object.c
    older = (
        select(row.orthanc_instance_id)
        .join(instance, instance.c.orthanc_instance_id == row.orthanc_instance_id)
        .where(row.destination_id == destination_id)
        .where(row.orthanc_instance_id.in_([one.orthanc_instance_id for one in objects]))
        .where(row.state.in_([ObjectState.SENT, ObjectState.CONFIRMED]))
        .where(func.coalesce(row.begun_at, row.sent_at) < stored_at)
        .order_by(row.orthanc_instance_id)  # as all writers lock
        .with_for_update(of=delivery_object)
    )
    found = list(connection.execute(older).scalars())
    if found:
        nothing = dict.fromkeys(
            ("batch", "proof", "transaction_uid", "committing_since", "sent_at", "confirmed_at", "via")
        )
        gone = {
            "state": ObjectState.GONE,
            "next_attempt_at": NEVER,
            "begun_at": func.coalesce(row.begun_at, row.sent_at),
        }
        ours = (row.destination_id == destination_id) & row.orthanc_instance_id.in_(found)
        connection.execute(update(delivery_object).where(ours).values(**nothing, **gone))


def _note_objects(
    connection: Connection, destination_id: int, objects: Sequence[Candidate], proof_wanted: str, now: datetime
) -> int:
    """The number of rows that are new or wait again because the object is back in Orthanc, or was stored again."""
    statement = insert(delivery_object).values(
        [
            {
                "destination_id": destination_id,
                "orthanc_instance_id": one.orthanc_instance_id,
                "orthanc_series_id": one.orthanc_series_id,
                "orthanc_study_id": one.orthanc_study_id,
                "study_instance_uid": one.study_instance_uid,
                "series_instance_uid": one.series_instance_uid,
                "sop_instance_uid": one.sop_instance_uid,
                "sop_class_uid": one.sop_class_uid,
                "size_bytes": one.size_bytes,
                "state": ObjectState.WAITING,
                "proof_wanted": proof_wanted,
                "next_attempt_at": now,
                "queued_at": now,
            }
            for one in objects
        ]
    )
    ours, new = delivery_object.c, statement.excluded
    is_gone = ours.state == ObjectState.GONE
    strength = case({"status": 0, "best": 1, "find": 2, "commitment": 3}, value=ours.proof_wanted, else_=1)
    wanted = case({"status": 0, "best": 1, "find": 2, "commitment": 3}, value=new.proof_wanted, else_=1)
    is_open = ours.state.in_([ObjectState.WAITING, ObjectState.SENDING, ObjectState.SENT])
    done = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[ours.destination_id, ours.orthanc_instance_id],
            set_={
                "proof_wanted": case((wanted > strength, new.proof_wanted), else_=ours.proof_wanted),
                "state": case((is_gone, ObjectState.WAITING.value), else_=ours.state),
                "attempts": case((is_gone, 0), else_=ours.attempts),
                "proof": None,  # of what is still open: the stronger one is to come
                "next_attempt_at": case(
                    (is_gone, now), (ours.next_attempt_at == NEVER, now), else_=ours.next_attempt_at
                ),
                "last_error": case((is_gone, None), else_=ours.last_error),
                "queued_at": case((is_gone, now), else_=ours.queued_at),
            },
            where=is_gone | (is_open & (wanted > strength)),
        ).returning((ours.queued_at == now).label("is_new"))
    )
    return sum(1 for row in done if row.is_new)


def _note_members(
    connection: Connection, destination_id: int, objects: Sequence[Candidate], deliveries: dict[str, int]
) -> None:
    rows = [
        {
            "delivery_id": deliveries[one.orthanc_series_id],
            "destination_id": destination_id,
            "orthanc_instance_id": one.orthanc_instance_id,
        }
        for one in objects
    ]
    connection.execute(insert(delivery_member).values(rows).on_conflict_do_nothing())
