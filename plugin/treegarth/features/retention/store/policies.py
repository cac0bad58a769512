"""Policies with their history: every change is a version, with who and when. Marks go with their version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from treegarth.errors import NotFound, RequestConflict
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy, retention_policy_version
from treegarth.phrases import P_


@dataclass(frozen=True, kw_only=True)
class StoredPolicy:
    """A policy as it acts now."""

    id: int
    name: str
    version: int
    is_on: bool
    document: Mapping[str, Any]
    decided_at: datetime | None
    look_s: float | None
    freeing_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class PolicyChange:
    """One version of a policy."""

    version: int
    document: Mapping[str, Any]
    is_on: bool
    change: str
    changed_by: str | None
    changed_at: datetime


def _policies() -> Select[Any]:
    policy, version = retention_policy.c, retention_policy_version.c
    return (
        select(
            *(policy[name] for name in ("id", "name", "version", "is_on")),
            version.document,
            *(policy[name] for name in ("decided_at", "look_s", "freeing_since")),
        )
        .join(
            retention_policy_version,
            (version.policy_id == policy.id) & (version.version == policy.version),
        )
        .where(policy.removed_at.is_(None))
        .order_by(policy.id)
    )


def list_policies(connection: Connection, *, only_on: bool = False) -> list[StoredPolicy]:
    """The policies that are there, in the order in which they were made."""
    query = _policies().where(retention_policy.c.is_on) if only_on else _policies()
    return [StoredPolicy(**row._mapping) for row in connection.execute(query)]


def read_policy(connection: Connection, policy_id: int, *, for_change: bool = False) -> StoredPolicy:
    """Raises NotFound."""
    query = _policies().where(retention_policy.c.id == policy_id)
    if for_change:
        query = query.with_for_update(of=retention_policy)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(P_("There is no retention policy of this number."))
    return StoredPolicy(**row._mapping)


def history(connection: Connection, policy_id: int) -> list[PolicyChange]:
    """Every version, the latest first; also of a policy that was removed."""
    version = retention_policy_version.c
    columns = [version[name] for name in PolicyChange.__dataclass_fields__]
    rows = connection.execute(select(*columns).where(version.policy_id == policy_id).order_by(version.version.desc()))
    return [PolicyChange(**row._mapping) for row in rows]


def create_policy(
    connection: Connection, document: Mapping[str, Any], *, changed_by: str | None, now: datetime
) -> StoredPolicy:
    """A new policy, switched off. Raises RequestConflict where the name is taken."""
    _check_name(connection, document["name"], None)
    policy_id = connection.execute(
        insert(retention_policy).values(name=document["name"], version=1).returning(retention_policy.c.id)
    ).scalar_one()
    _note(connection, policy_id, 1, document, False, "created", changed_by, now)
    return read_policy(connection, policy_id)


def edit_policy(
    connection: Connection, policy_id: int, document: Mapping[str, Any], *, changed_by: str | None, now: datetime
) -> StoredPolicy:
    """Replace what the policy says. It is off until it is switched on again, so that nobody deletes more by an edit.

    Raises NotFound, or RequestConflict where the name is taken."""
    before = read_policy(connection, policy_id, for_change=True)
    _check_name(connection, document["name"], policy_id)
    _change(connection, before, document, False, "edited", changed_by, now)
    return read_policy(connection, policy_id)


def switch_policy(
    connection: Connection, policy_id: int, *, is_on: bool, changed_by: str | None, now: datetime
) -> StoredPolicy:
    """Let it act, or stop it; what it had marked is taken back when it stops. Raises NotFound."""
    before = read_policy(connection, policy_id, for_change=True)
    if before.is_on != is_on:
        change = "switched on" if is_on else "switched off"
        _change(connection, before, before.document, is_on, change, changed_by, now)
    return read_policy(connection, policy_id)


def remove_policy(connection: Connection, policy_id: int, *, changed_by: str | None, now: datetime) -> None:
    """It acts no more; its history stays, for the ledger refers to it. Raises NotFound."""
    before = read_policy(connection, policy_id, for_change=True)
    _change(connection, before, before.document, False, "removed", changed_by, now)
    connection.execute(update(retention_policy).where(retention_policy.c.id == policy_id).values(removed_at=now))


def _check_name(connection: Connection, name: str, policy_id: int | None) -> None:
    query = select(retention_policy.c.id).where(
        retention_policy.c.name == name, retention_policy.c.removed_at.is_(None)
    )
    if connection.execute(query).scalar_one_or_none() not in (None, policy_id):
        raise RequestConflict(P_("There is a retention policy named “%(name)s” already.", name=name), field="name")


def _change(
    connection: Connection,
    before: StoredPolicy,
    document: Mapping[str, Any],
    is_on: bool,
    change: str,
    changed_by: str | None,
    now: datetime,
) -> None:
    version = before.version + 1
    connection.execute(
        update(retention_policy)
        .where(retention_policy.c.id == before.id)
        .values(
            name=document["name"],
            version=version,
            is_on=is_on,
            decided_at=None,
            freeing_since=None,
        )
    )
    _note(connection, before.id, version, document, is_on, change, changed_by, now)
    connection.execute(
        update(prune_ledger)
        .where(prune_ledger.c.state == "intended", prune_ledger.c.policy_id == before.id)
        .values(state="kept", kept_because=f"the policy was {change}")
    )
    connection.execute(delete(prune_mark).where(prune_mark.c.policy_id == before.id))


def _note(
    connection: Connection,
    policy_id: int,
    version: int,
    document: Mapping[str, Any],
    is_on: bool,
    change: str,
    changed_by: str | None,
    now: datetime,
) -> None:
    connection.execute(
        insert(retention_policy_version).values(
            policy_id=policy_id,
            version=version,
            document=dict(document),
            is_on=is_on,
            change=change,
            changed_by=changed_by,
            changed_at=now,
        )
    )
