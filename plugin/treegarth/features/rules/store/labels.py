"""Which labels of studies Orthanc is still to be told. Queries only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, update

from treegarth.index.tables import label_change
from treegarth.tasks import leases


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelChange:
    """What Orthanc's own labels do not say yet. `attempts` counts this one."""

    orthanc_study_id: str
    label: str
    is_set: bool
    attempts: int


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
