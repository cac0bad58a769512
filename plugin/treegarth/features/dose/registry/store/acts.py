"""What people decided of sources and events, as it is kept and as deciding asks for it. Queries only.

A decision names irradiation events by their UIDs and objects by theirs (`keys_of`), not rows: it holds for whatever
tells of them now or later. So it is looked for by these keys for every study that is decided; where nobody ever decided
anything that is one look into an empty index. What was moved to a study that Orthanc corrected since is where that one
is now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select

from treegarth.acts.store import holds
from treegarth.acts.tables import act
from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.decision import SourceFacts
from treegarth.features.dose.registry.decision.acts import NOWHERE, Acts, Fate
from treegarth.features.dose.registry.store.elsewhere import former_uids
from treegarth.features.dose.registry.tables import administration, dose_act, dose_report, irradiation_event

VOID, MOVE, COUNT, PATIENT = "void", "move", "count", "patient"
EVENT, OBJECT = "event ", "object "
DEEPEST = 8
"""How often an object, or a study that something was moved to, is followed through Orthanc's corrections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ByPeople:
    """What was decided that concerns one exam; `patient` is to whom it belongs, `study` what is told of a study to
    which something was moved and that has no source of its own."""

    acts: Acts
    patient: Mapping[str, Any] | None = None
    study: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Told:
    """The acts that hold, by key: the latest fate, the latest patient, whether it is to count."""

    fates: dict[str, Fate] = field(default_factory=dict)
    patients: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    studies: dict[str, tuple[int, Mapping[str, Any]]] = field(default_factory=dict)


def keys_of(source: SourceFacts) -> set[str]:
    """What a decision about a source is kept by."""
    return _event_keys(source) | _object_keys(source)


def _event_keys(source: SourceFacts) -> set[str]:
    return {EVENT + one.uid for one in source.events if one.uid}


def _object_keys(source: SourceFacts) -> set[str]:
    return {OBJECT + uid for uid in (source.sop_instance_uid, *source.former_uids)}


def write_keys(connection: Connection, act_id: int, keys: Iterable[str], fate: str, target: str | None = None) -> None:
    """By which events and objects a decision holds."""
    rows = [{"act_id": act_id, "key": key, "fate": fate, "target": target} for key in sorted(set(keys))]
    connection.execute(insert(dose_act), rows)


def keys_of_act(connection: Connection, act_id: int) -> tuple[list[str], frozenset[str]]:
    """What a decision is kept by, and the studies that it moves something to."""
    rows = connection.execute(select(dose_act.c.key, dose_act.c.target).where(dose_act.c.act_id == act_id)).all()
    return [row.key for row in rows], frozenset(row.target for row in rows if row.target is not None)


def fates_of(connection: Connection, keys: Iterable[str]) -> set[str | None]:
    """Where these events and objects count by what people decided: studies, `NOWHERE`, None of what nobody decided."""
    named = set(keys)
    told = _told(connection, named)
    return {told.fates[key].study if key in told.fates else None for key in named}


def any_act(connection: Connection) -> bool:
    """Whether anybody ever decided anything."""
    return connection.execute(select(dose_act.c.act_id).limit(1)).first() is not None


def decided_by_people(
    connection: Connection,
    own: Mapping[str, Sequence[SourceFacts]],
    guests: Mapping[str, Sequence[SourceFacts]],
) -> dict[str, ByPeople]:
    """By study; `guests` are sources of others of which something was moved there. Nothing where nobody decided."""
    sources = [one for found in (*own.values(), *guests.values()) for one in found]
    told = _told(connection, {key for one in sources for key in keys_of(one)})
    if not (told.fates or told.patients or told.chosen):
        return {}
    found = {}
    for study in {*own, *guests}:
        here = [*own.get(study, ()), *guests.get(study, ())]
        patients = [told.patients[key] for one in own.get(study, ()) for key in keys_of(one) if key in told.patients]
        found[study] = ByPeople(
            acts=Acts(
                here=study,
                events={key[len(EVENT) :]: fate for key, fate in told.fates.items() if key.startswith(EVENT)},
                sources=_by_object(told.fates, here),
                chosen=_chosen(told.chosen, here),
            ),
            patient=max(patients, key=lambda one: one[0])[1] if patients else None,
            study=told.studies[study][1] if study in told.studies else None,
        )
    return found


def _told(connection: Connection, keys: Iterable[str]) -> _Told:
    names = (dose_act.c.act_id, dose_act.c.key, dose_act.c.fate, dose_act.c.target)
    query = select(*names, act.c.content).join_from(dose_act, act, act.c.id == dose_act.c.act_id)
    query = query.where(is_among(dose_act.c.key, sorted(keys)), holds(dose_act.c.act_id)).order_by(dose_act.c.act_id)
    rows = connection.execute(query).all()
    now = current_studies(connection, {row.target for row in rows if row.target is not None})
    told = _Told()
    for row in rows:  # the latest last
        if row.fate == PATIENT:
            told.patients[row.key] = row.act_id, row.content["patient"]
        elif row.fate == COUNT:
            told.chosen[row.key] = row.act_id
        else:
            study = NOWHERE if row.target is None else now[row.target]
            told.fates[row.key] = Fate(act_id=row.act_id, study=study)
            if row.target is not None:
                told.studies[study] = row.act_id, row.content["target"]
    return told


def _by_object(fates: Mapping[str, Fate], sources: Iterable[SourceFacts]) -> dict[str, Fate]:
    found = {}
    for one in sources:
        of_object = [fates[key] for key in _object_keys(one) if key in fates]
        if of_object:
            found[one.orthanc_instance_id] = max(of_object)
    return found


def _chosen(chosen: Mapping[str, int], sources: Iterable[SourceFacts]) -> frozenset[str]:
    """Of several that tell of one event the one that was chosen last."""
    ranked = sorted(
        ((max(chosen[key] for key in _object_keys(one) if key in chosen), one) for one in sources
         if _object_keys(one) & chosen.keys() and one.is_document),
        key=lambda entry: (entry[0], entry[1].orthanc_instance_id), reverse=True,
    )  # fmt: skip
    kept: list[SourceFacts] = []
    for _, one in ranked:
        if not any(_event_keys(one) & _event_keys(other) for other in kept):
            kept.append(one)
    return frozenset(one.orthanc_instance_id for one in kept)


def guests_of(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, list[str]]:
    """For studies to which something was moved: the sources of other studies that tell of it, by Orthanc's
    identifiers."""
    moved = select(dose_act.c.act_id).where(dose_act.c.target.is_not(None)).limit(1)
    if connection.execute(moved).first() is None:
        return {}
    targets = set(orthanc_study_ids) | _former_studies(connection, orthanc_study_ids)
    query = select(dose_act.c.key, dose_act.c.target).where(
        is_among(dose_act.c.target, sorted(targets)), holds(dose_act.c.act_id)
    )
    rows = connection.execute(query).all()
    now = current_studies(connection, {row.target for row in rows})
    keys: dict[str, set[str]] = {}
    for row in rows:
        if now[row.target] in orthanc_study_ids:
            keys.setdefault(now[row.target], set()).add(row.key)
    return {
        study: sorted(
            row.orthanc_instance_id for row in sources_of(connection, of_study) if row.orthanc_study_id != study
        )
        for study, of_study in keys.items()
    }


def sources_of(connection: Connection, keys: Iterable[str]) -> list[Row[Any]]:
    """What tells of these events and objects, and what Orthanc made of them: instance and study."""
    named = sorted(keys)
    objects = [key[len(OBJECT) :] for key in named if key.startswith(OBJECT)]
    events = [key[len(EVENT) :] for key in named if key.startswith(EVENT)]
    columns = (dose_report.c.orthanc_instance_id, dose_report.c.orthanc_study_id)
    read = select(*columns).where(dose_report.c.kind.is_not(None))
    queries: list[Select[Any]] = [read.where(is_among(dose_report.c.sop_instance_uid, objects))]
    for table in (irradiation_event, administration):
        same = table.c.orthanc_instance_id == dose_report.c.orthanc_instance_id
        queries.append(read.join(table, same).where(is_among(table.c.irradiation_event_uid, events)))
    found = {row.orthanc_instance_id: row for query in queries for row in connection.execute(query)}
    left = set(found)
    for _ in range(DEEPEST):
        made = connection.execute(read.where(is_among(dose_report.c.modified_from, sorted(left)))).all() if left else ()
        left = {row.orthanc_instance_id for row in made} - found.keys()
        found |= {row.orthanc_instance_id: row for row in made}
    return list(found.values())


def acts_in_force(connection: Connection, orthanc_study_id: str) -> list[int]:
    """The numbers of the decisions that hold for something that a study tells of, or that moved something there."""
    targets = sorted({orthanc_study_id} | _former_studies(connection, [orthanc_study_id]))
    keys = sorted(keys_of_study(connection, orthanc_study_id))
    concerns = is_among(dose_act.c.key, keys) | is_among(dose_act.c.target, targets)
    query = select(dose_act.c.act_id).where(concerns, holds(dose_act.c.act_id)).distinct()
    return sorted(connection.execute(query).scalars()) if any_act(connection) else []


def studies_of_act(connection: Connection, keys: Iterable[str], targets: Iterable[str]) -> set[str]:
    """The studies that such a decision concerns."""
    told = {row.orthanc_study_id for row in sources_of(connection, keys)}
    return told | set(current_studies(connection, targets).values())


def neighbours_by_acts(connection: Connection, orthanc_study_id: str) -> set[str]:
    """The other studies whose dose follows from what was moved into or out of this one."""
    if not any_act(connection):
        return set()
    keys = keys_of_study(connection, orthanc_study_id)
    targets = {orthanc_study_id} | _former_studies(connection, [orthanc_study_id])
    acts = select(dose_act.c.key, dose_act.c.target).where(dose_act.c.target.is_not(None))
    out = connection.execute(acts.where(is_among(dose_act.c.key, sorted(keys)))).all()
    into = connection.execute(acts.where(is_among(dose_act.c.target, sorted(targets)))).all()
    found = set(current_studies(connection, {row.target for row in out}).values())
    found |= {row.orthanc_study_id for row in sources_of(connection, {row.key for row in into})} if into else set()
    return found - {orthanc_study_id}


def keys_of_study(connection: Connection, orthanc_study_id: str) -> set[str]:
    """Of every event and object that is told of in a study, and of the objects that Orthanc made them of."""
    return _keys(connection, dose_report.c.orthanc_study_id == orthanc_study_id)


def keys_of_sources(
    connection: Connection, orthanc_instance_ids: Sequence[str], *, only_objects: bool = False
) -> set[str]:
    """The same of these sources."""
    found = _keys(connection, is_among(dose_report.c.orthanc_instance_id, orthanc_instance_ids))
    return {key for key in found if key.startswith(OBJECT)} if only_objects else found


def _keys(connection: Connection, is_its: ColumnElement[bool]) -> set[str]:
    rows = connection.execute(
        select(dose_report.c.orthanc_instance_id, dose_report.c.sop_instance_uid).where(is_its)
    ).all()
    found = {OBJECT + row.sop_instance_uid for row in rows}
    former = former_uids(connection, [row.orthanc_instance_id for row in rows])
    found |= {OBJECT + uid for uids in former.values() for uid in uids}
    for table in (irradiation_event, administration):
        same = table.c.orthanc_instance_id == dose_report.c.orthanc_instance_id
        uids = select(table.c.irradiation_event_uid).join(dose_report, same).where(is_its)
        found |= {EVENT + uid for uid in connection.execute(uids).scalars() if uid}
    return found


_mine, _made = dose_report.alias("mine"), dose_report.alias("made")


def current_studies(connection: Connection, orthanc_study_ids: Iterable[str]) -> dict[str, str]:
    """Where each study is now: itself, or the one that Orthanc made of it."""
    now = {one: one for one in orthanc_study_ids}
    for _ in range(DEEPEST if now else 0):
        query = (
            select(_mine.c.orthanc_study_id.label("former"), _made.c.orthanc_study_id)
            .join_from(_mine, _made, _made.c.modified_from == _mine.c.orthanc_instance_id)
            .where(
                is_among(_mine.c.orthanc_study_id, sorted(set(now.values()))),
                _made.c.orthanc_study_id != _mine.c.orthanc_study_id,
                _made.c.source_deleted_at.is_(None),
                _made.c.kind.is_not(None),
                _made.c.report["patient_identity_removed"].is_(None),
            )
        )
        later = {row.former: row.orthanc_study_id for row in sorted(connection.execute(query).all(), reverse=True)}
        if not later:
            break
        now = {one: later.get(study, study) for one, study in now.items()}
    return now


def _former_studies(connection: Connection, orthanc_study_ids: Iterable[str]) -> set[str]:
    """Those of which Orthanc made these."""
    found: set[str] = set()
    left = set(orthanc_study_ids)
    for _ in range(DEEPEST):
        query = (
            select(_mine.c.orthanc_study_id)
            .join_from(_made, _mine, _made.c.modified_from == _mine.c.orthanc_instance_id)
            .where(
                is_among(_made.c.orthanc_study_id, sorted(left)), _made.c.orthanc_study_id != _mine.c.orthanc_study_id
            )
        )
        left = set(connection.execute(query).scalars()) - found
        if not left:
            break
        found |= left
    return found
