"""Decide every study anew from the rows that were read: how far it is, and what it changed. Queries only.

It begins by itself after an upgrade that decides otherwise (`DECIDER_VERSION`), or when somebody asks for it. Every
batch is one transaction with the place that it reached; objects that have left the archive are not needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import computed_field
from sqlalchemy import Connection, Row, Select, func, insert, select, text, update

from treegarth.features.dose.quantities import BEST, best_column
from treegarth.features.dose.reading.model import DECIDER_VERSION
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.tables import dose_redecided, dose_redeciding, dose_study
from treegarth.record import Record

BATCH = 200
"""Studies that one transaction decides."""

SAME_PART = 1e-9
"""A dose that differs by less was only added in another order."""

USUAL_PACE = 300.0
"""Studies a second where none was measured yet: between a busy machine and a quiet one (docs/dose.md)."""

FEW = 10_000
"""Studies that are counted within a few milliseconds."""

# As a text: the table's statistics are in PostgreSQL's catalogue, of which SQLAlchemy has no table.
_RECKONED = text("SELECT reltuples FROM pg_class WHERE oid = CAST('dose_study' AS regclass)")
_BEST = [one.column for one in BEST.values()]
# The store path's locks go first: whoever waits for them here gives up and comes again.
_SPENT = func.extract("epoch", func.clock_timestamp() - func.now())  # seconds since the transaction began
_GIVE_WAY = text("SET LOCAL lock_timeout = '300ms'")


class RedecidingProgress(Record):
    """The latest deciding anew: how many of how many studies, and how many have another dose than before.

    What arrives meanwhile is decided too: `study_count` is never less than `decided`, and the same at the end.
    """

    id: int
    decider_version: int
    started_by: str | None
    """Null where it began by itself, after an upgrade."""
    started_at: datetime
    finished_at: datetime | None
    """Null while it runs."""
    study_count: int
    """As many as there were when it began, or as it has decided where more have arrived since; at the end both are
    the same."""
    decided: int
    changed: int
    """Studies whose best known dose is not the same as before."""
    deciding_s: float | None
    """Seconds spent deciding, without those that it waited; null where it was not measured."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_running(self) -> bool:
        return self.finished_at is None

    @property
    def pace(self) -> float | None:
        """Studies a second of the time spent deciding: it may have waited for hours in between. None before its first
        batch, and of one that was not measured."""
        return self.decided / self.deciding_s if self.decided and self.deciding_s else None

    @property
    def seconds_left(self) -> float | None:
        """Of deciding, at its own pace; None where that or what is left is not known."""
        left = self.study_count - self.decided
        return left / self.pace if left > 0 and self.pace else None


class ChangedDose(Record):
    """A dose that is another one since, and why."""

    study_instance_uid: str
    """(0020,000D)"""
    orthanc_study_id: str
    patient_id: str | None
    """(0010,0020); null where nothing is left of the study."""
    study_date: date | None
    """(0008,0020); null where nothing is left of the study."""
    quantity: str
    """As in `best` of a study, with the unit at its end; `study` where the study itself counts no more, or again."""
    before: float | None
    after: float | None
    why: str
    """The rule, the origin and the doubts."""


def start_redeciding(connection: Connection, started_by: str | None, now: datetime) -> int:
    """The identifier of the one that runs now: a new one, or the one that was not finished."""
    connection.execute(select(func.pg_advisory_xact_lock(7_314)))
    running = running_redeciding(connection)
    if running is not None:
        return running
    count = count_studies(connection)
    values = {
        "decider_version": DECIDER_VERSION,
        "started_by": started_by,
        "started_at": now,
        "study_count": count,
        "deciding_s": 0.0,
    }
    made = insert(dose_redeciding).values(**values).returning(dose_redeciding.c.id)
    return int(connection.execute(made).scalar_one())


def running_redeciding(connection: Connection) -> int | None:
    """The one that was not finished, if there is one."""
    query = select(dose_redeciding.c.id).where(dose_redeciding.c.finished_at.is_(None))
    return connection.execute(query).scalar_one_or_none()


def is_to_redecide(connection: Connection) -> bool:
    """Whether some study was decided by another version. Two looks into the index: the versions below and above."""
    version = dose_study.c.decider_version
    return any(
        connection.execute(select(version).where(which).limit(1)).first() is not None
        for which in (version.is_(None), version < DECIDER_VERSION, version > DECIDER_VERSION)
    )


def decide_on(connection: Connection, redeciding: int, now: datetime, *, count: int = BATCH) -> bool:
    """Decide the next studies anew and note what changes. False at the end.

    Raises DatabaseUnavailable where somebody holds one of them: nothing is lost, the next call takes the same ones.
    """
    connection.execute(_GIVE_WAY)
    state = connection.execute(
        select(dose_redeciding).where(dose_redeciding.c.id == redeciding).with_for_update()
    ).one()
    if state.finished_at is not None:
        return False
    after = [] if state.walked_to is None else [dose_study.c.orthanc_study_id > state.walked_to]
    query = select(dose_study.c.orthanc_study_id).where(*after).order_by(dose_study.c.orthanc_study_id).limit(count)
    studies = list(connection.execute(query).scalars())
    before = _rows(connection, studies)
    if studies:
        decide_studies(connection, studies, now)
    changes = _changes(before, _rows(connection, studies))
    if changes:
        connection.execute(insert(dose_redecided), [{"redeciding_id": redeciding, **one} for one in changes])
    decided, is_last = state.decided + len(studies), len(studies) < count
    values: dict[str, Any] = {
        "decided": decided,
        "study_count": decided if is_last else max(state.study_count, decided),
        "changed": state.changed + len({one["orthanc_study_id"] for one in changes}),
        "deciding_s": dose_redeciding.c.deciding_s + _SPENT,
        "walked_to": studies[-1] if studies else state.walked_to,
        "finished_at": now if is_last else None,
    }
    connection.execute(update(dose_redeciding).where(dose_redeciding.c.id == redeciding).values(**values))
    return not is_last


def redeciding_progress(connection: Connection) -> RedecidingProgress | None:
    """The latest; None when there was none."""
    names = RedecidingProgress.model_fields.keys() - {"study_count"}
    count = func.greatest(dose_redeciding.c.study_count, dose_redeciding.c.decided).label("study_count")
    columns = [count, *(dose_redeciding.c[name] for name in names)]
    row = connection.execute(select(*columns).order_by(dose_redeciding.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else RedecidingProgress(**row._mapping)


def select_changes(*, ordered_by: str = "") -> Select[Any]:
    """What the latest one changed, in no order. What is told of the study is looked up for the rows of a page alone,
    but where it is what they are to be ordered by: PostgreSQL makes a join from the first study on for every page."""
    latest = select(func.max(dose_redeciding.c.id)).scalar_subquery()
    columns = [dose_redecided.c[name] for name in ChangedDose.model_fields if name in dose_redecided.c]
    of_study = dose_study.c.orthanc_study_id == dose_redecided.c.orthanc_study_id
    told = [dose_study.c[name] for name in OF_STUDY]
    if ordered_by in OF_STUDY:
        query = select(*columns, *told).join_from(dose_redecided, dose_study, of_study, isouter=True)
    else:
        query = select(*columns, *(select(one).where(of_study).scalar_subquery().label(one.name) for one in told))
    return query.where(dose_redecided.c.redeciding_id == latest)


OF_STUDY = ("patient_id", "study_date")
"""What a change tells of its study as it is now."""


def count_studies(connection: Connection) -> int:
    """How many studies there are to decide anew."""
    return connection.execute(select(func.count()).select_from(dose_study)).scalar_one()


def count_studies_about(connection: Connection) -> int:
    """The same for a page that asks again and again: of many what PostgreSQL reckons, to two digits."""
    reckoned = int(connection.execute(_RECKONED).scalar_one())
    return round(reckoned, 2 - len(str(reckoned))) if reckoned > FEW else count_studies(connection)


def _rows(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, Row[Any]]:
    names = ("orthanc_study_id", "study_instance_uid", "rule", "origins", "doubts", "replaced_by", *_BEST)
    query = select(*(dose_study.c[name] for name in names))
    rows = connection.execute(query.where(dose_study.c.orthanc_study_id.in_(orthanc_study_ids)))
    return {row.orthanc_study_id: row for row in rows}


def _changes(before: dict[str, Row[Any]], after: dict[str, Row[Any]]) -> list[dict[str, Any]]:
    found = []
    for study, old in before.items():
        new = after.get(study)
        for quantity in BEST:
            was = getattr(old, best_column(quantity))
            now = None if new is None else getattr(new, best_column(quantity))
            if not _same(was, now):
                found.append(_change(old, quantity, was, now, _why(new, quantity)))
        if new is not None and new.replaced_by != old.replaced_by:
            was, now = (None if row.replaced_by else 1.0 for row in (old, new))
            why = f"replaced by {new.replaced_by}" if new.replaced_by else "counts"
            found.append(_change(old, "study", was, now, why))
    return found


def _change(row: Row[Any], quantity: str, before: float | None, after: float | None, why: str) -> dict[str, Any]:
    which = {"orthanc_study_id": row.orthanc_study_id, "study_instance_uid": row.study_instance_uid}
    return {**which, "quantity": quantity, "before": before, "after": after, "why": why}


def _why(row: Row[Any] | None, quantity: str) -> str:
    if row is None:
        return "no source is left"
    said = [
        one.split(":", 1)[1] for one in (*(row.origins or ()), *(row.doubts or ())) if one.startswith(f"{quantity}:")
    ]
    return "; ".join([row.rule, *said])


def _same(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return abs(before - after) <= SAME_PART * max(abs(before), abs(after))
