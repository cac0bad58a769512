"""What people decide of an exam, over HTTP: leave out, move, merge, let count, take back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from treegarth.access.actors import Permission
from treegarth.acts.store import Act
from treegarth.audit.model import What
from treegarth.errors import NotFound
from treegarth.features.dose.registry import acts
from treegarth.features.dose.registry.acts import ActName, Person
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.paths import DoseActPath
from treegarth.features.dose.registry.rule_parameters import LONGEST_REASON, Reason
from treegarth.features.dose.registry.store.studies import study_of_uid
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, AnyText, Parameters, Route, Text
from treegarth.web.which_study import WhichStudy


class ActBody(WhichStudy):
    """What is decided, of what, and why."""

    act: ActName
    """`void`: it counts nowhere. `move`: into another study. `merge`: the same, into one with a dose of its own.
    `move_to_patient`: the exam is another patient's. `count`: of reports of the same events this one counts."""
    reason: Reason
    """Why, for whoever looks at it later."""
    orthanc_instance_id: Text | None = None
    """The source that it is about; without it the whole exam."""
    into_study_instance_uid: Text | None = None
    """Of `move` and `merge`: where it counts from now on."""
    into_orthanc_study_id: Text | None = None
    """Where several patients have a study with that UID: Orthanc's identifier of the one that is meant."""
    patient_id: Text | None = None
    """Of `move_to_patient`: whose exam it is."""
    issuer_of_patient_id: Text | None = None
    """Who gave that ID, where several did; empty for the patient without an issuer."""

    @model_validator(mode="after")
    def _says_what_it_needs(self) -> ActBody:
        if self.act in ("move", "merge") and not self.into_study_instance_uid:
            raise ValueError(N_("into_study_instance_uid says which study it is moved to: give that, too."))
        if self.act == "move_to_patient" and not self.patient_id:
            raise ValueError(N_("patient_id says whose exam it is: give that, too."))
        if self.act == "move_to_patient" and self.orthanc_instance_id:
            raise ValueError(N_("An exam belongs to one patient: it is moved to another one as a whole."))
        if self.act == "count" and not self.orthanc_instance_id:
            raise ValueError(N_("orthanc_instance_id says which report counts: give that, too."))
        return self


class UndoBody(Parameters):
    """Why a decision is taken back."""

    reason: Annotated[AnyText, Field(max_length=LONGEST_REASON)] = ""
    """For whoever looks at it later."""


class Acts(Answer):
    """What people decided of a study's dose."""

    items: list[Act]
    """The latest first, those that were taken back too, and what else holds for it: a decision about a study from which
    something was moved here, or of which Orthanc made this one."""


def exam_of(call: AnyCall, study_instance_uid: str, orthanc_study_id: str | None) -> StudyKey:
    """Raises NotFound, AmbiguousStudy."""
    with call.connect() as connection:
        found = study_of_uid(connection, study_instance_uid, orthanc_study_id or None)
    if found is None:
        raise NotFound(P_("There is no study with this Study Instance UID."))
    return found


def decide(call: AnyCall, study_instance_uid: str, body: ActBody) -> Act:
    """Raises NotFound, InvalidRequest, RequestConflict."""
    exam = exam_of(call, study_instance_uid, body.orthanc_study_id)
    person = Person(name=call.actor.name, now=call.services.clock(), reason=body.reason.strip())
    into = None
    if body.act in ("move", "merge"):
        into = exam_of(call, (body.into_study_instance_uid or "").strip(), body.into_orthanc_study_id)
    with call.begin() as connection:
        if into is not None:
            name: Literal["move", "merge"] = "merge" if body.act == "merge" else "move"
            return acts.move(connection, exam, body.orthanc_instance_id or None, into, person, name=name)
        if body.act == "move_to_patient":
            issuer = body.issuer_of_patient_id
            return acts.move_to_patient(connection, exam, (body.patient_id or "").strip(), issuer, person)
        if body.act == "count":
            return acts.count(connection, exam, body.orthanc_instance_id or "", person)
        return acts.void(connection, exam, body.orthanc_instance_id or None, person)


def take_back(call: AnyCall, act_id: int, body: UndoBody) -> Act:
    """Raises NotFound, RequestConflict."""
    person = Person(name=call.actor.name, now=call.services.clock(), reason=body.reason.strip())
    with call.begin() as connection:
        return acts.undo(connection, act_id, person)


def of_study(call: Call[WhichStudy, None, StudyPath]) -> Acts:
    exam = exam_of(call, call.path.study_instance_uid, call.query.orthanc_study_id)
    with call.connect() as connection:
        return Acts(items=acts.concerning(connection, exam))


def add(call: Call[None, ActBody, StudyPath]) -> Act:
    return decide(call, call.path.study_instance_uid, call.body)


def undo(call: Call[None, UndoBody, DoseActPath]) -> Act:
    return take_back(call, call.path.dose_act_id, call.body)


def routes() -> list[Route]:
    return [
        dose_route(
            "dose_acts_of_study",
            "studies/{study_instance_uid}/acts",
            of_study,
            "What people decided of the dose of a study.",
            problems=(409, 503),
        ),
        dose_route(
            "dose_decide",
            "studies/{study_instance_uid}/acts",
            add,
            "Leave an exam or a source out, move or merge it, or let a report count.",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            audit=What.VOID,
            status=201,
            problems=(409, 503),
        ),
        dose_route(
            "dose_undo_decision",
            "acts/{dose_act_id}/undo",
            undo,
            "Take a decision back: what was before it holds again.",
            method="POST",
            audit=What.VOID,
            permission=Permission.DECIDE_DOSE,
            status=201,
            problems=(409, 503),
        ),
    ]
