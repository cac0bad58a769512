"""The rules that mark studies of phantoms, for quality assurance and service: list, try out, add, remove."""

from __future__ import annotations

from flask import Response

from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.dose.registry.pages.names import MEANING_NAMES
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.paths import NotPatientRulePath
from treegarth.features.dose.registry.rule_parameters import PatternParameters, RuleParameters
from treegarth.features.dose.registry.store.not_patients import (
    PATTERNS,
    Meaning,
    NotPatientPreview,
    add_not_patient_rule,
    list_not_patient_rules,
    preview_not_patients,
    remove_not_patient_rule,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "dose.not_patients_page"
PATTERN_NAMES = {
    "patient_id": N_("Patient ID"),
    "patient_name": N_("Name"),
    "study_description": N_("Description"),
    "equipment": N_("Equipment"),
}


class RulesQuery(PatternParameters):
    """Which rules are listed, and which new one is tried out."""

    removed: bool = False
    """Whether those that hold no more are listed too."""
    meaning: Meaning = "phantom"
    """Of the rule that is tried out."""
    note: Text | None = None
    """Of the rule that is tried out."""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/not-patients",
            permission=Permission.VIEW,
            handler=rules_page,
            summary="The rules for phantoms, quality assurance and service, and what a new one would mark.",
        ),
        route(
            name="dose.add_not_patient_page",
            path="/treegarth/dose/not-patients",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=add,
            summary="Add a rule for phantoms, quality assurance or service.",
        ),
        route(
            name="dose.remove_not_patient_page",
            path="/treegarth/dose/not-patients/{rule_id}/remove",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=remove,
            summary="Let a rule for phantoms, quality assurance or service hold no more.",
        ),
    ]


def rules_page(call: Call[RulesQuery, None, None]) -> Response:
    query = call.query
    preview: NotPatientPreview | None = None
    addresses: dict[str, str] = {}
    says_nothing = False
    with call.connect() as connection:
        rules = list_not_patient_rules(connection, with_removed=query.removed)
        if any(getattr(query, name) for name in PATTERNS):
            try:
                preview = preview_not_patients(connection, query.patterns())
                which = told_apart_with_kept(connection, preview.studies)
                addresses = {one.orthanc_study_id: study_address(call, one, which(one)) for one in preview.studies}
            except InvalidRequest:  # nothing but wildcards
                says_nothing = True
    return render_page(
        call,
        "dose/not_patients.html",
        rules=rules,
        holding=sum(rule.removed_at is None for rule in rules),
        with_removed=query.removed,
        meanings=MEANING_NAMES,
        patterns=PATTERN_NAMES,
        tried={name: getattr(query, name) or "" for name in (*PATTERNS, "meaning", "note")},
        says_nothing=says_nothing,
        preview=preview,
        addresses=addresses,
        may_change=call.actor.may(Permission.ADMINISTER),
    )


def add(call: Call[None, RuleParameters, None]) -> Response:
    """Back to the list afterwards, by GET."""
    services, body = call.services, call.body
    with call.begin() as connection:
        add_not_patient_rule(
            connection,
            meaning=body.meaning,
            patterns=body.patterns(),
            note=body.note or None,
            by=call.actor.name,
            now=services.clock(),
        )
    return _back(call)


def remove(call: Call[None, None, NotPatientRulePath]) -> Response:
    services = call.services
    with call.begin() as connection:
        if not remove_not_patient_rule(connection, call.path.rule_id, by=call.actor.name, now=services.clock()):
            raise NotFound(N_("There is no rule with this number that holds."))
    return _back(call)


def _back(call: AnyCall) -> Response:
    return see_other(call, call.site.url(PAGE))
