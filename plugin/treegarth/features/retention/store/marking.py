"""Mark what a policy is going to delete, block by block of studies; list marks, rescue from them.

A block is one transaction that reads the index without locks and writes marks: nothing that ingest waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Insert, Select, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.paging import SortKey, read_page
from treegarth.features.retention.store import facts
from treegarth.features.retention.store.deciding import NumberedPolicy, free_objects, use_memory
from treegarth.features.retention.store.neighbours import table_of
from treegarth.features.retention.tables import prune_ledger, prune_mark, prune_rescue, retention_policy

BLOCK = 1_000_000
"""Studies of one block. Of smaller ones PostgreSQL asks for every object by its keys, which took fourteen times as long
as joining the tables as a whole (200,000 studies: 20.6 s against 1.4 s)."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An object that a policy is going to delete."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    modality: str | None
    remote_ae_title: str | None
    size_bytes: int
    policy_id: int
    policy_version: int
    marked_at: datetime
    due_at: datetime
    last_words: str | None


@dataclass(frozen=True, kw_only=True)
class MarkPage:
    """Some marks by study, and the cursor of those that follow."""

    marks: tuple[Mark, ...]
    next: str | None


def mark_next_block(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, after: str | None
) -> tuple[int, str | None]:
    """Mark in the studies that follow `after`; how many objects, and the last study looked at (None: that was all)."""
    use_memory(connection)
    study = table_of("study")
    beyond = study.c.orthanc_study_id > (after or "")
    last = connection.execute(
        select(study.c.orthanc_study_id).where(beyond).order_by(study.c.orthanc_study_id).offset(BLOCK - 1).limit(1)
    ).scalar_one_or_none()
    within = [beyond] if last is None else [beyond, study.c.orthanc_study_id <= last]
    query = _to_mark(numbered, vocabulary, now).where(*within)
    return connection.execute(_insert(query)).rowcount, last


def mark_least_used(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, size_bytes: int, most: int
) -> int:
    """Mark objects of the least used studies until so many bytes are marked, at most so many objects; how many."""
    use_memory(connection)
    used = facts.last_used_at().label("used")
    found = _to_mark(numbered, vocabulary, now).add_columns(used)
    identifier = table_of("instance").c.orthanc_instance_id
    chosen = found.order_by(used, identifier).limit(most).subquery()
    before = func.sum(chosen.c.size_bytes).over(order_by=(chosen.c.used, chosen.c.orthanc_instance_id), rows=(None, -1))
    running = select(chosen, func.coalesce(before, 0).label("bytes_before")).subquery()
    columns = [running.c[name] for name in _MARKED]
    return connection.execute(_insert(select(*columns).where(running.c.bytes_before < size_bytes))).rowcount


_MARKED = (
    *("orthanc_instance_id", "orthanc_series_id", "orthanc_study_id", "study_instance_uid", "sop_instance_uid"),
    *("modality", "remote_ae_title", "size_bytes", "policy_id", "policy_version", "marked_at", "due_at"),
)


def _to_mark(numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime) -> Select[Any]:
    study, series, instance = table_of("study"), table_of("series"), table_of("instance")
    due_at = now + numbered.policy.grace
    columns = (
        *(instance.c[name] for name in ("orthanc_instance_id", "orthanc_series_id")),
        *(study.c[name] for name in ("orthanc_study_id", "study_instance_uid")),
        instance.c.sop_instance_uid,
        series.c.modality,
        facts.source_name().label("remote_ae_title"),
        instance.c.size_bytes,
        literal(numbered.id).label("policy_id"),
        literal(numbered.version).label("policy_version"),
        literal(now).label("marked_at"),
        literal(due_at).label("due_at"),
    )
    marked = select(prune_mark.c.orthanc_instance_id).where(
        prune_mark.c.orthanc_instance_id == instance.c.orthanc_instance_id
    )
    return free_objects(
        NumberedPolicy(id=numbered.id, version=numbered.version, policy=numbered.policy.for_marking),
        vocabulary,
        now,
        *columns,
    ).where(~marked.exists())


def _insert(query: Select[Any]) -> Insert:
    statement = insert(prune_mark).from_select(list(_MARKED), query).on_conflict_do_nothing()
    return statement.execution_options(preserve_rowcount=True)


def note_walk(
    connection: Connection, policy_id: int, version: int, *, began_at: datetime, walked_to: str | None, is_done: bool
) -> None:
    """Where the walk of this version stands."""
    values: dict[str, Any] = {"walk_began_at": began_at, "walked_to": walked_to}
    if is_done:
        values = {"walk_began_at": None, "walked_to": None, "decided_at": began_at}
    connection.execute(
        update(retention_policy)
        .where(retention_policy.c.id == policy_id, retention_policy.c.version == version)
        .values(**values)
    )


def note_freeing(connection: Connection, policy_id: int, since: datetime | None) -> None:
    connection.execute(update(retention_policy).where(retention_policy.c.id == policy_id).values(freeing_since=since))


def marked_bytes(connection: Connection, policy_id: int) -> int:
    query = select(func.coalesce(func.sum(prune_mark.c.size_bytes), 0)).where(prune_mark.c.policy_id == policy_id)
    return int(connection.execute(query).scalar_one())


def archive_bytes(connection: Connection) -> int:
    """Of everything that the index has, by the sums that its studies carry."""
    return int(connection.execute(text("SELECT coalesce(sum(size_bytes), 0) FROM study")).scalar_one())


def leaving_bytes(connection: Connection, since: datetime) -> int:
    """Of what was deleted since a time and is in the index still, which follows within a second or so."""
    found = connection.execute(
        text(
            "SELECT coalesce(sum(l.size_bytes), 0) FROM prune_ledger l JOIN instance i USING (orthanc_instance_id)"
            " WHERE l.deleted_at >= :since AND l.state = 'deleted' AND l.returned_at IS NULL"
            " AND l.policy_id IS NOT NULL"
        ),
        {"since": since},
    )
    return int(found.scalar_one())


def list_marks(
    connection: Connection,
    *,
    policy_id: int | None = None,
    study_instance_uid: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> MarkPage:
    """What is marked, by study. Raises InvalidRequest for a strange cursor."""
    query: Select[Any] = select(*(prune_mark.c[name] for name in Mark.__dataclass_fields__))
    if policy_id is not None:
        query = query.where(prune_mark.c.policy_id == policy_id)
    if study_instance_uid is not None:
        query = query.where(prune_mark.c.study_instance_uid == study_instance_uid)
    keys = [
        SortKey(column=prune_mark.c.study_instance_uid, read=str),
        SortKey(column=prune_mark.c.orthanc_instance_id, read=str),
    ]
    page = read_page(connection, query, keys, name="marks", limit=limit, cursor=cursor)
    return MarkPage(marks=tuple(Mark(**row._mapping) for row in page.rows), next=page.next)


def rescue(
    connection: Connection,
    *,
    study_instance_uid: str,
    sop_instance_uids: Sequence[str] = (),
    rescued_by: str | None,
    now: datetime,
    lasts: timedelta,
) -> int:
    """Take back what is marked of a study, all or these objects; how many. They are not marked again for a while.

    Waits for the deletion of at most one object; what was about to be deleted stays, too.
    """
    chosen = [prune_mark.c.study_instance_uid == study_instance_uid]
    if sop_instance_uids:
        chosen.append(prune_mark.c.sop_instance_uid.in_(sop_instance_uids))
    marked = list(connection.execute(select(prune_mark.c.orthanc_instance_id).where(*chosen)).scalars())
    connection.execute(  # before the marks: a deletion holds its row of the ledger, then its mark
        update(prune_ledger)
        .where(prune_ledger.c.state == "intended", prune_ledger.c.orthanc_instance_id.in_(marked))
        .values(state="kept", kept_because="it was rescued")
    )
    rows = connection.execute(
        delete(prune_mark)
        .where(prune_mark.c.orthanc_instance_id.in_(marked))
        .returning(prune_mark.c.orthanc_instance_id, prune_mark.c.policy_id, prune_mark.c.policy_version)
    ).all()
    if rows:
        statement = insert(prune_rescue).values(
            [{**row._mapping, "rescued_by": rescued_by, "rescued_at": now, "until": now + lasts} for row in rows]
        )
        new = {name: statement.excluded[name] for name in ("policy_version", "rescued_by", "rescued_at", "until")}
        connection.execute(
            statement.on_conflict_do_update(index_elements=["orthanc_instance_id", "policy_id"], set_=new)
        )
    return len(rows)
