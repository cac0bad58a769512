"""Holds: set, release, list. A hold ends what retention was about to do with its study, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, insert, or_, select, update

from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import hold, prune_ledger, prune_mark
from treegarth.index.names import OfNamedStudy
from treegarth.index.studies import OfStudy, is_of


class Hold(OfNamedStudy):
    """Who forbids that a study's objects go, why, and until when."""

    id: int
    orthanc_study_id: str
    study_instance_uid: str
    kind: HoldKind
    reason: str
    rule_id: int | None
    """The rule that set it; null: a person."""
    set_by: str | None
    set_at: datetime
    until: datetime | None
    released_by: str | None
    released_at: datetime | None


def in_force(now: datetime) -> ColumnElement[bool]:
    """The condition that a hold forbids now."""
    return and_(hold.c.released_at.is_(None), or_(hold.c.until.is_(None), hold.c.until > now))


def set_holds(
    connection: Connection,
    studies: Sequence[OfStudy],
    *,
    kind: HoldKind,
    reason: str,
    until: datetime | None,
    set_by: str | None,
    now: datetime,
    rule_id: int | None = None,
) -> int:
    """Hold these studies; how many were not held so already. A rule that sets the same hold again changes nothing.

    Waits for the deletion of at most one object; when it returns, nothing of these studies is deleted any more.
    """
    already = _held_by(connection, [one.orthanc_study_id for one in studies], kind, rule_id, now)
    new = [one for one in studies if rule_id is None or one.orthanc_study_id not in already]
    if new:
        shared = {"kind": kind.value, "reason": reason, "until": until, "set_by": set_by, "set_at": now}
        rows = [
            {
                "orthanc_study_id": one.orthanc_study_id,
                "study_instance_uid": one.study_instance_uid,
                "rule_id": rule_id,
                **shared,
            }
            for one in new
        ]
        connection.execute(insert(hold), rows)
        withdraw(connection, [one.orthanc_study_id for one in new], because=f"its study was put on hold ({kind})")
    return len(new)


def _held_by(
    connection: Connection, studies: Iterable[str], kind: HoldKind, rule_id: int | None, now: datetime
) -> set[str]:
    query = select(hold.c.orthanc_study_id).where(
        hold.c.orthanc_study_id.in_(list(studies)), hold.c.kind == kind.value, hold.c.rule_id == rule_id, in_force(now)
    )
    return set(connection.execute(query).scalars())


def withdraw(connection: Connection, orthanc_study_ids: Sequence[str], *, because: str) -> None:
    """Take back what is marked of these studies, and what was about to be deleted."""
    kept = connection.execute(
        update(prune_ledger)
        .where(prune_ledger.c.state == "intended", prune_ledger.c.orthanc_study_id.in_(orthanc_study_ids))
        .values(state="kept", kept_because=because)
        .returning(prune_ledger.c.orthanc_study_id)
    )
    connection.execute(delete(prune_mark).where(prune_mark.c.orthanc_study_id.in_(orthanc_study_ids)))
    tell_studies(connection, kept.scalars())


def held_so(
    connection: Connection, orthanc_study_ids: Sequence[str], kind: HoldKind, reason: str, *, now: datetime
) -> set[str]:
    """Of these studies those on which somebody set a hold of this kind for this reason that is in force."""
    found = select(hold.c.orthanc_study_id).where(
        hold.c.orthanc_study_id.in_(orthanc_study_ids),
        hold.c.kind == kind.value,
        hold.c.reason == reason,
        hold.c.rule_id.is_(None),
        hold.c.released_at.is_(None),
        hold.c.until.is_(None) | (hold.c.until > now),
    )
    return set(connection.execute(found).scalars())


def release_hold(connection: Connection, hold_id: int, *, released_by: str | None, now: datetime) -> bool:
    """End one hold; False where there is none in force of this number."""
    done = connection.execute(
        update(hold)
        .where(hold.c.id == hold_id, hold.c.released_at.is_(None))
        .values(released_by=released_by, released_at=now)
    )
    return done.rowcount == 1


def release_of_studies(
    connection: Connection,
    orthanc_study_ids: Sequence[str],
    *,
    kind: HoldKind | None,
    released_by: str | None,
    now: datetime,
) -> int:
    """End the holds of these studies, of one kind or of all but the legal ones; how many there were.

    A legal hold ends only where it is named: by a person, or by a rule that says "legal".
    """
    which = hold.c.kind == kind.value if kind else hold.c.kind != HoldKind.LEGAL.value
    done = connection.execute(
        update(hold)
        .where(hold.c.orthanc_study_id.in_(orthanc_study_ids), hold.c.released_at.is_(None), which)
        .values(released_by=released_by, released_at=now)
    )
    return done.rowcount


def select_holds(
    *, now: datetime, study: OfStudy | None = None, kind: HoldKind | None = None, only_in_force: bool = True
) -> Select[Any]:
    """Holds, in no order."""
    query: Select[Any] = select(*hold.c)
    if study is not None:
        query = query.where(is_of(hold, study))
    if kind is not None:
        query = query.where(hold.c.kind == kind.value)
    return query.where(in_force(now)) if only_in_force else query


def list_holds(
    connection: Connection, *, now: datetime, study: OfStudy | None = None, only_in_force: bool = True
) -> list[Hold]:
    """All holds, or those of a study; the latest first."""
    query = select_holds(now=now, study=study, only_in_force=only_in_force)
    return [Hold(**row._mapping) for row in connection.execute(query.order_by(hold.c.id.desc()))]
