"""Which exams are above a level, and what a patient's exams add up to: only those that count. Queries only.

Exams are those that statistics are made from (`analysis/tables.py`): no phantom, QA or service, nothing that a person
left out, nothing that counts in another study. What no patient is given (`implausible`) makes no alert.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from treegarth.database.parameters import is_among
from treegarth.features.dose.alerts.decision import ExamValue
from treegarth.features.dose.alerts.findings import Finding, Patient, in_shown_unit
from treegarth.features.dose.alerts.levels import LEAST_EXAMS, OUTLIER_DAYS, Level
from treegarth.features.dose.alerts.tables import dose_alert, dose_alert_exam
from treegarth.features.dose.analysis.store.standard_names import reads_as
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.features.dose.quantities import BEST, DERIVED
from treegarth.features.dose.registry.lacking import DOSE_MODALITIES
from treegarth.features.dose.registry.store.missing_dose import select_without_dose
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.tables import study

SWEPT_AGAIN = timedelta(days=7)
"""How long after its turn a study without dose is looked at again: its objects may still have waited to be read."""

_NEARLY = 1 - 1e-9  # a comparison of the database's floats; the exact one follows in decimals

_FROM = (
    exam_dose.join(dose_study, dose_study.c.orthanc_study_id == exam_dose.c.orthanc_study_id)
    .join(exam_name, exam_name.c.id == exam_dose.c.exam_name_id)
    .outerjoin(standard_name, standard_name.c.id == exam_name.c.standard_name_id)
)
_EXAM = (
    exam_dose.c.orthanc_study_id,
    dose_study.c.study_instance_uid,
    exam_dose.c.scope_id,
    dose_study.c.study_date,
    dose_study.c.study_time,
    exam_dose.c.modality,
    exam_dose.c.value,
    exam_dose.c.is_doubted,
)


def _exam_of(row: Any, factor: float) -> ExamValue:
    return ExamValue(
        orthanc_study_id=row.orthanc_study_id,
        study_instance_uid=row.study_instance_uid,
        scope_id=row.scope_id,
        day=row.study_date,
        at=row.study_time,
        value=in_shown_unit(row.value, factor),
        is_doubted=row.is_doubted,
        modality=row.modality,
    )


def _asked(level: Level, quantity: str) -> list[ColumnElement[bool]]:
    """What a level says of exams beside its limit."""
    says, age = level.says, exam_dose.c.patient_age_years
    stands_on = BEST if quantity in DERIVED else (quantity,)
    implausible = cast([f"{one}:implausible" for one in stands_on], ARRAY(Text))
    found = [exam_dose.c.quantity == quantity, ~func.coalesce(dose_study.c.doubts.overlap(implausible), False)]
    if says.modality is not None:
        found.append(exam_dose.c.modality == says.modality)
    if says.standard_name is not None:
        found.append(reads_as(says.standard_name))
    if says.age_from is not None:
        found.append(age >= says.age_from)
    if says.age_to is not None:
        found.append(age < says.age_to)
    return found


def _of_days(since: date, until: date | None = None) -> ColumnElement[bool]:
    """Exams of these days; without an end those too that have no day."""
    day = exam_dose.c.study_date
    return or_(day >= since, day.is_(None)) if until is None else day.between(since, until)


def exams_above(
    connection: Connection,
    level: Level,
    *,
    ids: Sequence[str] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Finding]:
    """Exams that are above a level by themselves, of these, of these days, or both."""
    factor, above = level.shown.factor, level.says.above or 0.0
    query = select(*_EXAM).select_from(_FROM).where(*_asked(level, level.quantity))
    query = query.where(exam_dose.c.value > above / factor * _NEARLY)
    found = [_exam_of(row, factor) for row in connection.execute(_narrowed(query, ids, since, until))]
    return [Finding(began=one, exams=[one], value=one.value, limit=above) for one in found if one.value > above]


def _narrowed(query: Select[Any], ids: Sequence[str] | None, since: date | None, until: date | None) -> Select[Any]:
    if ids is not None:
        query = query.where(is_among(exam_dose.c.orthanc_study_id, ids))
    return query if since is None else query.where(_of_days(since, until))


def outliers(
    connection: Connection,
    level: Level,
    *,
    ids: Sequence[str] | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Finding]:
    """Exams that are far above those of the same name before them: of the standard name, else of the exam's own name.

    By a percentile of the others (PostgreSQL's `percentile_cont`, linear interpolation as in numpy), or by Tukey's
    fence: the third quartile and so many interquartile ranges (Exploratory Data Analysis, 1977); where half of the
    others are equal there is no such fence. Doubted doses are none of the others.
    """
    says, factor = level.says, level.shown.factor
    least, days = says.least_exams or LEAST_EXAMS, says.window_days or OUTLIER_DAYS
    other = exam_dose.alias("other")
    other_name = exam_name.alias("other_name")
    own = exam_name.c.standard_name_id
    same = or_(
        and_(own.is_not(None), other_name.c.standard_name_id == own),
        and_(own.is_(None), other.c.exam_name_id == exam_dose.c.exam_name_id),
    )
    parts = (0.25, 0.75) if says.percentile is None else (says.percentile / 100,)
    compared = (
        select(
            func.count().label("others"),
            *(func.percentile_cont(one).within_group(other.c.value).label(f"part_{n}") for n, one in enumerate(parts)),
        )
        .select_from(other.join(other_name, other_name.c.id == other.c.exam_name_id))
        .where(
            same,
            other.c.quantity == exam_dose.c.quantity,
            other.c.modality == exam_dose.c.modality,
            other.c.scope_id == exam_dose.c.scope_id,
            other.c.phantom.is_not_distinct_from(exam_dose.c.phantom),
            other.c.is_doubted.is_(False),
            other.c.study_date.between(exam_dose.c.study_date - (days - 1), exam_dose.c.study_date),
            other.c.orthanc_study_id != exam_dose.c.orthanc_study_id,
        )
        .correlate(exam_dose, exam_name)
        .lateral("compared")
    )
    columns = [column for column in compared.c if column.name != "others"]
    limit = (
        columns[0] if says.percentile is not None else columns[1] + (says.iqr_factor or 0) * (columns[1] - columns[0])
    )
    query = select(*_EXAM, compared.c.others, limit.label("limit")).select_from(_FROM.join(compared, true()))
    query = query.where(*_asked(level, level.quantity), compared.c.others >= least, exam_dose.c.value > limit)
    if says.percentile is None:
        query = query.where(columns[1] > columns[0])
    return [
        Finding(
            began=(one := _exam_of(row, factor)),
            exams=[one],
            value=one.value,
            limit=in_shown_unit(row.limit, factor),
            details={"others": row.others, "window_days": days} | _said_of_outlier(level),
        )
        for row in connection.execute(_narrowed(query, ids, since, until))
    ]


def _said_of_outlier(level: Level) -> dict[str, float]:
    says = level.says
    return {"percentile": says.percentile} if says.percentile is not None else {"iqr_factor": says.iqr_factor or 0.0}


def values_of(connection: Connection, level: Level, ids: Sequence[str]) -> dict[str, ExamValue]:
    """By exam, of those that fit what a level says, with the value of its quantity."""
    query = select(*_EXAM).select_from(_FROM).where(*_asked(level, level.quantity))
    rows = connection.execute(query.where(is_among(exam_dose.c.orthanc_study_id, ids)))
    return {row.orthanc_study_id: _exam_of(row, level.shown.factor) for row in rows}


# ---- patients ----


def patients_of(connection: Connection, ids: Sequence[str]) -> set[Patient]:
    """Whose these exams are, and whose they were when alerts were made of them."""
    alerted = (
        select(dose_alert.c.alert_patient_id, dose_alert.c.alert_issuer_of_patient_id)
        .join(dose_alert_exam, dose_alert_exam.c.alert_id == dose_alert.c.id)
        .where(is_among(dose_alert_exam.c.orthanc_study_id, ids))
    )
    now = select(dose_study.c.patient_id, dose_study.c.issuer_of_patient_id)
    rows = [
        *connection.execute(now.where(is_among(dose_study.c.orthanc_study_id, ids))),
        *connection.execute(alerted),
    ]
    return {Patient(patient_id=whose, issuer_of_patient_id=issuer or None) for whose, issuer in rows if whose}


def lock_patients(connection: Connection, patients: Iterable[Patient]) -> None:
    """Until the end of the transaction nobody else looks at these; in one order, so that nobody waits in a circle."""
    for key in sorted(one.key for one in patients):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 7315))))


def exams_of_patient(connection: Connection, level: Level, patient: Patient) -> list[tuple[str, list[ExamValue]]]:
    """The patient's exams that fit a level, with the name that they share: of sums all together without one, of
    repeats by the standard name, else by the exam's own name."""
    is_repeat = level.kind == "repeat"
    quantity = EVENT_COUNT if is_repeat else level.quantity
    own_name = (exam_name.c.study_description, exam_name.c.requested_procedure_description, exam_name.c.protocols[1])
    named = func.coalesce(standard_name.c.name, *own_name, "–")
    group = func.coalesce(-exam_name.c.standard_name_id, exam_dose.c.exam_name_id)
    query = (
        select(*_EXAM, named.label("named"), group.label("grouped"))
        .select_from(_FROM)
        .where(
            dose_study.c.patient_id == patient.patient_id,
            func.coalesce(dose_study.c.issuer_of_patient_id, "") == (patient.issuer_of_patient_id or ""),
            *_asked(level, quantity),
        )
    )
    found: dict[Any, list[ExamValue]] = defaultdict(list)
    names: dict[Any, str] = {}
    for row in connection.execute(query):
        key = (row.modality, row.grouped) if is_repeat else None
        names[key] = f"{row.modality} {row.named}" if is_repeat else ""
        found[key].append(_exam_of(row, 1.0 if is_repeat else level.shown.factor))
    return [(names[key], exams) for key, exams in sorted(found.items(), key=lambda one: names[one[0]])]


def counting_in(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """By exam the study in which it counts now: itself, or the one that replaces it; without what counts nowhere."""
    counts = func.coalesce(dose_study.c.replaced_by, dose_study.c.orthanc_study_id).label("counts_in")
    query = select(dose_study.c.orthanc_study_id, counts).where(
        is_among(dose_study.c.orthanc_study_id, sorted(ids)),
        dose_study.c.is_void.is_(False),
        dose_study.c.not_patient.is_(None),
    )
    return {row.orthanc_study_id: row.counts_in for row in connection.execute(query)}


def patients_above(connection: Connection, level: Level, since: date, until: date) -> set[Patient]:
    """Patients who may be above a level within these days: with an exam of them, and more than one, or one alone above.
    What decides is `decision.py`; this keeps it from every patient of an archive."""
    is_repeat = level.kind == "repeat"
    quantity = EVENT_COUNT if is_repeat else level.quantity
    issuer = func.coalesce(dose_study.c.issuer_of_patient_id, "")
    enough = (
        func.count() >= (level.says.at_least or 2)
        if is_repeat
        else func.sum(exam_dose.c.value) > (level.says.above or 0.0) / level.shown.factor * _NEARLY
    )
    first = since - timedelta(days=level.says.window_days or int((level.says.within_hours or 0) // 24) + 1)
    query = (
        select(dose_study.c.patient_id, issuer.label("issuer"))
        .select_from(_FROM)
        .where(*_asked(level, quantity), dose_study.c.patient_id.is_not(None), _of_days(first, until))
        .group_by(dose_study.c.patient_id, issuer)
        .having(enough)
    )
    return {
        Patient(patient_id=whose, issuer_of_patient_id=of or None) for whose, of in connection.execute(query) if whose
    }


# ---- missing dose ----


def without_dose(
    connection: Connection,
    level: Level,
    now: datetime,
    *,
    ids: Sequence[str] | None = None,
    since: date | None = None,
    received_after: datetime | None = None,
    due: bool = True,
) -> list[Finding]:
    """Studies that lack a dose so long after their last object arrived; of all or of these. `since` is a day of the
    study or, of one without a day, of its arrival."""
    says = level.says
    after = timedelta(hours=says.after_hours or 0)
    query = select_without_dose(connection).add_columns(study.c.scope_id, study.c.study_time)
    if says.modality is not None:
        query = query.where(study.c.modalities.contains(cast([says.modality], ARRAY(Text))))
    if due:
        query = query.where(study.c.last_received_at <= now - after)
    if received_after is not None:
        query = query.where(study.c.last_received_at > received_after)
    if since is not None:
        day = func.coalesce(study.c.study_date, cast(study.c.last_received_at, Date))
        query = query.where(day >= since)
    if ids is not None:
        query = query.where(is_among(study.c.orthanc_study_id, ids))
    return [_lacking(row, says.after_hours or 0.0, now) for row in connection.execute(query)]


def _lacking(row: Row[Any], limit: float, now: datetime) -> Finding:
    hours = round((now - row.last_received_at) / timedelta(hours=1), 1)
    exam = ExamValue(
        orthanc_study_id=row.orthanc_study_id,
        study_instance_uid=row.study_instance_uid,
        scope_id=row.scope_id,
        day=row.study_date,
        at=row.study_time,
        value=hours,
    )
    return Finding(began=exam, exams=[exam], value=hours, limit=limit, details={"lacks": list(row.lacks)})


def waiting_to_be_read(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Of these studies, those of which an object waits to be read: nothing is said of their dose yet."""
    waits = exists().where(dose_report.c.orthanc_study_id == study.c.orthanc_study_id, dose_report.c.state == "unread")
    query = select(study.c.orthanc_study_id).where(is_among(study.c.orthanc_study_id, ids), waits)
    return set(connection.execute(query).scalars())


# ---- before a level acts ----


def count_above(connection: Connection, level: Level, since: date, until: date) -> tuple[int, int]:
    """How many exams of these days are above a level by themselves, and how many fit what it says else."""
    limit = (level.says.above or 0.0) / level.shown.factor * (2 - _NEARLY)
    above = func.count().filter(exam_dose.c.value > limit).label("above")
    query = select(above, func.count().label("every")).select_from(_FROM)
    row = connection.execute(query.where(*_asked(level, level.quantity), _of_days(since, until))).one()
    return row.above, row.every


def newest(connection: Connection, level: Level, since: date, until: date, *, limit: int) -> list[str]:
    """The newest exams of these days that fit what a level says."""
    query = select(exam_dose.c.orthanc_study_id).select_from(_FROM)
    query = query.where(*_asked(level, level.quantity), _of_days(since, until))
    order = (exam_dose.c.study_date.desc(), exam_dose.c.orthanc_study_id)
    return list(connection.execute(query.order_by(*order).limit(limit)).scalars())


def count_without_dose(connection: Connection, level: Level, now: datetime, since: date) -> tuple[int, int]:
    """How many studies since that day lack a dose so long after their last object arrived, and of how many."""
    says = level.says
    modalities = DOSE_MODALITIES if says.modality is None else (says.modality,)
    fits = (
        study.c.modalities.overlap(cast(list(modalities), ARRAY(Text))),
        study.c.last_received_at <= now - timedelta(hours=says.after_hours or 0),
        func.coalesce(study.c.study_date, cast(study.c.last_received_at, Date)) >= since,
    )
    lacking = select_without_dose(connection).where(*fits).subquery()
    made = connection.execute(select(func.count()).select_from(lacking)).scalar_one()
    every = connection.execute(select(func.count()).select_from(study).where(*fits)).scalar_one()
    return int(made), int(every)
