"""Labels of studies, and which of them Orthanc is still to be told. Queries only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.rules.tables import label_change, study_label
from treegarth.record import Record
from treegarth.tasks import leases

_ORTHANC_TAKES = re.compile(r"[A-Za-z0-9_-]{1,64}")


class StudyLabel(Record):
    """A label of a study, and who put it there: a user, or a rule by its name."""

    label: str
    set_by: str | None
    """A user, or a rule by its name; null without a login."""
    set_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelChange:
    """What Orthanc's own labels do not say yet. `attempts` counts this one."""

    orthanc_study_id: str
    label: str
    is_set: bool
    attempts: int


def change_labels(
    connection: Connection, orthanc_study_id: str, labels: Iterable[str], *, is_set: bool, by: str | None, now: datetime
) -> list[str]:
    """Set or take off these labels; those that were not so before. Orthanc is told later, what it can take."""
    wanted = sorted(set(labels))
    if not wanted:
        return []
    if is_set:
        rows = [{"orthanc_study_id": orthanc_study_id, "label": one, "set_by": by, "set_at": now} for one in wanted]
        statement = insert(study_label).values(rows).on_conflict_do_nothing().returning(study_label.c.label)
        changed = sorted(connection.execute(statement).scalars())
    else:
        ours = (study_label.c.orthanc_study_id == orthanc_study_id, study_label.c.label.in_(wanted))
        changed = sorted(connection.execute(delete(study_label).where(*ours).returning(study_label.c.label)).scalars())
    _note(connection, orthanc_study_id, [one for one in changed if _ORTHANC_TAKES.fullmatch(one)], is_set, now)
    return changed


def _note(connection: Connection, orthanc_study_id: str, labels: Sequence[str], is_set: bool, now: datetime) -> None:
    if not labels:
        return
    rows = [
        {"orthanc_study_id": orthanc_study_id, "label": one, "is_set": is_set, "next_attempt_at": now} for one in labels
    ]
    statement = insert(label_change).values(rows)
    again = {"is_set": statement.excluded.is_set, "attempts": 0, "next_attempt_at": statement.excluded.next_attempt_at}
    connection.execute(statement.on_conflict_do_update(index_elements=list(label_change.primary_key), set_=again))


def list_labels(connection: Connection, orthanc_study_id: str) -> list[StudyLabel]:
    """The labels of a study, sorted."""
    columns = (study_label.c.label, study_label.c.set_by, study_label.c.set_at)
    query = select(*columns).where(study_label.c.orthanc_study_id == orthanc_study_id).order_by(study_label.c.label)
    return [StudyLabel(**row._mapping) for row in connection.execute(query)]


def known_labels(connection: Connection, *, limit: int = 500) -> list[str]:
    """Every label that some study has, sorted."""
    query = select(study_label.c.label).distinct().order_by(study_label.c.label).limit(limit)
    return list(connection.execute(query).scalars())


def claim_changes(connection: Connection, now: datetime, lease: timedelta, *, limit: int) -> list[LabelChange]:
    """Claim what Orthanc is to be told; commit before telling it."""
    columns = [label_change.c[name] for name in LabelChange.__dataclass_fields__]
    claimed = leases.claim(connection, label_change, now, lease, limit=limit, returning=columns)
    return [LabelChange(**row._mapping) for row in claimed]


def finish_change(connection: Connection, change: LabelChange) -> None:
    """Orthanc says it now. A change that was noted meanwhile stays."""
    connection.execute(delete(label_change).filter_by(**asdict(change)))


def put_off_change(connection: Connection, change: LabelChange, until: datetime) -> None:
    """Orthanc did not take it. A change that was noted meanwhile keeps its turn."""
    connection.execute(update(label_change).filter_by(**asdict(change)).values(next_attempt_at=until))


def forget_changes(connection: Connection) -> None:
    """This Orthanc has no labels of its own."""
    connection.execute(delete(label_change))


def forget_labels(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """These studies are gone, and with them what was said of them."""
    for table in (study_label, label_change):
        connection.execute(delete(table).where(table.c.orthanc_study_id.in_(orthanc_study_ids)))
