"""What people decide of an exam, on its page: the forms, what was decided, taking it back; and the list of it all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from flask import Response
from markupsafe import Markup
from pydantic import Field
from sqlalchemy import Connection, Select, and_, not_

from treegarth.access.actors import Permission
from treegarth.acts.store import Act, holds, select_acts
from treegarth.acts.tables import act
from treegarth.audit.model import What
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.dose.registry.acts import KINDS
from treegarth.features.dose.registry.api.acts import ActBody, UndoBody, decide, take_back
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.pages.names import KIND_NAMES, SAID_NAMES
from treegarth.features.dose.registry.paths import DoseActPath
from treegarth.features.dose.registry.rule_parameters import LONGEST_REASON
from treegarth.features.dose.registry.rules import Source
from treegarth.features.dose.registry.shown_tables import readable_moment
from treegarth.features.dose.registry.store.decisions import StudySource
from treegarth.features.dose.registry.store.marks import KIND as MARKING
from treegarth.features.dose.registry.store.studies import study_of_uid, told_apart_with_kept
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, NN_, P_, Phrase
from treegarth.web import study_choice
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import render_part
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import AnyText, Parameters, Route, Text
from treegarth.web.study_choice import StudySaid, choose_study
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.web.validation import InvalidFields, validated

ACT_NAMES: Mapping[str, str] = {
    "void": N_("left out"),
    "move": N_("moved to another study"),
    "merge": N_("merged with another exam"),
    "move_to_patient": N_("moved to another patient"),
    "count": N_("this report counts"),
    "mark": N_("of a patient or not"),
}
SOURCE_NAMES: dict[str, str] = {
    Source.REPORT: N_("report"),
    Source.CAPTURE: N_("captured dose page"),
    Source.HEADER: N_("image"),
}


@dataclass(frozen=True, kw_only=True)
class SourceChoice:
    """A source that something can be decided of."""

    orthanc_instance_id: str
    label: str  # a phrase
    can_count: bool


@dataclass(frozen=True, kw_only=True)
class ShownAct:
    """A decision in words, and where it is taken back."""

    act: Act
    words: str  # a msgid
    about: str  # a phrase: of what
    to: str  # a phrase: to where; empty where nothing is moved
    undo_url: str
    study_url: str | None  # of the exam that it was about, where that is another one


class ActForm(StudySaid):
    """What the forms of an exam's page send; the model of the API says what is wrong with it."""

    act: Text = ""
    reason: Annotated[AnyText, Field(max_length=LONGEST_REASON)] = ""
    orthanc_study_id: Text = ""
    """Of the exam, where several have its UID."""
    orthanc_instance_id: Text = ""
    """The source; empty for the whole exam."""
    patient_id: Text = ""
    issuer_of_patient_id: Text = ""


class UndoForm(UndoBody):
    """A decision is taken back."""


class ActsAsked(Parameters):
    """Which decisions."""

    act: Literal["void", "move", "merge", "move_to_patient", "count", "mark"] | None = None
    """Of this kind; `mark` says whether a study is of a patient."""
    by: Text | None = None
    """By this person, exactly."""
    study: Text | None = None
    """About studies that have each of these words in the patient's name or ID, the accession number or the description,
    or that have this UID."""
    study_instance_uid: Text | None = None
    """About this study."""
    holds: bool | None = None
    """Only those that hold, or only those that were taken back, and what took them back."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.decide_page",
            audit=What.VOID,
            path="/treegarth/dose/studies/{study_instance_uid}/acts",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=decide_page,
            summary="Leave an exam or a source out, move or merge it, or let a report count.",
        ),
        route(
            name="dose.undo_page",
            audit=What.VOID,
            path="/treegarth/dose/acts/{dose_act_id}/undo",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=undo_page,
            summary="Take a decision about an exam back.",
        ),
    ]


def acts_section(
    call: AnyCall, study: StudyKey, which: str | None, decided: Sequence[Act], sources: Sequence[SourceChoice]
) -> Markup:
    """The part of an exam's page: what was decided, and the forms for those who may."""
    return render_part(
        call,
        "dose/acts.html",
        study=study,
        which=which,
        acts=[
            shown_act(call, one, study)
            for one in decided
            if one.kind != MARKING  # stands in a part of its own
        ],
        act_sources=sources,
        no_study=study_choice.NOTHING,
        may_decide=call.actor.may(Permission.DECIDE_DOSE),
    )


def source_choice(one: StudySource) -> SourceChoice:
    """As a form offers it: what it is, and its UID."""
    return SourceChoice(
        orthanc_instance_id=one.orthanc_instance_id,
        label=_source_in_words(one.kind, one.source, one.sop_instance_uid, made=one.made),
        can_count=one.source in (Source.REPORT, Source.CAPTURE),
    )


def _source_in_words(kind: str | None, source: str | None, sop_instance_uid: str, *, made: str | None = None) -> Phrase:
    what = Phrase(SOURCE_NAMES.get(source or "", N_("object")))
    of = Phrase(KIND_NAMES[kind]) if kind in KIND_NAMES else "–"
    if made is not None:
        when = readable_moment(made)
        return P_("%(kind)s, %(source)s of %(when)s, %(uid)s", kind=of, source=what, when=when, uid=sop_instance_uid)
    return P_("%(kind)s, %(source)s, %(uid)s", kind=of, source=what, uid=sop_instance_uid)


def shown_act(call: AnyCall, one: Act, here: StudyKey | None = None) -> ShownAct:
    """In words; `here` is the exam on whose page it stands."""
    name = one.kind.removeprefix(KINDS)
    source = one.content.get("source")
    about: str = P_("the whole exam")
    if "meaning" in one.content:
        about = Phrase(SAID_NAMES[one.content["meaning"]])
    if source:
        about = _source_in_words(source.get("kind"), source.get("source"), source["sop_instance_uid"])
    return ShownAct(
        act=one,
        words=ACT_NAMES[name],
        about=about,
        to=_to(one.content),
        undo_url=call.site.url("dose.undo_page", dose_act_id=one.id),
        study_url=None
        if here is None or here.orthanc_study_id == one.orthanc_study_id
        else dose_page_of(call, one.study_instance_uid, one.orthanc_study_id),
    )


def _to(content: Mapping[str, Any]) -> str:
    target, patient = content.get("target"), content.get("patient")
    if target:
        uid, whose = target["study_instance_uid"], target.get("patient_id") or "–"
        return P_("study %(uid)s of patient %(patient)s", uid=uid, patient=whose)
    return P_("patient %(patient)s", patient=patient["patient_id"]) if patient else ""


def decide_page(call: Call[None, ActForm, StudyPath]) -> Response:
    """Back to the exam, which says what became of it; where it is not clear which study is meant, that is asked."""
    form = call.body
    given = {name: value for name, value in form.model_dump().items() if value != "" and name not in OF_TARGET}
    given = given if form.act == "move_to_patient" else {k: v for k, v in given.items() if k not in OF_PATIENT}
    if form.act in ("move", "merge"):
        with call.connect() as connection:
            choice = choose_study(call, connection, form.study, form.chosen_study)
            kept = study_of_uid(connection, form.study.strip(), None) if not choice.offered else None
        into = choice.study or kept  # the registry knows studies that have left the archive, by their UID
        if into is None:
            back = dose_page_of(call, call.path.study_instance_uid, form.orthanc_study_id or None)
            named = ACT_NAMES[form.act]
            return render_page(call, "dose/act_study.html", given=given, act=named, choice=choice, back=back)
        given |= {"into_study_instance_uid": into.study_instance_uid, "into_orthanc_study_id": into.orthanc_study_id}
    try:
        decide(call, call.path.study_instance_uid, validated(ActBody, given))
    except InvalidFields as refused:
        return _back(call, *(Phrase(one.message, one.values) for one in refused.faults), is_done=False)
    except (InvalidRequest, NotFound, RequestConflict) as refused:
        return _back(call, refused.sentence, is_done=False)
    return _back(call, P_("It is decided; every sum follows. It can be taken back below."))


OF_TARGET = ("study", "chosen_study")
OF_PATIENT = ("patient_id", "issuer_of_patient_id")


def _back(call: Call[None, ActForm, StudyPath], *said: str, is_done: bool = True) -> Response:
    which = call.body.orthanc_study_id or None
    uid = call.path.study_instance_uid
    url = call.site.url("dose.study_page", study_instance_uid=uid, orthanc_study_id=which)
    return see_other(call, url, *said, kind="ok" if is_done else "attention")


def undo_page(call: Call[None, UndoForm, DoseActPath]) -> Response:
    """Back to the exam that it was about."""
    undone = take_back(call, call.path.dose_act_id, call.body)
    with call.connect() as connection:
        which = told_apart_with_kept(connection, [undone])(undone)
    uid = undone.study_instance_uid
    url = call.site.url("dose.study_page", study_instance_uid=uid, orthanc_study_id=which)
    return see_other(call, url, P_("It is taken back; what was before it holds again."))


def find(asker: Asker, connection: Connection, asked: ActsAsked) -> Select[Any]:
    query = select_acts().where(act.c.kind.startswith(KINDS))
    if asked.act is not None:
        query = query.where(act.c.kind == KINDS + asked.act)
    if asked.by is not None:
        query = query.where(act.c.by == asked.by)
    if asked.study_instance_uid is not None:
        query = query.where(act.c.study_instance_uid == asked.study_instance_uid)
    if asked.holds is not None:
        holding = and_(holds(), act.c.undoes.is_(None))
        query = query.where(holding if asked.holds else not_(holding))
    return query


def extras(call: AnyCall, connection: Connection, asked: ActsAsked, found: Sequence[Act]) -> Mapping[str, Any]:
    which: Callable[[Act], str | None] = told_apart_with_kept(connection, found)
    return {"in_words_of": {one.id: shown_act(call, one) for one in found}, "which": which}


ACTS = Listing(
    name="dose.acts",
    title=N_("Decisions about doses"),
    counts=NN_("%(num)s decision", "%(num)s decisions"),
    path="dose/acts",
    api_name="dose_acts",
    api_path="dose/acts",
    tag="dose",
    summary="What people decided of exams and sources, when and why.",
    record=Act,
    asked=ActsAsked,
    query=find,
    unique="id",
    order="-id",
    columns=(
        Column(name="id", label=N_("No."), form="number"),
        Column(name="kind", label=N_("Decision"), form="own"),
        Column(name="study_instance_uid", label=N_("Study"), form="study"),
        Column(name="about", label=N_("Of what"), form="own", sorts_by=(), narrow="c-1"),
        Column(name="reason", label=N_("Reason"), sorts_by=()),
        Column(name="by", label=N_("Who"), form="own", nulls_first=True),
        Column(name="at", label=N_("When")),
        Column(name="undone_by", label=N_("State"), form="own", sorts_by=()),
    ),
    filters=(
        Filter(name="act", label=N_("Decision"), choices=ACT_NAMES),
        Filter(name="by", label=N_("Who")),
        Filter(name="study", label=N_("Patient or study"), width="wide"),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
        Filter(name="holds", label=N_("State"), choices={"true": N_("in force"), "false": N_("taken back")}),
    ),
    empty=Empty(
        title=N_("Nobody decided anything yet"),
        text=N_(
            "Where a report is wrong, of another patient or there twice, say so on the page of its exam. What was "
            "decided stands here, with who and why, and can be taken back."
        ),
        filtered=N_("No decision fits these filters"),
    ),
    template="dose/act_list.html",
    extras=extras,
)
