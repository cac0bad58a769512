"""The rules that mark studies of phantoms, for quality assurance and service: list, try out, add."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.errors import InvalidRequest
from treegarth.features.dose.registry.api.not_patients import NOT_PATIENT_DOCUMENTS
from treegarth.features.dose.registry.pages.names import MEANING_NAMES
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.rule_parameters import LONGEST_NAME, PatternParameters, RuleParameters
from treegarth.features.dose.registry.store.not_patients import (
    NOT_PATIENTS,
    PATTERNS,
    Meaning,
    NotPatientPreview,
    preview_not_patients,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import AnyText, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "dose.not_patients_page"
PATTERN_NAMES = {
    "patient_id": N_("Patient ID"),
    "patient_name": N_("Name"),
    "study_description": N_("Description"),
    "equipment": N_("Equipment"),
    "institution_name": N_("Institution"),
}


class RulesQuery(PatternParameters):
    """Which rules are listed, and which new one is tried out."""

    removed: bool = False
    """Whether those that hold no more are listed too."""
    meaning: Meaning = "phantom"
    """Of the rule that is tried out."""
    note: Text | None = None
    """Of the rule that is tried out."""
    name: Text | None = None
    """Of the rule that is tried out."""


class RuleForm(RuleParameters):
    """A rule that was tried out; without a name it is called by its patterns."""

    name: Annotated[AnyText, Field(max_length=LONGEST_NAME)] = ""
    """What it is called."""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/dose/not-patients",
            permission=Permission.SEE_DOSE,
            handler=rules_page,
            summary="The rules for phantoms, quality assurance and service, and what a new one would mark.",
        ),
        route(
            name="dose.add_not_patient_page",
            path="/treegarth/dose/not-patients",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=add,
            summary="Add a rule for phantoms, quality assurance or service.",
        ),
    ]


def rules_page(call: Call[RulesQuery, None, None]) -> Response:
    query = call.query
    preview: NotPatientPreview | None = None
    addresses: dict[str, str] = {}
    says_nothing = False
    with call.connect() as connection:
        stored = NOT_PATIENTS.all(connection, removed=query.removed)
        rules = NOT_PATIENT_DOCUMENTS.answers(call, connection, stored)
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
        tried={name: getattr(query, name) or "" for name in (*PATTERNS, "name", "meaning", "note")},
        says_nothing=says_nothing,
        preview=preview,
        addresses=addresses,
        may_change=call.actor.may(Permission.DECIDE_DOSE),
    )


def add(call: Call[None, RuleForm, None]) -> Response:
    """Back to the list afterwards, by GET. A rule that nobody named is called by its patterns."""
    document = call.body.document()
    named = {"name": ", ".join(document[name] for name in PATTERNS if name in document)[:LONGEST_NAME], **document}
    with call.begin() as connection:
        NOT_PATIENT_DOCUMENTS.create(call, connection, named)
    return see_other(call, call.site.url(PAGE))
