"""What a rule would touch, why it means one study or not, and applying it to the archive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.conditions.decision import Explanation
from treegarth.conditions.model import Condition, Value
from treegarth.conditions.values import write_value
from treegarth.documents.language import author_of
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.rules.pages.parts import RulePages
from treegarth.features.rules.paths import ExplainPath, RulePath
from treegarth.features.rules.service.application import APPLYING, apply_by_hand, apply_to_archive
from treegarth.features.rules.service.trial import explain_rule, preview_condition, preview_rule
from treegarth.features.rules.store.studies import MatchedStudy, StudyPage, StudySums
from treegarth.index.names import name_study
from treegarth.index.studies import AmbiguousStudy, told_apart
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import Cursor
from treegarth.web.parts import reason_of
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.study_choice import NOTHING, StudySaid, choose_study
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.web.which_study import WhichStudy
from treegarth.work.pages import work_part
from treegarth.work.store import latest

STUDIES_ON_A_PAGE = 50
LARGE = 100  # studies from which on their number must be typed
WORDS = {
    "all": N_("all of these hold"),
    "any": N_("at least one of these holds"),
    "not": N_("this does not hold"),
    "series": N_("for one and the same series"),
    "instance": N_("for one and the same instance"),
}


class TryQuery(Parameters):
    """Which page of the studies."""

    cursor: Cursor | None = None
    """Where the page begins, from the link to the next page."""


class ApplyBody(WhichStudy):
    """The confirmation of a large number."""

    count: Text = ""
    """The number of studies, typed by the user."""
    study_instance_uid: Text = ""
    """Only this study, if given."""


@dataclass(frozen=True, kw_only=True)
class TriedStudy:
    """A study in the list of what a rule means."""

    patient_name: str | None
    patient_id: str | None
    study_date: date | None
    study_description: str | None
    modalities: Sequence[str]
    instance_count: int
    size_bytes: int
    study_instance_uid: str
    orthanc_study_id: str
    url: str
    which: str | None  # what its addresses say beside the UID


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a rule means in the archive."""

    study_count: int
    instance_count: int
    size_bytes: int
    studies: Sequence[TriedStudy]
    next: str | None = None


@dataclass(frozen=True, kw_only=True)
class Clause:
    """A part of the condition, whether it holds, and what was seen."""

    text: str
    holds: bool
    seen: str | None
    parts: Sequence[Clause]


def routes() -> list[Route]:
    return [
        route(
            name="rules.try_page",
            path="/treegarth/rules/{rule_id}/try",
            permission=Permission.SEE_SYSTEM,
            handler=try_page,
            summary="Which studies of the archive a rule means, and applying it to them.",
        ),
        route(
            name="rules.explain_page",
            path="/treegarth/rules/{rule_id}/explain/{study_instance_uid}",
            permission=Permission.SEE_SYSTEM,
            handler=explain_page,
            summary="Why a rule means one study or not, clause by clause.",
        ),
        route(
            name="rules.why_page",
            path="/treegarth/rules/{rule_id}/why",
            permission=Permission.SEE_SYSTEM,
            handler=why_page,
            summary="To why a rule means a study or not, which is named by patient, accession number or UID.",
        ),
        route(
            name="rules.apply_page",
            path="/treegarth/rules/{rule_id}/apply",
            method="POST",
            permission=Permission.RUN_RULES,
            handler=apply,
            summary="Apply a rule to the archive, or to one study.",
        ),
    ]


def tried_studies(
    call: AnyCall,
    connection: Connection,
    pages: RulePages,
    condition: Condition,
    now: datetime,
    rule_id: int | None,
    limit: int,
) -> Tried:
    """What a condition means now; each study leads to its explanation, or to itself where the rule is not saved."""
    page, sums = preview_condition(connection, pages.book.language, condition, now, limit=limit)
    return _tried(call, connection, page, sums, rule_id)


def _tried(call: AnyCall, connection: Connection, page: StudyPage, sums: StudySums, rule_id: int | None) -> Tried:
    which = told_apart(connection, page.studies)

    def url(study: MatchedStudy) -> str:
        key = {"study_instance_uid": study.study_instance_uid, "orthanc_study_id": which(study)}
        if rule_id is None:
            return call.site.url("archive.study_page", **key)
        return call.site.url("rules.explain_page", rule_id=rule_id, **key)

    names = [name for name in TriedStudy.__dataclass_fields__ if name not in ("url", "which")]
    studies = [
        TriedStudy(**{name: getattr(study, name) for name in names}, url=url(study), which=which(study))
        for study in page.studies
    ]
    return Tried(
        study_count=sums.study_count,
        instance_count=sums.instance_count,
        size_bytes=sums.size_bytes,
        studies=studies,
        next=page.next,
    )


def try_page(call: Call[TryQuery, None, RulePath]) -> Response:
    pages = call.part(RulePages)
    rule_id, now = call.path.rule_id, author_of(call).now
    with call.connect() as connection:
        acting = pages.acting(connection, rule_id)
        if acting.rule is None:
            raise RequestConflict(N_("This rule means nothing any more: edit it first."))
        preview = preview_rule(
            connection, pages.book.language, acting.rule, now, limit=STUDIES_ON_A_PAGE, cursor=call.query.cursor
        )
        application = latest(connection, APPLYING.name, str(rule_id))
        tried = _tried(call, connection, preview.page, preview.sums, rule_id)
    return render_page(
        call,
        "rules/try.html",
        rule=acting.stored,
        deeds=[action.sentence for action in preview.actions],
        tried=tried,
        no_study=NOTHING,
        large=tried.study_count >= LARGE,
        application=application,
        progress=None if application is None else work_part(call, application),
    )


def why_page(call: Call[StudySaid, None, RulePath]) -> Response:
    """To the reasons, where it is clear which study is meant; else it is asked."""
    pages, rule_id = call.part(RulePages), call.path.rule_id
    with call.connect() as connection:
        acting = pages.acting(connection, rule_id)
        choice = (
            choose_study(call, connection, call.query.study, call.query.chosen_study) if call.query.study else NOTHING
        )
        which = told_apart(connection, choice.offered)
    if (study := choice.study) is not None:
        key = {"study_instance_uid": study.study_instance_uid, "orthanc_study_id": which(study)}
        return see_other(call, call.site.url("rules.explain_page", rule_id=rule_id, **key))
    return render_page(call, "rules/why.html", rule=acting.stored, choice=choice)


def explain_page(call: Call[WhichStudy, None, ExplainPath]) -> Response:
    pages = call.part(RulePages)
    now = author_of(call).now
    with call.connect() as connection:
        acting = pages.acting(connection, call.path.rule_id)
        if acting.rule is None:
            raise RequestConflict(N_("This rule means nothing any more: edit it first."))
        explained = explain_rule(
            connection,
            pages.book.language,
            acting.rule,
            call.path.study_instance_uid,
            now,
            orthanc_study_id=call.query.orthanc_study_id,
            stored=acting.stored,
        )
        which = told_apart(connection, [explained.study])
        name = name_study(connection, explained.study.orthanc_study_id)
    return render_page(
        call,
        "rules/explain.html",
        rule=acting.stored,
        study=explained.study,
        which=which,
        name=name,
        holds=explained.holds,
        clause=shown_clause(call, explained.explanation),
        deeds=[action.sentence for action in explained.actions],
    )


def shown_clause(call: AnyCall, given: Explanation) -> Clause:
    """A part of an explanation in the reader's language."""
    is_joint = given.text in WORDS
    seen = ", ".join(_said(call, value) for value in given.seen) or P_("no value")
    return Clause(
        text=Phrase(WORDS[given.text]) if is_joint else given.text,
        holds=given.holds,
        seen=None if is_joint else seen,
        parts=[shown_clause(call, part) for part in given.parts],
    )


def _said(call: AnyCall, value: Value) -> str:
    if isinstance(value, datetime):
        return str(call.site.environments[call.language].filters["instant"](value))
    return write_value(value)


def apply(call: Call[None, ApplyBody, RulePath]) -> Response:
    """To one study, or to the archive: from a hundred studies on only where their number was typed."""
    pages = call.part(RulePages)
    rule_id = call.path.rule_id
    now = author_of(call).now
    vocabulary = pages.book.language.vocabulary
    page = call.site.url("rules.try_page", rule_id=rule_id)
    with call.begin() as connection:
        acting = pages.acting(connection, rule_id)
        try:
            if uid := call.body.study_instance_uid:
                study = apply_by_hand(connection, acting, uid, call.body.orthanc_study_id, by=call.actor.name, now=now)
                which = told_apart(connection, [study])(study)
                return _to(call, "archive.study_page", study_instance_uid=uid, orthanc_study_id=which)
            if acting.rule is not None and (wanted := _count_to_type(connection, pages, acting.rule, now)) is not None:
                typed = "".join(re.findall("[0-9]", call.body.count))
                if typed != str(wanted):
                    raise RequestConflict(N_("The number typed is not the number of studies. Nothing was done."))
            apply_to_archive(connection, vocabulary, acting, by=call.actor.name, now=now, is_asked=True)
        except AmbiguousStudy:  # the page that answers it lets one be chosen
            raise
        except (RequestConflict, NotFound) as error:
            return see_other(call, page, reason_of(call, error), kind="failed")
    return see_other(call, page)


def _count_to_type(connection: Connection, pages: RulePages, rule: Any, now: datetime) -> int | None:
    count = preview_rule(connection, pages.book.language, rule, now, limit=1).sums.study_count
    return count if count >= LARGE else None


def _to(call: AnyCall, name: str, **values: Any) -> Response:
    return see_other(call, call.site.url(name, **values))
