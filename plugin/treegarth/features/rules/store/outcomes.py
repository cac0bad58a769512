"""What rules did: each time a rule matched a study. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import field_validator
from sqlalchemy import Connection, Select, func, insert, select

from treegarth.features.rules.tables import rule, rule_outcome
from treegarth.index.names import OfNamedStudy
from treegarth.index.studies import OfStudy, is_of
from treegarth.phrases import Phrase, read_phrase
from treegarth.record import Record


class Done(Record):
    """What one action did, in words and numbers; a phrase, where the action said one."""

    action: str
    done: str
    """In words and numbers."""


class Outcome(OfNamedStudy):
    """A rule matched a study."""

    id: int
    """In the order in which rules did it."""
    rule_id: int
    rule_name: str
    version: int
    """Of the rule, when it did it."""
    trigger: str
    """`study stable`, `series stable`, `dose read`, `schedule` or `by hand`."""
    orthanc_study_id: str
    study_instance_uid: str
    decided_at: datetime
    asked_by: str | None
    """The user who applied the rule; null: nobody did."""
    actions: list[Done]

    @field_validator("actions", mode="before")
    @classmethod
    def _said(cls, given: Sequence[Any]) -> list[Any]:
        """As they are kept; see `write_outcome`."""
        return [_read(one) if isinstance(one, dict) else one for one in given]


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


def select_outcomes(
    *, study: OfStudy | None = None, rule_id: int | None = None, trigger: str | None = None
) -> Select[Any]:
    """What rules did, in no order."""
    names = [name for name in Outcome.model_fields if name in rule_outcome.c]
    query: Select[Any] = select(*(rule_outcome.c[name] for name in names), rule.c.name.label("rule_name")).join(
        rule, rule.c.id == rule_outcome.c.rule_id
    )
    if study is not None:
        query = query.where(is_of(rule_outcome, study))
    if rule_id is not None:
        query = query.where(rule_outcome.c.rule_id == rule_id)
    return query if trigger is None else query.where(rule_outcome.c.trigger == trigger)


def _kept(done: Done) -> dict[str, Any]:
    """The English words, and what they were made of: rows are read for longer than sentences stay as they are."""
    kept = {"action": done.action, "done": done.done}
    return {**kept, "phrase": done.done.document()} if isinstance(done.done, Phrase) else kept


def _read(kept: dict[str, Any]) -> Done:
    return Done(action=kept["action"], done=read_phrase(kept["phrase"]) if "phrase" in kept else kept["done"])
