"""What a person can decide of an exam: leave something out, move it, let a report count; and take that back.

Nothing is deleted: the objects, what was read of them and the decision all stay. Every exam that a decision concerns is
decided anew in its transaction, so that lists and sums are right as soon as it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, select

from treegarth.acts.store import Act, note_act, read_act, read_acts, undo_act
from treegarth.acts.tables import act
from treegarth.database.parameters import is_among_numbers
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.dose.registry.rules import Rule, Source
from treegarth.features.dose.registry.store import acts as kept
from treegarth.features.dose.registry.store.decisions import decisions_of_study
from treegarth.features.dose.registry.store.exams import OF_PATIENT, OF_STUDY, decide_studies
from treegarth.features.dose.registry.store.timeline import AmbiguousPatient
from treegarth.features.dose.registry.store.undecided import note_neighbours
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.studies import StudyKey
from treegarth.index.tables import patient, study
from treegarth.phrases import P_

KINDS = "dose."
ActName: TypeAlias = Literal["void", "move", "merge", "move_to_patient", "count"]


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who decides, when, and why."""

    name: str | None
    now: datetime
    reason: str


def void(connection: Connection, exam: StudyKey, source: str | None, person: Person) -> Act:
    """An exam, or one source of it, counts nowhere. Raises NotFound, RequestConflict where it is left out already."""
    _check_news(connection, exam, source, Rule.VOIDED, P_("It is left out already."))
    return _decide(connection, "void", exam, source, person, fate=kept.VOID)


def move(
    connection: Connection,
    exam: StudyKey,
    source: str | None,
    to: StudyKey,
    person: Person,
    *,
    name: Literal["move", "merge"] = "move",
) -> Act:
    """An exam, or one source of it, counts in another study; `merge` where that one has a dose of its own.

    Raises NotFound, RequestConflict where it counts there already, or has no dose to be merged with.
    """
    if to.orthanc_study_id == exam.orthanc_study_id:
        raise RequestConflict(P_("It is of this study already."), field="into_study_instance_uid")
    sources = [one["orthanc_instance_id"] for one in _sources(connection, exam, source)]
    if kept.fates_of(connection, kept.keys_of_sources(connection, sources)) == {to.orthanc_study_id}:
        raise RequestConflict(P_("It counts in that study already."), field="into_study_instance_uid")
    told = _study_told(connection, to)
    if name == "merge" and _row(connection, to.orthanc_study_id) is None:
        raise RequestConflict(
            P_("That study has no dose to merge with; move it there."), field="into_study_instance_uid"
        )
    return _decide(
        connection, name, exam, source, person, fate=kept.MOVE, target=to.orthanc_study_id, content={"target": told}
    )


def move_to_patient(connection: Connection, exam: StudyKey, patient_id: str, issuer: str | None, person: Person) -> Act:
    """An exam belongs to another patient. Raises NotFound, AmbiguousPatient, RequestConflict."""
    told = _patient_told(connection, patient_id, issuer)
    now = _row(connection, exam.orthanc_study_id) or {}
    if (now.get("patient_id"), now.get("issuer_of_patient_id")) == (patient_id, told["issuer_of_patient_id"]):
        raise RequestConflict(P_("The exam is of this patient already."), field="patient_id")
    return _decide(connection, "move_to_patient", exam, None, person, fate=kept.PATIENT, content={"patient": told})


def count(connection: Connection, exam: StudyKey, source: str, person: Person) -> Act:
    """Of several reports of the same events this one counts. Raises NotFound, InvalidRequest for an image."""
    of_source = select(dose_report.c.source).where(dose_report.c.orthanc_instance_id == source)
    if connection.execute(of_source).scalar() == Source.HEADER:
        raise InvalidRequest(
            P_("An image counts only where no report tells of its exposure: leave the report out instead.")
        )
    _check_news(connection, exam, source, Rule.CHOSEN, P_("It counts already, as a person decided."))
    return _decide(connection, "count", exam, source, person, fate=kept.COUNT)


def _check_news(connection: Connection, exam: StudyKey, source: str | None, rule: Rule, said: str) -> None:
    """Raises RequestConflict where that rule holds already for the source, or for all of the exam."""
    of_sources = {one.orthanc_instance_id: one.rule for one in decisions_of_study(connection, exam.orthanc_study_id)}
    rules = set(of_sources.values()) if source is None else {of_sources.get(source)}
    if rules == {rule}:
        raise RequestConflict(said)


def concerning(connection: Connection, exam: StudyKey) -> list[Act]:
    """What people decided about the exam, and of what else was decided what holds for it: about a study from which
    something was moved here, or of which Orthanc made this one. The latest first."""
    in_force = kept.acts_in_force(connection, exam.orthanc_study_id)
    ours = act.c.orthanc_study_id == exam.orthanc_study_id
    return read_acts(connection, ours | is_among_numbers(act.c.id, in_force), act.c.kind.startswith(KINDS))


def undo(connection: Connection, act_id: int, person: Person) -> Act:
    """Take a decision back: what was before it holds again. Raises NotFound, RequestConflict."""
    done = read_act(connection, act_id, kinds=KINDS)
    undone = undo_act(connection, done, by=person.name, at=person.now, reason=person.reason)
    keys, targets = kept.keys_of_act(connection, done.id)
    _decide_anew(connection, done.orthanc_study_id, keys, targets, person.now)
    return undone


def _decide(
    connection: Connection,
    name: ActName,
    exam: StudyKey,
    source: str | None,
    person: Person,
    *,
    fate: str,
    target: str | None = None,
    content: Mapping[str, Any] | None = None,
) -> Act:
    told = _sources(connection, exam, source)
    keys = kept.keys_of_sources(
        connection, [one["orthanc_instance_id"] for one in told], only_objects=fate == kept.COUNT
    )
    made = note_act(
        connection,
        KINDS + name,
        exam,
        by=person.name,
        at=person.now,
        reason=person.reason,
        content={**(content or {}), "source": told[0] if source is not None else None, "source_count": len(told)},
    )
    kept.write_keys(connection, made.id, keys, fate, target)
    _decide_anew(connection, exam.orthanc_study_id, keys, [target] if target is not None else [], person.now)
    return made


def _decide_anew(
    connection: Connection, orthanc_study_id: str, keys: Iterable[str], targets: Iterable[str], now: datetime
) -> None:
    """Every exam that it concerns at once; what is related to these in other ways as soon as a worker comes to it."""
    concerned = {orthanc_study_id} | kept.studies_of_act(connection, keys, targets)
    for one in sorted(concerned):  # before the studies are locked, as whoever decides what is noted does it
        note_neighbours(connection, one)
    decide_studies(connection, sorted(concerned), now)


def _sources(connection: Connection, exam: StudyKey, source: str | None) -> Sequence[Mapping[str, Any]]:
    """Of the exam, those that were moved here too, or the one that is named. Raises NotFound."""
    known = [one.orthanc_instance_id for one in decisions_of_study(connection, exam.orthanc_study_id)]
    if source is not None and source not in known:
        raise NotFound(P_("The exam has no source with this identifier."))
    wanted = known if source is None else [source]
    names = ("orthanc_instance_id", "sop_instance_uid", "kind", "source")
    query = select(*(dose_report.c[name] for name in names)).where(dose_report.c.orthanc_instance_id.in_(wanted))
    found = [dict(row._mapping) for row in connection.execute(query.order_by(dose_report.c.orthanc_instance_id))]
    if not found:
        raise NotFound(P_("The registry has no dose of this study."))
    return found


def _row(connection: Connection, orthanc_study_id: str) -> Mapping[str, Any] | None:
    query = select(*(dose_study.c[name] for name in OF_STUDY))
    row = connection.execute(query.where(dose_study.c.orthanc_study_id == orthanc_study_id)).one_or_none()
    return None if row is None else dict(row._mapping)


def _study_told(connection: Connection, to: StudyKey) -> dict[str, Any]:
    """What is known of the study that something is moved to, for the time when nothing else tells of it."""
    known = _row(connection, to.orthanc_study_id) or _indexed(connection, to.orthanc_study_id)
    if known is None:
        raise NotFound(P_("There is no study with this Study Instance UID."))
    return {name: _written(known.get(name)) for name in OF_STUDY}


def _indexed(connection: Connection, orthanc_study_id: str) -> Mapping[str, Any] | None:
    names = [name for name in OF_STUDY if name in study.c]
    query = select(*(study.c[name] for name in names)).where(study.c.orthanc_study_id == orthanc_study_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else dict(row._mapping)


def _written(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _patient_told(connection: Connection, patient_id: str, issuer: str | None) -> dict[str, Any]:
    """Who has this ID: as the newest exam says, else as the index does."""
    newest = dose_study.c.study_date.desc().nulls_last(), dose_study.c.orthanc_study_id.desc()
    query = select(*(dose_study.c[name] for name in OF_PATIENT)).where(dose_study.c.patient_id == patient_id)
    rows = connection.execute(query.order_by(*newest)).all()
    issuers = sorted({row.issuer_of_patient_id or "" for row in rows})
    if issuer is None and len(issuers) > 1:
        raise AmbiguousPatient([one or None for one in issuers])
    of_issuer = [row for row in rows if issuer is None or (row.issuer_of_patient_id or "") == issuer]
    if of_issuer:
        return dict(of_issuer[0]._mapping)
    if rows:
        raise NotFound(P_("Nothing of a patient with this ID and issuer is here."))
    names = ("patient_id", "patient_name", "patient_sex")
    found = connection.execute(select(*(patient.c[name] for name in names)).where(patient.c.patient_id == patient_id))
    row = found.first()
    if row is None:
        raise NotFound(P_("Nothing of a patient with this ID is here."))
    return {**row._mapping, "issuer_of_patient_id": issuer or None}
