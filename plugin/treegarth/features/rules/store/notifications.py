"""What somebody is to be told: rows that wait. Queries only; sending them is another part's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from treegarth.conditions.action import Occasion
from treegarth.conditions.model import Value
from treegarth.features.rules.tables import notification
from treegarth.index.studies import StudyKey


def add_notifications(
    connection: Connection,
    occasion: Occasion,
    targets: Sequence[tuple[str, str]],
    *,
    title: str,
    content: Mapping[str, Any],
) -> int:
    """Write one row for each channel and target; how many there are."""
    rows = [
        {
            "rule_id": occasion.rule_id,
            "orthanc_study_id": occasion.orthanc_study_id,
            "study_instance_uid": occasion.study_instance_uid,
            "channel": channel,
            "target": target,
            "title": title,
            "content": dict(content),
            "matched": [
                {"field": one.field.name, "values": [_kept(value) for value in one.values]} for one in occasion.matched
            ],
            "created_at": occasion.now,
            "next_attempt_at": occasion.now,
        }
        for channel, target in targets
    ]
    if rows:
        connection.execute(insert(notification), rows)
    return len(rows)


def tell_of_study(
    connection: Connection,
    targets: Sequence[tuple[str, str]],
    *,
    study: StudyKey,
    title: str,
    content: Mapping[str, Any],
    now: datetime,
) -> int:
    """The same of what no rule says: another part of the house tells of a study. `content` may have `about`, by which
    it is settled, and `path`, the page of the dashboard that it is about; how many rows there are."""
    rows = [
        {
            "orthanc_study_id": study.orthanc_study_id,
            "study_instance_uid": study.study_instance_uid,
            "channel": channel,
            "target": target,
            "title": title,
            "content": dict(content),
            "created_at": now,
            "next_attempt_at": now,
        }
        for channel, target in targets
    ]
    if rows:
        connection.execute(insert(notification), rows)
    return len(rows)


def _kept(value: Value) -> str | float | bool:
    """A value as JSON has it."""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, timedelta) else value
