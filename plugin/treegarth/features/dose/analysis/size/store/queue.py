"""Which series wait to be measured: note them, claim one, record how it went. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.parameters import is_among
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.features.dose.registry.tables import dose_study
from treegarth.index.tables import instance, series, study
from treegarth.tasks import leases

CT = "CT"
WAITING, MEASURED, NONE, FAILED = "waiting", "measured", "none", "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """The right to measure one series until the lease ends. `noted_count` tells whether it came to rest anew since."""

    orthanc_series_id: str
    orthanc_study_id: str
    noted_count: int
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image of a series, as the index has it."""

    orthanc_instance_id: str
    sop_class_uid: str | None
    image_type: Sequence[str] | None
    instance_number: int | None


_OF_SERIES = ("series_instance_uid", "series_number", "series_description", "body_part_examined")


def note_series(connection: Connection, orthanc_series_ids: Sequence[str]) -> int:
    """Those of these series that are of CT wait to be measured, also those that were; how many there are."""
    columns = [series.c.orthanc_series_id, study.c.orthanc_study_id, study.c.study_instance_uid]
    found = (
        select(*columns, *(series.c[name] for name in _OF_SERIES))
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(is_among(series.c.orthanc_series_id, orthanc_series_ids), series.c.modality == CT)
        .order_by(series.c.orthanc_series_id)
    )
    names = [column.name for column in found.selected_columns]
    statement = insert(series_ssde).from_select(names, found)
    again = {"state": WAITING, "attempts": 0, "next_attempt_at": func.now(), "last_error": None}
    noted = statement.on_conflict_do_update(
        index_elements=[series_ssde.c.orthanc_series_id],
        set_={name: statement.excluded[name] for name in names if name != "orthanc_series_id"}
        | again
        | {"noted_count": series_ssde.c.noted_count + 1},
    )
    return connection.execute(noted).rowcount


def claim_next(connection: Connection, now: datetime, lease: timedelta) -> Claim | None:
    """Claim the series that has waited longest; commit before measuring it. None when none is due."""
    columns = [series_ssde.c[name] for name in Claim.__dataclass_fields__]
    waits = series_ssde.c.state == WAITING
    claimed = leases.claim(connection, series_ssde, now, lease, waits, limit=1, returning=columns)
    return Claim(**claimed[0]._mapping) if claimed else None


def images_of(connection: Connection, orthanc_series_id: str) -> list[Image]:
    """The objects of a series, in the order of their numbers."""
    query = (
        select(*(instance.c[name] for name in Image.__dataclass_fields__))
        .where(instance.c.orthanc_series_id == orthanc_series_id)
        .order_by(instance.c.instance_number.asc().nulls_last(), instance.c.orthanc_instance_id)
    )
    return [Image(**row._mapping) for row in connection.execute(query)]


def write(connection: Connection, claim: Claim, values: Mapping[str, Any]) -> bool:
    """What came of measuring; whether the claim still stands."""
    return connection.execute(update(series_ssde).where(*_held(claim)).values(**values)).rowcount > 0


def forget(connection: Connection, claim: Claim) -> None:
    """The series left before it could be measured: what was measured of it before stays, else its row goes."""
    nothing = series_ssde.c.measured_at.is_(None)
    connection.execute(delete(series_ssde).where(*_held(claim), nothing))
    has_slices = update(series_ssde).where(*_held(claim), series_ssde.c.slices.is_not(None))
    connection.execute(has_slices.values(state=MEASURED))
    connection.execute(update(series_ssde).where(*_held(claim)).values(state=NONE))


def give_back(connection: Connection, claim: Claim, now: datetime) -> None:
    """Its worker ends: another one may begin at once, and it was no attempt."""
    values = {"attempts": series_ssde.c.attempts - 1, "next_attempt_at": now}
    connection.execute(update(series_ssde).where(*_held(claim)).values(**values))


def record_failure(connection: Connection, claim: Claim, reason: str, next_attempt_at: datetime | None) -> None:
    """The attempt failed: try again at that time, or, with None, leave it to a person."""
    ends: dict[str, Any] = {"state": FAILED} if next_attempt_at is None else {"next_attempt_at": next_attempt_at}
    connection.execute(update(series_ssde).where(*_held(claim)).values(last_error=reason, **ends))


def retry_failed(connection: Connection) -> int:
    """Let every failed series wait to be measured once more; how many there were."""
    again = update(series_ssde).where(series_ssde.c.state == FAILED)
    return connection.execute(again.values(state=WAITING, attempts=0, next_attempt_at=func.now())).rowcount


def forget_studies(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Of studies that left with all they had nothing is kept, but where their dose is."""
    has_dose = exists().where(dose_study.c.orthanc_study_id == series_ssde.c.orthanc_study_id)
    gone = delete(series_ssde).where(is_among(series_ssde.c.orthanc_study_id, orthanc_study_ids), ~has_dose)
    connection.execute(gone)


def count_waiting(connection: Connection) -> int:
    """How many series wait to be measured."""
    return connection.execute(select(func.count()).where(series_ssde.c.state == WAITING)).scalar_one()


def count_failed(connection: Connection) -> int:
    """How many series need a person; there is an index of those that were not measured."""
    return connection.execute(select(func.count()).where(series_ssde.c.state == FAILED)).scalar_one()


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        series_ssde.c.orthanc_series_id == claim.orthanc_series_id,
        series_ssde.c.noted_count == claim.noted_count,
        series_ssde.c.attempts == claim.attempts,
        series_ssde.c.state == WAITING,
    )
