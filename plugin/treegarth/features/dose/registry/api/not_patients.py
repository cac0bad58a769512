"""The rules for phantoms, quality assurance and service over HTTP: list, try out, add, remove."""

from __future__ import annotations

from datetime import date, datetime

from treegarth.errors import NotFound
from treegarth.features.dose.registry.api.parts import Listed, dose_route
from treegarth.features.dose.registry.paths import NotPatientRulePath
from treegarth.features.dose.registry.rule_parameters import PatternParameters, RuleParameters
from treegarth.features.dose.registry.store.not_patients import (
    PATTERNS,
    Meaning,
    NotPatientRule,
    add_not_patient_rule,
    find_not_patient_rule,
    list_not_patient_rules,
    preview_not_patients,
    remove_not_patient_rule,
)
from treegarth.phrases import P_
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Parameters, Route

STUDIES_OF_A_PREVIEW = 50


class RulesQuery(Parameters):
    """Which rules."""

    with_removed: bool = False
    """Also those that hold no more."""


class NotPatientRuleItem(Answer):
    """A rule and what it marks. Patterns: `*` is any text, `?` any character; all that are given must match."""

    id: int
    meaning: Meaning
    patient_id: str | None
    patient_name: str | None
    study_description: str | None
    equipment: str | None
    """Compared with manufacturer, model, station name and serial number, one by one."""
    note: str | None
    created_by: str | None
    """Null without a login."""
    created_at: datetime
    removed_by: str | None
    removed_at: datetime | None
    """When it ceased to hold; null while it holds."""
    study_count: int
    """Studies that it marks now. Of several rules that match the one with the lowest number marks."""


class NotPatientRuleList(Answer):
    """The rules, in the order of their numbers."""

    items: list[NotPatientRuleItem]


class PreviewStudy(Listed):
    """A study that matches."""

    study_instance_uid: str
    patient_id: str | None
    patient_name: str | None
    study_date: date | None
    study_description: str | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    not_patient: str | None
    """What a rule that holds already says it is."""


class Preview(Listed):
    """What patterns match."""

    study_count: int
    marked_count: int
    """Of them, those that a rule marks already."""
    studies: list[PreviewStudy]
    """The newest, at most 50."""


def rules(call: Call[RulesQuery, None, None]) -> NotPatientRuleList:
    with call.connect() as connection:
        rules = list_not_patient_rules(connection, with_removed=call.query.with_removed)
    return NotPatientRuleList(items=[_item(rule) for rule in rules])


def preview(call: Call[PatternParameters, None, None]) -> Preview:
    with call.connect() as connection:
        found = preview_not_patients(connection, call.query.patterns(), limit=STUDIES_OF_A_PREVIEW)
    return Preview.model_validate(found)


def add(call: Call[None, RuleParameters, None]) -> NotPatientRuleItem:
    body = call.body
    with call.begin() as connection:
        made = add_not_patient_rule(
            connection,
            meaning=body.meaning,
            patterns=body.patterns(),
            note=body.note or None,
            by=call.actor.name,
            now=call.services.clock(),
        )
        rule = find_not_patient_rule(connection, made)
    if rule is None:
        raise NotFound(P_("The rule is gone."))
    return _item(rule)


def remove(call: Call[None, None, NotPatientRulePath]) -> NotPatientRuleItem:
    with call.begin() as connection:
        number = call.path.rule_id
        removed = remove_not_patient_rule(connection, number, by=call.actor.name, now=call.services.clock())
        rule = find_not_patient_rule(connection, number) if removed else None
    if rule is None:
        raise NotFound(P_("There is no rule with this number that holds."))
    return _item(rule)


def _item(rule: NotPatientRule) -> NotPatientRuleItem:
    names = ("id", "meaning", "note", "created_by", "created_at", "removed_by", "removed_at", "study_count")
    values = {name: getattr(rule, name) for name in names}
    return NotPatientRuleItem(**values, **{name: getattr(rule.patterns, name) for name in PATTERNS})


def routes() -> list[Route]:
    """The rules' part of the API."""
    return [
        dose_route(
            "not_patient_rules",
            "not-patients",
            rules,
            "The rules that mark studies of phantoms, for quality assurance and service.",
        ),
        dose_route(
            "preview_not_patient_rule",
            "not-patients/preview",
            preview,
            "Which studies a rule with these patterns would mark.",
        ),
        dose_route(
            "add_not_patient_rule",
            "not-patients",
            add,
            "Add a rule; it marks what is there and what comes.",
            method="POST",
            permission=Permission.ADMINISTER,
            status=201,
        ),
        dose_route(
            "remove_not_patient_rule",
            "not-patients/{rule_id}",
            remove,
            "Let a rule hold no more; it stays on record.",
            method="DELETE",
            permission=Permission.ADMINISTER,
        ),
    ]
