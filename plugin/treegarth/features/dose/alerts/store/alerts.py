"""Alerts: made once, brought up to date, ended and taken up again, and what people did about them. Queries only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from treegarth.database.parameters import is_among, is_among_numbers
from treegarth.errors import NotFound
from treegarth.features.dose.alerts.decision import Standing
from treegarth.features.dose.alerts.findings import Finding, Patient
from treegarth.features.dose.alerts.levels import AlertKind, Level
from treegarth.features.dose.alerts.tables import (
    dose_alert,
    dose_alert_exam,
    dose_alert_history,
    dose_alert_level,
)
from treegarth.features.dose.registry.tables import dose_study
from treegarth.index.names import OfNamedStudy, with_names
from treegarth.index.studies import OfStudy, is_of
from treegarth.phrases import P_
from treegarth.record import Record

State: TypeAlias = Literal["open", "acknowledged", "ended"]
ActName: TypeAlias = Literal["fired", "ended", "again", "moved", "acknowledge", "assign", "comment", "reopen"]
COUNTED = 10_000
"""Open alerts are counted no further, and it is said so."""

STATE = case((dose_alert.c.state == "acknowledged", "acknowledged"), (dose_alert.c.holds, "open"), else_="ended")
"""`open`, `acknowledged` or `ended`, as answers have it."""
IS_OPEN = and_(dose_alert.c.state == "open", dose_alert.c.holds)


class Alert(OfNamedStudy):
    """Something that was above a level."""

    id: int
    level_id: int
    level_name: str
    """As it is called now."""
    kind: AlertKind
    quantity: str
    """The quantity; `exams` of repeats, `lacks` of a missing dose."""
    orthanc_study_id: str
    """The exam that made it."""
    study_instance_uid: str
    """(0020,000D)"""
    modality: str | None
    value: float | None
    """In `unit`; of repeats how many exams, of a missing dose after how many hours."""
    limit_value: float | None
    """Above which it fired; of repeats how many exams do; of outliers as it was then."""
    unit: str
    exam_count: int
    """How many exams make the value."""
    details: dict[str, Any]
    """What else the level said: the window, the percentile, of how many others, what lacks."""
    grouped_by: str
    """Of repeats the name that the exams share."""
    is_doubted: bool
    """Some value in it has a doubt."""
    state: State
    """`open`; `acknowledged`; `ended`: it is no longer so, and nobody had acknowledged it."""
    holds: bool
    """False: it is no longer so, for a dose was corrected, left out or moved."""
    assignee: str | None
    fired_at: datetime
    changed_at: datetime


class AlertExam(OfNamedStudy):
    """An exam that makes an alert's value."""

    orthanc_study_id: str
    study_instance_uid: str
    """(0020,000D)"""
    study_date: date | None
    study_time: time | None
    value: float | None
    """In the alert's unit."""
    is_doubted: bool


class AlertEvent(Record):
    """What happened to an alert: by itself, or by a person."""

    id: int
    act: ActName
    by: str | None
    """Null without a login, and where it happened by itself."""
    is_by_itself: bool
    at: datetime
    reason: str | None
    assignee: str | None
    content: dict[str, Any]
    """Its value, its limit and its exam, as they were then."""


def _query() -> Select[Any]:
    own: dict[str, ColumnElement[Any]] = {
        "level_name": dose_alert_level.c.name.label("level_name"),
        "state": STATE.label("state"),
    }
    named = OfNamedStudy.model_fields
    names = [name for name in Alert.model_fields if name not in named]
    columns = [own[name] if name in own else dose_alert.c[name] for name in names]
    return select(*columns).join(dose_alert_level, dose_alert_level.c.id == dose_alert.c.level_id)


def select_alerts(
    *,
    state: State | None = None,
    kind: AlertKind | None = None,
    level_id: int | None = None,
    modality: str | None = None,
    assignee: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    of_study: OfStudy | None = None,
) -> Select[Any]:
    """Alerts, in no order. Of a study: those that it made, and those of which it is one of the exams."""
    row, query = dose_alert.c, _query()
    conditions: list[ColumnElement[bool]] = []
    if state is not None:
        conditions.append(IS_OPEN if state == "open" else STATE.in_([state]))
    if kind is not None:
        conditions.append(row.kind == kind)
    if level_id is not None:
        conditions.append(row.level_id == level_id)
    if modality is not None:
        conditions.append(row.modality == modality)
    if assignee is not None:
        conditions.append(row.assignee == assignee)
    if since is not None:
        conditions.append(row.fired_at >= since)
    if before is not None:
        conditions.append(row.fired_at < before)
    if of_study is not None:
        conditions.append(_is_of(of_study))
    return query.where(*conditions)


def _is_of(of_study: OfStudy) -> ColumnElement[bool]:
    among = exists().where(dose_alert_exam.c.alert_id == dose_alert.c.id, is_of(dose_alert_exam, of_study))
    return among.correlate(dose_alert)


def read_alert(connection: Connection, alert_id: int, *, for_change: bool = False) -> Alert:
    """Raises NotFound."""
    query = _query().where(dose_alert.c.id == alert_id)
    query = query.with_for_update(of=dose_alert) if for_change else query
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(P_("There is no alert with this number."))
    return Alert(**row._mapping)


def alerts_of_study(connection: Connection, study: OfStudy) -> list[Alert]:
    """Those that it made and those of which it is one of the exams, the latest first."""
    query = select_alerts(of_study=study).order_by(dose_alert.c.id.desc())
    return [Alert(**row._mapping) for row in connection.execute(query)]


def exams_of(connection: Connection, alert_id: int) -> list[AlertExam]:
    """The exams that make its value, the earliest first."""
    exam = dose_alert_exam.c
    order = (exam.study_date.nulls_first(), exam.study_time.nulls_first(), exam.orthanc_study_id)
    names = [name for name in AlertExam.model_fields if name in exam]
    rows = connection.execute(select(*(exam[name] for name in names)).where(exam.alert_id == alert_id).order_by(*order))
    return [AlertExam(**row) for row in with_names(connection, [dict(row._mapping) for row in rows])]


def history_of(connection: Connection, alert_id: int) -> list[AlertEvent]:
    """What happened to it, the latest first."""
    row = dose_alert_history.c
    query = select(*(row[name] for name in AlertEvent.model_fields)).where(row.alert_id == alert_id)
    return [AlertEvent(**found._mapping) for found in connection.execute(query.order_by(row.id.desc()))]


def count_open(connection: Connection, *, at_most: int = COUNTED) -> int:
    """How many are open; to one more than `at_most`."""
    some = select(dose_alert.c.id).where(IS_OPEN).limit(at_most + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def count_by_kind(connection: Connection) -> dict[tuple[str, str], int]:
    """By kind and state, for a monitoring system."""
    query = select(dose_alert.c.kind, STATE.label("state"), func.count().label("number")).group_by(
        dose_alert.c.kind, STATE
    )
    return {(row.kind, row.state): row.number for row in connection.execute(query)}


def count_of_levels(connection: Connection) -> dict[int, tuple[int, int]]:
    """By level, how many alerts it has made, and how many of them are open."""
    row = dose_alert.c
    query = select(row.level_id, func.count().label("made"), func.count().filter(IS_OPEN).label("open"))
    return {one.level_id: (one.made, one.open) for one in connection.execute(query.group_by(row.level_id))}


def assignees(connection: Connection) -> list[str]:
    """Everybody to whom an alert is assigned."""
    query = select(dose_alert.c.assignee).where(dose_alert.c.assignee.is_not(None)).distinct()
    return sorted(str(one) for one in connection.execute(query).scalars())


# ---- what there is already ----


def alerts_by_exam(connection: Connection, level: Level, ids: Sequence[str]) -> dict[str, Alert]:
    """Of a level, by the exam that made each; nobody else changes them until this transaction ends. Without that one
    that goes on as another exam's would be ended here, as it was read before."""
    query = _query().where(
        dose_alert.c.level_id == level.id,
        dose_alert.c.quantity == level.quantity,
        is_among(dose_alert.c.orthanc_study_id, ids),
    )
    query = query.order_by(dose_alert.c.id).with_for_update(of=dose_alert)
    return {row.orthanc_study_id: Alert(**row._mapping) for row in connection.execute(query)}


def holding_missing(connection: Connection, level: Level) -> list[str]:
    """The studies of which a level of missing dose says so still."""
    row = dose_alert.c
    query = select(row.orthanc_study_id).where(row.level_id == level.id, row.kind == "missing", row.holds)
    return sorted(connection.execute(query).scalars())


def replaced_by(connection: Connection, level: Level, orthanc_study_id: str) -> Alert | None:
    """An alert about an exam that counts in this one now, as after its patient ID was corrected."""
    query = (
        _query()
        .join(dose_study, dose_study.c.orthanc_study_id == dose_alert.c.orthanc_study_id)
        .where(
            dose_alert.c.level_id == level.id,
            dose_alert.c.quantity == level.quantity,
            dose_study.c.replaced_by == orthanc_study_id,
        )
        .order_by(dose_alert.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Alert(**row._mapping)


def standing_of(
    connection: Connection, level: Level, patients: Iterable[Patient], whose: Patient, counting: Mapping[str, str]
) -> list[tuple[str, Standing]]:
    """Alerts of a level about any of these patients, each with what it is grouped by. `counting`: as of
    `counting_in`."""
    row = dose_alert.c
    ids = func.array_agg(dose_alert_exam.c.orthanc_study_id).label("exams")
    keys = (row.id, row.exam_date, row.exam_time, row.grouped_by, row.alert_patient_id, row.alert_issuer_of_patient_id)
    query = (
        select(*keys, ids)
        .join(dose_alert_exam, dose_alert_exam.c.alert_id == row.id)
        .where(
            row.level_id == level.id,
            row.quantity == level.quantity,
            is_among(row.alert_patient_id, [one.patient_id for one in patients]),
        )
        .group_by(*keys)
        .order_by(row.id)
    )
    by_day = level.kind == "cumulative"
    return [
        (
            found.grouped_by,
            Standing(
                id=found.id,
                ended=datetime.combine(found.exam_date or date.min, time() if by_day else found.exam_time or time()),
                is_of_patient=(found.alert_patient_id, found.alert_issuer_of_patient_id or None)
                == (whose.patient_id, whose.issuer_of_patient_id),
                exams=frozenset(counting[one] for one in found.exams if one in counting),
            ),
        )
        for found in connection.execute(query)
    ]


def exams_of_alerts_about(connection: Connection, level: Level, patients: Iterable[Patient]) -> set[str]:
    """Every exam that made one of a level's alerts about these patients."""
    query = (
        select(dose_alert_exam.c.orthanc_study_id)
        .join(dose_alert, dose_alert.c.id == dose_alert_exam.c.alert_id)
        .where(
            dose_alert.c.level_id == level.id,
            is_among(dose_alert.c.alert_patient_id, [one.patient_id for one in patients]),
        )
        .distinct()
    )
    return set(connection.execute(query).scalars())


# ---- made, brought up to date, ended ----


def fire(connection: Connection, level: Level, found: Finding, now: datetime) -> int | None:
    """A new alert; its number, None where the level has one about this exam already."""
    values = {
        "level_id": level.id,
        "level_version": level.version,
        "kind": level.kind,
        "quantity": level.quantity,
        **_values(level, found),
        "fired_at": now,
        "changed_at": now,
    }
    made = upsert(dose_alert).values(values).on_conflict_do_nothing().returning(dose_alert.c.id)
    alert_id: int | None = connection.execute(made).scalar_one_or_none()
    if alert_id is not None:
        _write_exams(connection, alert_id, found)
        note(connection, alert_id, "fired", now, content=_said(found))
    return alert_id


def stands(connection: Connection, alert_id: int, level: Level, found: Finding, now: datetime) -> None:
    """What an alert says is so, as it is found now: about which exam and patient, how much. It does not fire anew."""
    row = connection.execute(select(dose_alert).where(dose_alert.c.id == alert_id).with_for_update()).one()
    values = _values(level, found)
    if level.kind == "outlier":
        del values["limit_value"], values["details"]  # as they were when it fired
    changed = {name: value for name, value in values.items() if row._mapping[name] != value}
    whose = {"orthanc_study_id", "alert_patient_id", "alert_issuer_of_patient_id"}
    is_moved = (
        bool(whose & changed.keys())
        if level.kind not in ("cumulative", "repeat")
        else bool({"alert_patient_id", "alert_issuer_of_patient_id"} & changed.keys())
    )
    if not row.holds:
        changed["holds"] = True
    if changed:
        changed["changed_at"] = now
        connection.execute(update(dose_alert).where(dose_alert.c.id == alert_id).values(changed))
    _write_exams(connection, alert_id, found)
    if is_moved:
        note(connection, alert_id, "moved", now, content=_said(found))
    if not row.holds:
        note(connection, alert_id, "again", now, content=_said(found))


def end(connection: Connection, alert_ids: Iterable[int], now: datetime) -> list[int]:
    """What these say is no longer so; those of them of which it was."""
    which = is_among_numbers(dose_alert.c.id, sorted(alert_ids))
    ended = (
        update(dose_alert)
        .where(which, dose_alert.c.holds)
        .values(holds=False, changed_at=now)
        .returning(dose_alert.c.id)
    )
    found = sorted(connection.execute(ended).scalars())
    for one in found:
        note(connection, one, "ended", now)
    return found


def _values(level: Level, found: Finding) -> dict[str, Any]:
    exam, patient = found.began, found.patient
    return {
        "orthanc_study_id": exam.orthanc_study_id,
        "study_instance_uid": exam.study_instance_uid,
        "scope_id": exam.scope_id,
        "exam_date": exam.day,
        "exam_time": exam.at,
        "alert_patient_id": None if patient is None else patient.patient_id,
        "alert_issuer_of_patient_id": None if patient is None else patient.issuer_of_patient_id,
        "grouped_by": found.grouped_by,
        "modality": exam.modality,
        "value": found.value,
        "limit_value": found.limit,
        "unit": level.shown.unit,
        "exam_count": len(found.exams),
        "details": dict(found.details),
        "is_doubted": found.is_doubted,
    }


def _write_exams(connection: Connection, alert_id: int, found: Finding) -> None:
    rows = [
        {
            "alert_id": alert_id,
            "orthanc_study_id": one.orthanc_study_id,
            "study_instance_uid": one.study_instance_uid,
            "study_date": one.day,
            "study_time": one.at,
            "value": one.value,
            "is_doubted": one.is_doubted,
        }
        for one in found.exams
    ]
    connection.execute(delete(dose_alert_exam).where(dose_alert_exam.c.alert_id == alert_id))
    connection.execute(insert(dose_alert_exam), rows)


def _said(found: Finding) -> dict[str, Any]:
    return {
        "value": found.value,
        "limit": found.limit,
        "exams": len(found.exams),
        "study_instance_uid": found.began.study_instance_uid,
    }


# ---- what people do ----


def note(
    connection: Connection,
    alert_id: int,
    act: ActName,
    at: datetime,
    *,
    by: str | None = None,
    by_itself: bool = True,
    reason: str | None = None,
    assignee: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> None:
    """Keep what happened to an alert."""
    row = {
        "alert_id": alert_id,
        "act": act,
        "at": at,
        "by": by,
        "is_by_itself": by_itself,
        "reason": reason,
        "assignee": assignee,
        "content": dict(content or {}),
    }
    connection.execute(insert(dose_alert_history).values(row))


def change(connection: Connection, alert_id: int, now: datetime, **values: Any) -> None:
    """Its state or its assignee."""
    values["changed_at"] = now
    connection.execute(update(dose_alert).where(dose_alert.c.id == alert_id).values(values))
