"""Rules applied to the archive as it is: how far, how many, stopped or not. Queries only.

The walk goes through the studies in the order of Orthanc's identifiers and notes events in blocks; who handles the
events counts them here. It is done when the walk has ended and no event of the rule waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import computed_field
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from treegarth.features.rules.tables import rule_application
from treegarth.record import Record
from treegarth.tasks.leases import unlocked

_WALKED = "~"  # behind every identifier of Orthanc: the walk has ended


class Application(Record):
    """One application. `total` studies matched when it was started, or were handled where more match since; `applied`
    were looked at again and acted on."""

    id: int
    rule_id: int
    version: int
    """Of the rule, when it was started; what acts is always the latest."""
    started_by: str | None
    started_at: datetime
    total: int
    """Studies that the rule meant when it was started."""
    applied: int
    """Studies that were looked at and acted on."""
    failed: int
    last_error: str | None
    is_walked: bool
    """Whether every study has been noted."""
    stopped_by: str | None
    """Who stopped it ("" without a login); null where nobody did."""
    finished_at: datetime | None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_running(self) -> bool:
        return self.finished_at is None


def start_application(
    connection: Connection, *, rule_id: int, version: int, total: int, by: str | None, now: datetime
) -> int:
    """The number of the rule's application that runs now: a new one. The caller saw that none runs."""
    values = {"rule_id": rule_id, "version": version, "started_by": by, "started_at": now, "total": total}
    made = insert(rule_application).values(**values).returning(rule_application.c.id)
    return int(connection.execute(made).scalar_one())


def latest_application(connection: Connection, rule_id: int) -> Application | None:
    """The rule's latest application; None where it never was applied."""
    found = _select(connection, rule_application.c.rule_id == rule_id, limit=1)
    return found[0] if found else None


def running_applications(connection: Connection) -> list[Application]:
    """Those that are not finished."""
    return _select(connection, rule_application.c.finished_at.is_(None), limit=1000)


def walked_to(connection: Connection, application_id: int) -> str | None:
    """Where the walk stands; None once it has ended, or the application has, or another worker is at it. Locks it."""
    query = select(func.coalesce(rule_application.c.walked_to, "")).where(
        rule_application.c.id == application_id, rule_application.c.finished_at.is_(None)
    )
    place = connection.execute(unlocked(query)).scalar_one_or_none()
    return None if place == _WALKED else place


def record_walk(connection: Connection, application_id: int, studies: Sequence[str], *, is_end: bool) -> None:
    """These studies were noted."""
    place = _WALKED if is_end else studies[-1]
    connection.execute(update(rule_application).where(rule_application.c.id == application_id).values(walked_to=place))


def count_applied(connection: Connection, rule_id: int) -> None:
    """One more study of the running application was handled."""
    ours = (rule_application.c.rule_id == rule_id, rule_application.c.finished_at.is_(None))
    connection.execute(update(rule_application).where(*ours).values(applied=rule_application.c.applied + 1))


def count_failed(connection: Connection, rule_id: int, reason: str) -> None:
    """One more study of the running application was given up."""
    ours = (rule_application.c.rule_id == rule_id, rule_application.c.finished_at.is_(None))
    values = {"failed": rule_application.c.failed + 1, "last_error": reason}
    connection.execute(update(rule_application).where(*ours).values(**values))


def finish_application(connection: Connection, application_id: int, now: datetime) -> bool:
    """Say that it is done, where its walk has ended; whether it is. The caller saw that no event waits."""
    done = connection.execute(
        update(rule_application)
        .where(
            rule_application.c.id == application_id,
            rule_application.c.finished_at.is_(None),
            rule_application.c.walked_to == _WALKED,
        )
        .values(finished_at=now)
    )
    return done.rowcount == 1


def stop_application(connection: Connection, rule_id: int, by: str | None, now: datetime) -> bool:
    """End the rule's running application; whether there was one."""
    ours = (rule_application.c.rule_id == rule_id, rule_application.c.finished_at.is_(None))
    stopped = update(rule_application).where(*ours).values(finished_at=now, stopped_by=by or "")
    return connection.execute(stopped).rowcount == 1


def _select(connection: Connection, condition: ColumnElement[bool], *, limit: int) -> list[Application]:
    columns = rule_application.c
    names = [name for name in Application.model_fields if name not in ("is_walked", "total")]
    total = func.greatest(columns.total, columns.applied + columns.failed).label("total")
    query = (
        select(total, *(columns[name] for name in names), (columns.walked_to == _WALKED).label("ended"))
        .where(condition)
        .order_by(rule_application.c.id.desc())
        .limit(limit)
    )
    return [
        Application(**{name: row._mapping[name] for name in ("total", *names)}, is_walked=bool(row.ended))
        for row in connection.execute(query)
    ]
