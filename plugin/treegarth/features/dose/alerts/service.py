"""What alerts do: look at exams that changed and at what lacks a dose, make each alert once, say what is no longer so.

An exam's row in the queue is the work; looking at it, what it makes and what is told of it are one transaction. So a
worker that dies has done nothing, and two workers never tell of the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.alerts.decision import (
    Episode,
    ExamValue,
    Standing,
    length_of,
    matched,
    repeated,
    sums_above,
)
from treegarth.features.dose.alerts.findings import Finding, Patient
from treegarth.features.dose.alerts.levels import Level
from treegarth.features.dose.alerts.store import alerts, due, exams
from treegarth.features.dose.alerts.store.levels import LEVELS, note_swept, read_levels, swept_at
from treegarth.features.dose.alerts.telling import Telling, about, tell
from treegarth.features.dose.registry.store.undecided import being_decided
from treegarth.phrases import P_
from treegarth.tasks.backoff import Backoff

BATCH = 50
"""Exams that one worker looks at in one transaction."""
BACKOFF = Backoff(first=timedelta(seconds=15), longest=timedelta(hours=1))
"""Nothing is given up: an exam that cannot be looked at is tried again every hour, and health says so."""

logger = logging.getLogger(__name__)


def look_at_due(engine: Engine, telling: Telling, clock: Callable[[], datetime], *, limit: int = BATCH) -> int:
    """Look at up to `limit` exams that changed; how many of them could be. One that shares something with an exam that
    waits to be decided waits with it: an exam that was corrected would be told of twice.

    May be called by any number of processes at once, and be killed at any point.
    """
    taken: list[str] = []
    try:
        with transaction(engine) as connection:
            LEVELS.hold(connection)  # before an exam is taken: who changes a level waits, or this sees the new one
            taken = due.take_due(connection, clock(), limit=limit)
            waiting = being_decided(connection, taken)
            if waiting:
                due.leave_for_later(connection, waiting)
                taken = [one for one in taken if one not in waiting]
            if taken:
                look_at(connection, taken, telling, clock())
    except DatabaseUnavailable:
        raise
    except Exception as error:
        if limit > 1:  # which of them it is
            return sum(look_at_due(engine, telling, clock, limit=1) for _ in taken)
        logger.exception("An exam could not be looked at for alerts.")
        with transaction(engine) as connection:
            reason = P_("%(kind)s while alerts looked at it; see the log.", kind=type(error).__name__)
            due.put_off(connection, taken, reason, clock(), BACKOFF)
    return len(taken)


def look_at(connection: Connection, ids: Sequence[str], telling: Telling, now: datetime) -> None:
    """Make, bring up to date and end the alerts of these exams and of their patients, by every level."""
    patients: set[Patient] | None = None
    for level in read_levels(connection):
        work = _Work(connection=connection, level=level, telling=telling, now=now)
        if level.kind == "exam":
            _exams(work, ids)
        elif level.kind == "outlier":
            _outliers(work, ids)
        elif level.kind == "missing":
            _missing(work, ids)
        else:
            if patients is None:
                patients = exams.patients_of(connection, ids)
                exams.lock_patients(connection, patients)
            _patients(work, patients)


class _Work:
    """A level that is looked at: fires, keeps and ends its alerts."""

    def __init__(self, *, connection: Connection, level: Level, telling: Telling, now: datetime) -> None:
        self.connection, self.level, self.telling, self.now = connection, level, telling, now

    def fire(self, found: Finding) -> int | None:
        """Once; an alert about the same exam under its former identity goes on as this one, and is returned."""
        day = found.began.day
        if not self.level.is_on or (day is not None and day < self.level.exams_from):
            return None
        former = alerts.replaced_by(self.connection, self.level, found.began.orthanc_study_id)
        if former is not None:
            self.keep(former.id, found)
            return former.id
        made = alerts.fire(self.connection, self.level, found, self.now)
        if made is not None:
            tell(self.connection, self.telling, self.level, made, found, self.now)
            logger.info("Level %d made the alert %d.", self.level.id, made)
        return None

    def keep(self, alert_id: int, found: Finding) -> None:
        alerts.stands(self.connection, alert_id, self.level, found, self.now)

    def end(self, alert_ids: Iterable[int]) -> None:
        """What is no longer so is nothing new at the bell, either."""
        for one in alerts.end(self.connection, alert_ids, self.now):
            self.telling.settle(self.connection, about(one), None, self.now)


# ---- one exam ----


def _exams(work: _Work, ids: Sequence[str]) -> None:
    known = alerts.alerts_by_exam(work.connection, work.level, ids)
    if not work.level.is_on and not known:
        return
    still: set[int | None] = set()
    for found in exams.exams_above(work.connection, work.level, ids=ids):
        alert = known.get(found.began.orthanc_study_id)
        if alert is None:
            still.add(work.fire(found))
        else:
            work.keep(alert.id, found)
            still.add(alert.id)
    work.end(one.id for one in known.values() if one.id not in still)


def _outliers(work: _Work, ids: Sequence[str]) -> None:
    """What was one stays one while its dose is above what was the limit then: that of today is another one."""
    known = alerts.alerts_by_exam(work.connection, work.level, ids)
    over, still = list[int](), set[int | None]()
    if known:
        values = exams.values_of(work.connection, work.level, sorted(known))
        for study, alert in known.items():
            exam = values.get(study)
            if exam is not None and alert.limit_value is not None and exam.value > alert.limit_value:
                found = Finding(began=exam, exams=[exam], value=exam.value, limit=alert.limit_value)
                work.keep(alert.id, found)
            else:
                over.append(alert.id)
    others = [one for one in ids if one not in known]
    if work.level.is_on and others:
        still = {work.fire(found) for found in exams.outliers(work.connection, work.level, ids=others)}
    work.end(one for one in over if one not in still)


# ---- missing dose ----


def _missing(work: _Work, ids: Sequence[str]) -> None:
    known = alerts.alerts_by_exam(work.connection, work.level, ids)
    if not work.level.is_on and not known:
        return
    lacking = {
        one.began.orthanc_study_id: one
        for one in exams.without_dose(work.connection, work.level, work.now, ids=ids, due=False)
    }
    waiting = exams.waiting_to_be_read(work.connection, ids)
    for study, alert in known.items():
        if study in lacking and not alert.holds:
            work.keep(alert.id, lacking[study])
    over = [alert.id for study, alert in known.items() if study not in lacking and study not in waiting]
    others = [one for one in lacking if one not in known]
    still = set[int | None]()
    if work.level.is_on and others:
        still = {work.fire(one) for one in exams.without_dose(work.connection, work.level, work.now, ids=others)}
    work.end(one for one in over if one not in still)


def sweep_missing(engine: Engine, telling: Telling, now: datetime) -> None:
    """Look at the studies whose time to have a dose is over, by each level of missing dose; and at what was missing."""
    with transaction(engine) as connection:
        levels = [one for one in read_levels(connection) if one.kind == "missing"]
    for level in levels:
        try:
            with transaction(engine) as connection:
                _sweep(_Work(connection=connection, level=level, telling=telling, now=now))
        except DatabaseUnavailable:
            raise
        except Exception:
            logger.exception("The alert level %d could not be looked at for missing doses.", level.id)


def _sweep(work: _Work) -> None:
    """What is new before what is over: an alert that goes on as another study's has not ended."""
    last = swept_at(work.connection, work.level.id)
    if work.level.is_on:
        _sweep_new(work, last)
    still = alerts.holding_missing(work.connection, work.level)
    if still:
        _missing(work, still)


def _sweep_new(work: _Work, last: datetime | None) -> None:
    after = timedelta(hours=work.level.says.after_hours or 0)
    since = None if last is None else last - after - exams.SWEPT_AGAIN
    found = exams.without_dose(work.connection, work.level, work.now, since=work.level.exams_from, received_after=since)
    ids = [one.began.orthanc_study_id for one in found]
    known = alerts.alerts_by_exam(work.connection, work.level, ids)
    for one in found:
        if one.began.orthanc_study_id not in known:
            work.fire(one)
    note_swept(work.connection, work.level.id, work.now)


# ---- patients ----


def _patients(work: _Work, patients: Iterable[Patient]) -> None:
    """Sums and repeats of these patients. An alert of one whose exams are another one's now goes on as that one's."""
    ordered = sorted(patients, key=lambda one: one.key)
    made_of = alerts.exams_of_alerts_about(work.connection, work.level, ordered)
    if not ordered or (not work.level.is_on and not made_of):
        return
    counting = exams.counting_in(work.connection, made_of)
    told: set[int] = set()
    there: dict[int, Standing] = {}
    for patient in ordered:
        standing = alerts.standing_of(work.connection, work.level, ordered, patient, counting)
        there |= {one.id: one for _, one in standing if one.is_of_patient}
        told |= _patient(work, patient, standing, told)
    work.end(set(there) - told)


def _patient(work: _Work, patient: Patient, standing: Sequence[tuple[str, Standing]], told: set[int]) -> set[int]:
    """The alerts that tell of this patient as it is now."""
    groups = exams.exams_of_patient(work.connection, work.level, patient)
    everything = {one.orthanc_study_id for _, found in groups for one in found}
    found_here: set[int] = set()
    for name, found in groups:
        free = [
            replace(one, is_of_patient=one.is_of_patient and grouped_by == name)
            for grouped_by, one in standing
            if one.id not in told | found_here
        ]
        episodes = episodes_of(work.level, found, work.level.exams_from)
        by_place = matched(episodes, free, everything, window_of(work.level))
        for place, episode in enumerate(episodes):
            finding = finding_of(work.level, patient, name, episode)
            if place in by_place:
                work.keep(by_place[place], finding)
            elif (former := work.fire(finding)) is not None:
                found_here.add(former)
        found_here |= set(by_place.values())
        found_here |= _of_before(work, patient, name, found, [one for one in free if one.id not in found_here])
    return found_here


def _of_before(
    work: _Work, patient: Patient, name: str, found: Sequence[ExamValue], free: Sequence[Standing]
) -> set[int]:
    """Alerts from before the level's first day, which was moved since: they stay where they are so still."""
    old = [one for one in free if one.is_of_patient and one.ended.date() < work.level.exams_from]
    if not old:
        return set()
    episodes = episodes_of(work.level, found, min(one.ended.date() for one in old))
    by_place = matched(episodes, old, (), window_of(work.level))
    for place, alert_id in by_place.items():
        work.keep(alert_id, finding_of(work.level, patient, name, episodes[place]))
    return set(by_place.values())


def window_of(level: Level) -> timedelta:
    """How far apart two windows of a level end that have no exam in common."""
    return timedelta(days=level.says.window_days or 1) if level.kind == "cumulative" else length_of(level.within)


def episodes_of(level: Level, found: Sequence[ExamValue], since: date) -> list[Episode]:
    """Where a patient's exams are above a level of sums or repeats."""
    says = level.says
    if level.kind == "cumulative":
        return sums_above(found, window_days=says.window_days or 1, above=says.above or 0.0, since=since)
    return repeated(found, within=level.within, at_least=says.at_least or 2, since=since)


def finding_of(level: Level, patient: Patient, name: str, episode: Episode) -> Finding:
    says = level.says
    details: dict[str, float | None] = {"within_hours": says.within_hours}
    limit = float(says.at_least or 2)
    if level.kind == "cumulative":
        limit, details = says.above or 0.0, {"window_days": says.window_days}
    return Finding(
        began=episode.began,
        exams=episode.exams,
        value=episode.value,
        limit=limit,
        patient=patient,
        grouped_by=name,
        details=details,
    )
