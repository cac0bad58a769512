"""What rules did: each time a rule matched a study. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from treegarth.features.rules.tables import rule, rule_outcome
from treegarth.index.studies import OfStudy, is_of
from treegarth.phrases import Phrase, read_phrase
from treegarth.record import Record


class Done(Record):
    """What one action did, in words and numbers; a phrase, where the action said one."""

    action: str
    done: str
    """In words and numbers."""


class Outcome(Record):
    """A rule matched a study."""

    id: int
    rule_id: int
    rule_name: str
    version: int
    trigger: str
    orthanc_study_id: str
    study_instance_uid: str
    decided_at: datetime
    asked_by: str | None
    actions: list[Done]


def latest_versions_that_matched(connection: Connection, study: OfStudy) -> dict[int, int]:
    """By rule the latest of its versions that matched this study."""
    latest = func.max(rule_outcome.c.version)
    query = select(rule_outcome.c.rule_id, latest).where(is_of(rule_outcome, study))
    return {row[0]: row[1] for row in connection.execute(query.group_by(rule_outcome.c.rule_id))}


def write_outcome(
    connection: Connection,
    *,
    rule_id: int,
    version: int,
    trigger: str,
    orthanc_study_id: str,
    study_instance_uid: str,
    asked_by: str | None,
    actions: Sequence[Done],
    now: datetime,
) -> None:
    """Write down that a rule matched, and what it did."""
    connection.execute(
        insert(rule_outcome).values(
            rule_id=rule_id,
            version=version,
            trigger=trigger,
            orthanc_study_id=orthanc_study_id,
            study_instance_uid=study_instance_uid,
            asked_by=asked_by,
            decided_at=now,
            actions=[_kept(one) for one in actions],
        )
    )


def list_outcomes(
    connection: Connection,
    *,
    rule_id: int | None = None,
    study: OfStudy | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Outcome]:
    """The latest first, of a rule or of a study or of all; `before` is the id of the last one of the page before."""
    names = [name for name in Outcome.model_fields if name not in ("rule_name", "actions")]
    query = (
        select(*(rule_outcome.c[name] for name in names), rule_outcome.c.actions, rule.c.name.label("rule_name"))
        .join(rule, rule.c.id == rule_outcome.c.rule_id)
        .order_by(rule_outcome.c.id.desc())
        .limit(limit)
    )
    if rule_id is not None:
        query = query.where(rule_outcome.c.rule_id == rule_id)
    if study is not None:
        query = query.where(is_of(rule_outcome, study))
    if before is not None:
        query = query.where(rule_outcome.c.id < before)
    return [
        Outcome(**{**row._mapping, "actions": tuple(_read(done) for done in row.actions)})
        for row in connection.execute(query)
    ]


def _kept(done: Done) -> dict[str, Any]:
    """The English words, and what they were made of: rows are read for longer than sentences stay as they are."""
    kept = {"action": done.action, "done": done.done}
    return {**kept, "phrase": done.done.document()} if isinstance(done.done, Phrase) else kept


def _read(kept: dict[str, Any]) -> Done:
    return Done(action=kept["action"], done=read_phrase(kept["phrase"]) if "phrase" in kept else kept["done"])
