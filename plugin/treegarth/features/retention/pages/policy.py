"""One policy: its text, what it would delete, why each object of a study goes or stays, its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import as_text, shown_versions
from treegarth.errors import ConditionRefused
from treegarth.features.retention import service
from treegarth.features.retention.deletion import numbered_policy
from treegarth.features.retention.model import Reason
from treegarth.features.retention.pages.policies import says
from treegarth.features.retention.pages.preview import look_ahead
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.service import ObjectReasons, PolicyLanguage
from treegarth.features.retention.store.overview import Sum, marked_by_policy
from treegarth.features.retention.store.policies import POLICIES
from treegarth.features.retention.words import reason
from treegarth.index.names import name_study
from treegarth.index.studies import asked_study, told_apart
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.parts import in_words
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.study_choice import NOTHING, choose_study, shown_choice
from treegarth.web.templates import render_page
from treegarth.web.which_study import OfStudies


class PolicyQuery(Parameters):
    """What is shown of the policy, and how."""

    show: Literal["chart", "table"] = "chart"
    """The next 30 days as chart or as table."""


class ExplainQuery(OfStudies):
    """The study whose objects are asked about."""

    chosen_study: Text = ""
    """Of several that `study` finds, Orthanc's identifier of the one that is meant."""


@dataclass(frozen=True, kw_only=True)
class ShownReason:
    """A sentence about an object, and the moment it speaks of."""

    sentence: str
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Objects of one series of which the same can be said."""

    series_instance_uid: str
    instance_count: int
    size_bytes: int
    prune: bool
    in_favour: Sequence[ShownReason]
    against: Sequence[ShownReason]
    sop_instance_uids: Sequence[str]


def routes() -> list[Route]:
    return [
        route(
            name="retention.policy_page",
            path="/treegarth/retention/policies/{policy_id}",
            handler=policy_page,
            summary="One policy: its text, what it would delete, its history.",
            permission=Permission.SEE_SYSTEM,
        ),
        route(
            name="retention.preview_page",
            path="/treegarth/retention/policies/{policy_id}/preview",
            handler=preview_page,
            summary="What a policy would delete today and over the next 30 days.",
            permission=Permission.SEE_SYSTEM,
        ),
        route(
            name="retention.explain_page",
            path="/treegarth/retention/policies/{policy_id}/explain",
            handler=explain_page,
            summary="Why each object of a study would go or stay.",
            permission=Permission.SEE_SYSTEM,
        ),
    ]


def policy_page(call: Call[PolicyQuery, None, PolicyPath]) -> Response:
    language = call.part(PolicyLanguage)
    policy_id = call.path.policy_id
    with call.connect() as connection:
        stored = POLICIES.read(connection, policy_id)
        changes = POLICIES.history(connection, policy_id)
        marked = marked_by_policy(connection).get(policy_id, Sum())
    broken: list[str] = []
    try:
        numbered_policy(stored, language.vocabulary())
    except ConditionRefused as error:
        broken = [in_words(call, problem.sentence) for problem in error.problems]
    return render_page(
        call,
        "retention/policy.html",
        policy=stored,
        why=str(stored.document.get("why", "")),
        says=says(stored.document),
        broken=broken,
        marked=marked,
        text=as_text(stored.document),
        last_use=service.LAST_USE_NOTE if "last use" in str(stored.document) else "",
        versions=shown_versions(changes),
    )


def preview_page(call: Call[PolicyQuery, None, PolicyPath]) -> Response:
    """A page of its own, and a part of the policy's."""
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        stored = POLICIES.read(connection, call.path.policy_id)
        which = numbered_policy(stored, language.vocabulary())
        shown = look_ahead(call, connection, language, which)
    return render_page(
        call,
        "retention/policy_preview.html",
        policy=stored,
        shown=shown,
        without_proof=not which.policy.proofs,
        as_table=call.query.show == "table",
    )


def explain_page(call: Call[ExplainQuery, None, PolicyPath]) -> Response:
    language = call.part(PolicyLanguage)
    asked, uid = call.query, (call.query.study_instance_uid or "").strip()
    with call.connect() as connection:
        stored = POLICIES.read(connection, call.path.policy_id)
        numbered = numbered_policy(stored, language.vocabulary())
        choice = choose_study(call, connection, asked.study, asked.chosen_study) if asked.study else NOTHING
        named = choice.study
        study = named or asked_study(connection, uid, asked.orthanc_study_id)
        key = study.orthanc_study_id if study else ""
        found = service.explain(connection, language, numbered, key, call.services.clock()) if key else []
        name = name_study(connection, study.orthanc_study_id) if study else None
        which = told_apart(connection, [study] if study else [])
    going = sum(one.decision.prune for one in found)
    return render_page(
        call,
        "retention/policy_explain.html",
        policy=stored,
        uid=named.study_instance_uid if named else uid,
        choice=choice if asked.study else shown_choice(name),
        study=study,
        which=which,
        name=name,
        groups=alike(call, found),
        going=going,
        staying=len(found) - going,
    )


def alike(call: AnyCall, found: Sequence[ObjectReasons]) -> list[Alike]:
    """Objects of one series with the same reasons together: a thousand slices are one line."""
    groups: dict[tuple[Any, ...], list[ObjectReasons]] = {}
    for one in found:
        named = tuple((why.cause, why.about) for why in (*one.decision.in_favour, *one.decision.against))
        groups.setdefault((one.series_instance_uid, named), []).append(one)
    return [
        Alike(
            series_instance_uid=group[0].series_instance_uid,
            instance_count=len(group),
            size_bytes=sum(one.size_bytes for one in group),
            prune=group[0].decision.prune,
            in_favour=_shown(call, group[0].decision.in_favour),
            against=_shown(call, group[0].decision.against),
            sop_instance_uids=[one.sop_instance_uid for one in group],
        )
        for group in groups.values()
    ]


def _shown(call: AnyCall, reasons: Sequence[Reason]) -> list[ShownReason]:
    return [ShownReason(sentence=reason(call, one.words, one.about), at=one.at) for one in reasons]
