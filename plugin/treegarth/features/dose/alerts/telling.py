"""What an alert tells: to the bell of the dashboard, by e-mail and by webhook. Pure, but for what it is lent.

What leaves the house names no patient: the level, the quantity, value and limit, and the UID of the exam, by which a
person with a login opens the alert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from treegarth.features.dose.alerts.findings import Finding
from treegarth.features.dose.alerts.levels import Level
from treegarth.index.studies import StudyKey

ALERT_PATH = "/treegarth/dose/alerts/{dose_alert_id}"


@dataclass(frozen=True, kw_only=True)
class Telling:
    """The ways out that another feature lends: rows that wait there to be sent, and are sent once."""

    tell: Callable[..., object]
    settle: Callable[[Connection, str, str | None, datetime], object]


def about(alert_id: int) -> str:
    """By what the notices of an alert are known."""
    return f"dose alert {alert_id}"


def tell(connection: Connection, telling: Telling, level: Level, alert_id: int, found: Finding, now: datetime) -> None:
    """Write down that the level's targets are to be told, in the transaction that makes the alert."""
    exam = found.began
    telling.tell(
        connection,
        level.targets,
        study=StudyKey(orthanc_study_id=exam.orthanc_study_id, study_instance_uid=exam.study_instance_uid),
        title=level.name,
        content={"about": about(alert_id), **content(level, alert_id, found, now)},
        now=now,
    )


def content(level: Level, alert_id: int, found: Finding, now: datetime) -> dict[str, Any]:
    """What is told, with no patient in it."""
    return {
        "event": "dose alert",
        "alert": alert_id,
        "kind": level.kind,
        "quantity": level.shown.label,
        "value": _rounded(found.value),
        "limit": _rounded(found.limit),
        "unit": level.shown.unit,
        "exams": len(found.exams),
        "lacks": list(found.details.get("lacks", ())) or None,
        "why": level.says.reason,
        "study_instance_uid": found.began.study_instance_uid,
        "orthanc_study_id": found.began.orthanc_study_id,
        "path": ALERT_PATH.format(dose_alert_id=alert_id),
        "at": now.isoformat(),
    }


def _rounded(value: float) -> float:
    """Six significant digits: more are of no dose."""
    return float(f"{value:.6g}")
