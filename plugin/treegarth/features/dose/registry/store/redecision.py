"""Decide every study anew from the rows that were read: how far it is, and what it changed. Queries only.

A long work that begins by itself after an upgrade that decides otherwise (`DECIDER_VERSION`), or when somebody asks for
it. What arrives meanwhile is decided too; objects that have left the archive are not needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, text

from treegarth.features.dose.quantities import BEST, best_column
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.store.limits import decider_version
from treegarth.features.dose.registry.tables import dose_redecided, dose_study
from treegarth.index.names import OfNamedStudy
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork, LongWork, start
from treegarth.work.tables import long_work

BATCH = 200
"""Studies that one transaction decides."""

SAME_PART = 1e-9
"""A dose that differs by less was only added in another order."""

KIND = "dose.redeciding"

USUAL_PACE = 300.0
"""Studies a second where none was measured yet: between a busy machine and a quiet one (docs/dose.md)."""

FEW = 10_000
"""Studies that are counted within a few milliseconds."""

# As a text: the table's statistics are in PostgreSQL's catalogue, of which SQLAlchemy has no table.
_RECKONED = text("SELECT reltuples FROM pg_class WHERE oid = CAST('dose_study' AS regclass)")
_BEST = [one.column for one in BEST.values()]
# The store path's locks go first: whoever waits for them here gives up and comes again.
_GIVE_WAY = text("SET LOCAL lock_timeout = '300ms'")


class ChangedDose(OfNamedStudy):
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


def start_redeciding(connection: Connection, by: str | None, now: datetime) -> LongWork:
    """The one that runs now: a new one, or the one that was not finished."""
    return start(connection, KIND, by=by, now=now, total=count_studies(connection))


def is_to_redecide(connection: Connection, now: datetime) -> bool:
    """Whether some study was decided by another version. Two looks into the index: the versions below and above."""
    version, now_decides = dose_study.c.decider_version, decider_version(connection)
    return any(
        connection.execute(select(version).where(which).limit(1)).first() is not None
        for which in (version.is_(None), version < now_decides, version > now_decides)
    )


def decide_on(connection: Connection, work: ClaimedWork, now: datetime, *, count: int = BATCH) -> Block:
    """Decide the next studies anew and note what changes.

    Raises DatabaseUnavailable where somebody holds one of them: nothing is lost, the next block takes the same ones.
    """
    connection.execute(_GIVE_WAY)
    after = [] if work.place is None else [dose_study.c.orthanc_study_id > work.place]
    query = select(dose_study.c.orthanc_study_id).where(*after).order_by(dose_study.c.orthanc_study_id).limit(count)
    studies = list(connection.execute(query).scalars())
    before = _rows(connection, studies)
    if studies:
        decide_studies(connection, studies, now)
    changes = _changes(before, _rows(connection, studies))
    if changes:
        connection.execute(insert(dose_redecided), [{"work_id": work.id, **one} for one in changes])
    is_last = len(studies) < count
    return Block(
        done=len(studies),
        counts={"changed": len({one["orthanc_study_id"] for one in changes})},
        place=studies[-1] if studies else work.place,
        total=work.done + len(studies) if is_last else None,
        ends="done" if is_last else None,
    )


def select_changes(*, ordered_by: str = "") -> Select[Any]:
    """What the latest one changed, in no order. What is told of the study is looked up for the rows of a page alone,
    but where it is what they are to be ordered by: PostgreSQL makes a join from the first study on for every page."""
    latest = select(func.max(long_work.c.id)).where(long_work.c.kind == KIND).scalar_subquery()
    columns = [dose_redecided.c[name] for name in ChangedDose.model_fields if name in dose_redecided.c]
    of_study = dose_study.c.orthanc_study_id == dose_redecided.c.orthanc_study_id
    told = [dose_study.c[name] for name in OF_STUDY]
    if ordered_by in OF_STUDY:
        query = select(*columns, *told).join_from(dose_redecided, dose_study, of_study, isouter=True)
    else:
        query = select(*columns, *(select(one).where(of_study).scalar_subquery().label(one.name) for one in told))
    return query.where(dose_redecided.c.work_id == latest)


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
            if not _same(was, now) or (new is not None and _doubts(old, quantity) != _doubts(new, quantity)):
                found.append(_change(old, quantity, was, now, _why(new, quantity)))
        if new is not None and new.replaced_by != old.replaced_by:
            was, now = (None if row.replaced_by else 1.0 for row in (old, new))
            why = f"replaced by {new.replaced_by}" if new.replaced_by else "counts"
            found.append(_change(old, "study", was, now, why))
    return found


def _doubts(row: Row[Any], quantity: str) -> set[str] | None:
    """None of a row of a version that knew of none."""
    return None if row.doubts is None else {one for one in row.doubts if one.startswith(f"{quantity}:")}


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
