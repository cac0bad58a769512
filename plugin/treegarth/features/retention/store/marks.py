"""Mark what a policy is going to delete, a few thousand objects at a time; find marks, rescue from them.

The archive is read by one plain query whose rows come in portions; each portion is marked by a short transaction of its
own. Nothing that ingest waits for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, cast, column, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.deliveries.tables import delivery
from treegarth.features.retention.store import facts
from treegarth.features.retention.store.decision import NumberedPolicy, free_objects, use_memory
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import prune_ledger, prune_mark, prune_rescue, retention_policy, study_use
from treegarth.index.names import OfNamedStudy
from treegarth.index.studies import OfStudy, is_of
from treegarth.index.tables import instance, series, study

PORTION = 5000
"""Objects that are read, and marked, at once: some milliseconds of marking, some megabytes of memory."""


class Mark(OfNamedStudy):
    """An object that a policy is going to delete."""

    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    modality: str | None
    remote_ae_title: str | None
    """Who sent it: an AE title, else a user."""
    size_bytes: int
    policy_id: int
    policy: str
    policy_version: int
    marked_at: datetime
    due_at: datetime
    """Not before this time."""
    last_words: str | None
    """Why it was not deleted when its time had come."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An object that nothing speaks against to prune, as its mark will tell of it."""

    orthanc_instance_id: str
    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    sop_instance_uid: str
    modality: str | None
    remote_ae_title: str
    size_bytes: int


def read_candidates(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime
) -> Iterator[list[Candidate]]:
    """All objects of the archive that the policy would mark and that are not marked, the oldest first, in portions."""
    received_at, identifier = (instance.c[name] for name in ("received_at", "orthanc_instance_id"))
    # The order is also what makes PostgreSQL find all of them before it gives the first: else it would look for their
    # marks meanwhile, one by one in a table that was empty when it planned and that grows with every portion.
    return _in_portions(connection, _unmarked(numbered, vocabulary, now).order_by(received_at, identifier))


def read_least_used(
    connection: Connection, numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime, size_bytes: int
) -> Iterator[list[Candidate]]:
    """The same, but the objects of the least used studies first, until these are so many bytes."""
    study_id = study.c.orthanc_study_id
    delivered = select(delivery.c.orthanc_study_id, func.max(delivery.c.changed_at).label("at"))
    of_study = delivered.group_by(delivery.c.orthanc_study_id).subquery("delivered")
    used = func.greatest(study.c.last_received_at, study_use.c.last_used_at, of_study.c.at)
    query = (
        _unmarked(numbered, vocabulary, now)
        .outerjoin(study_use, study_use.c.orthanc_study_id == study_id)
        .outerjoin(of_study, of_study.c.orthanc_study_id == study_id)
        .order_by(used, instance.c.orthanc_instance_id)
    )
    missing = size_bytes
    for portion in _in_portions(connection, query):
        bytes_before = accumulate((one.size_bytes for one in portion), initial=0)
        yield [one for one, before in zip(portion, bytes_before, strict=False) if before < missing]
        missing -= sum(one.size_bytes for one in portion)
        if missing <= 0:
            return


def mark(connection: Connection, numbered: NumberedPolicy, found: Sequence[Candidate], now: datetime) -> int | None:
    """Mark them; how many were not marked yet. None: the policy does not act in this version any more.

    The policy's row is locked meanwhile, so that no mark is left where somebody switches it off."""
    acts = select(retention_policy.c.id).where(
        retention_policy.c.id == numbered.id,
        retention_policy.c.version == numbered.version,
        retention_policy.c.removed_at.is_(None),
    )
    if connection.execute(acts.with_for_update()).first() is None:
        return None
    names = list(Candidate.__dataclass_fields__)
    of_mark = {
        "policy_id": numbered.id,
        "policy_version": numbered.version,
        "marked_at": now,
        "due_at": now + numbered.policy.grace,
    }
    # Arrays, for a statement of thousands of single values takes many times as long.
    arrays = [cast([getattr(one, name) for one in found], ARRAY(prune_mark.c[name].type)).label(name) for name in names]
    rows = func.unnest(*arrays).table_valued(*(column(name) for name in names)).render_derived()
    query = select(*(rows.c[name] for name in names), *(literal(value) for value in of_mark.values()))
    statement = insert(prune_mark).from_select([*names, *of_mark], query).on_conflict_do_nothing()
    return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount


def _in_portions(connection: Connection, query: Select[Any]) -> Iterator[list[Candidate]]:
    use_memory(connection)
    # All rows are wanted, not the first ones soon: for those PostgreSQL would ask for every object by its keys.
    connection.execute(text("SET LOCAL cursor_tuple_fraction = 1"))
    result = connection.execute(query, execution_options={"stream_results": True, "yield_per": PORTION})
    with closing(result):
        for rows in result.partitions():
            yield [Candidate(**row._mapping) for row in rows]


def _unmarked(numbered: NumberedPolicy, vocabulary: Vocabulary, now: datetime) -> Select[Any]:
    columns = (
        *(instance.c[name] for name in ("orthanc_instance_id", "orthanc_series_id")),
        *(study.c[name] for name in ("orthanc_study_id", "study_instance_uid")),
        instance.c.sop_instance_uid,
        series.c.modality,
        facts.source_name().label("remote_ae_title"),
        instance.c.size_bytes,
    )
    marked = select(prune_mark.c.orthanc_instance_id).where(
        prune_mark.c.orthanc_instance_id == instance.c.orthanc_instance_id
    )
    marking = replace(numbered, policy=numbered.policy.for_marking)
    return free_objects(marking, vocabulary, now, *columns).where(~marked.exists())


def note_look(connection: Connection, numbered: NumberedPolicy, began_at: datetime, took: timedelta) -> None:
    """That this version has looked at the whole archive."""
    connection.execute(
        update(retention_policy)
        .where(retention_policy.c.id == numbered.id, retention_policy.c.version == numbered.version)
        .values(decided_at=began_at, look_s=took.total_seconds())
    )


def note_freeing(connection: Connection, policy_id: int, since: datetime | None) -> None:
    connection.execute(update(retention_policy).where(retention_policy.c.id == policy_id).values(freeing_since=since))


def marked_bytes(connection: Connection, policy_id: int) -> int:
    query = select(func.coalesce(func.sum(prune_mark.c.size_bytes), 0)).where(prune_mark.c.policy_id == policy_id)
    return int(connection.execute(query).scalar_one())


def archive_bytes(connection: Connection) -> int:
    """Of everything that the index has, by the sums that its studies carry."""
    return int(connection.execute(select(func.coalesce(func.sum(study.c.size_bytes), 0))).scalar_one())


def leaving_bytes(connection: Connection, since: datetime) -> int:
    """Of what was deleted since a time and is in the index still, which follows within a second or so."""
    query = (
        select(func.coalesce(func.sum(prune_ledger.c.size_bytes), 0))
        .join_from(prune_ledger, instance, instance.c.orthanc_instance_id == prune_ledger.c.orthanc_instance_id)
        .where(
            prune_ledger.c.deleted_at >= since,
            prune_ledger.c.state == "deleted",
            prune_ledger.c.returned_at.is_(None),
            prune_ledger.c.policy_id.is_not(None),
        )
    )
    return int(connection.execute(query).scalar_one())


def select_marks(*, study: OfStudy | None = None, policy_id: int | None = None) -> Select[Any]:
    """What is marked, in no order."""
    names = [name for name in Mark.model_fields if name in prune_mark.c]
    query: Select[Any] = select(*(prune_mark.c[name] for name in names), retention_policy.c.name.label("policy")).join(
        retention_policy, retention_policy.c.id == prune_mark.c.policy_id
    )
    if policy_id is not None:
        query = query.where(prune_mark.c.policy_id == policy_id)
    return query if study is None else query.where(is_of(prune_mark, study))


def rescue(
    connection: Connection, *chosen: ColumnElement[bool], rescued_by: str | None, now: datetime, lasts: timedelta
) -> int:
    """Take back the marks that were chosen; how many. Those objects are not marked again for a while.

    Waits for the deletion of at most one object; what was about to be deleted stays, too.
    """
    marked = list(connection.execute(select(prune_mark.c.orthanc_instance_id).where(*chosen)).scalars())
    kept = connection.execute(  # before the marks: a deletion holds its row of the ledger, then its mark
        update(prune_ledger)
        .where(prune_ledger.c.state == "intended", prune_ledger.c.orthanc_instance_id.in_(marked))
        .values(state="kept", kept_because="it was rescued")
        .returning(prune_ledger.c.orthanc_study_id)
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
    tell_studies(connection, kept.scalars())
    return len(rows)
