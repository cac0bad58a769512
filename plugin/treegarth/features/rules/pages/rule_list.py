"""The list of rules: order, on and off, export and import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flask import Response

from treegarth.errors import RequestConflict
from treegarth.features.rules.pages.editor import TRIGGERS, leave_for
from treegarth.features.rules.pages.parts import RulePages, author
from treegarth.features.rules.service.book import ActingRule
from treegarth.features.rules.service.editor import move_rule, remove_rule, switch_rule
from treegarth.features.rules.service.yaml_import import Imported, export_rules, import_rules
from treegarth.features.rules.store.rules import list_rules
from treegarth.features.rules.store.shown import Acted, acted_since
from treegarth.features.rules.text import RuleRefused
from treegarth.features.rules.yaml_text import UnreadableYaml
from treegarth.phrases import N_
from treegarth.web.actors import Permission
from treegarth.web.parts import AnyCall, in_words, ngettext_for, reason_of, translated
from treegarth.web.routes import Identifier, Navigation, Parameters, Route
from treegarth.web.templates import render_page

LATELY = timedelta(days=7)


class RulePath(Parameters):
    rule_id: Identifier
    """The rule's number."""


class SwitchBody(Parameters):
    """On or off."""

    on: bool
    """Whether the rule is to act."""


class MoveBody(Parameters):
    """Where to."""

    direction: Literal["up", "down"]
    """One place up or down."""


@dataclass(frozen=True, kw_only=True)
class ShownRule:
    """A line of the list."""

    id: int
    name: str
    why: str
    trigger: str
    is_on: bool
    deeds: list[str]
    broken: tuple[str, ...]
    acted: Acted
    place: int


def routes(pages: RulePages) -> list[Route]:
    return [
        Route(
            name="rules.rules_page",
            path="/treegarth/rules",
            permission=Permission.VIEW,
            handler=lambda call: rules_page(call, pages),
            summary="The rules in the order in which they act.",
            navigation=Navigation(label=N_("Rules"), icon="rules", order=32),
        ),
        Route(
            name="rules.export_page",
            path="/treegarth/rules.yaml",
            permission=Permission.VIEW,
            handler=lambda call: export(call, pages),
            summary="Every rule as YAML, with comments as they were written.",
            media_type="application/yaml",
        ),
        Route(
            name="rules.import_form",
            path="/treegarth/rules/import",
            permission=Permission.ADMINISTER,
            handler=lambda call: _import_page(call, "", [], []),
            summary="Rules from YAML: see what would change, then import.",
        ),
        Route(
            name="rules.import_page",
            path="/treegarth/rules/import",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=lambda call: import_text(call, pages),
            summary="Show what importing rules would change, or import them.",
        ),
        Route(
            name="rules.switch_page",
            path="/treegarth/rules/{rule_id}/switch",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=lambda call: switch(call, pages),
            summary="Switch a rule on or off.",
            path_parameters=RulePath,
            body=SwitchBody,
        ),
        Route(
            name="rules.move_page",
            path="/treegarth/rules/{rule_id}/move",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=move,
            summary="Move a rule up or down in the order.",
            path_parameters=RulePath,
            body=MoveBody,
        ),
        Route(
            name="rules.remove_page",
            path="/treegarth/rules/{rule_id}/remove",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=remove,
            summary="Remove a rule; what it did and its history stay.",
            path_parameters=RulePath,
        ),
    ]


def rules_page(call: AnyCall, pages: RulePages) -> Response:
    now = author(call).now
    with call.connect() as connection:
        rules = pages.book.all(connection)
        acted = acted_since(connection, now - LATELY)
    shown = [_shown(call, one, acted.get(one.stored.id, Acted()), place) for place, one in enumerate(rules, start=1)]
    on = sum(rule.is_on for rule in shown)
    return render_page(
        call,
        "rules.html",
        rules=shown,
        counted=ngettext_for(call, "%(num)s rule", "%(num)s rules", len(shown)),
        on=ngettext_for(call, "%(num)s on", "%(num)s on", on),
    )


def _shown(call: AnyCall, one: ActingRule, acted: Acted, place: int) -> ShownRule:
    stored = one.stored
    return ShownRule(
        id=stored.id,
        name=stored.name,
        why=str(stored.document.get("why", "")),
        trigger=trigger_name(call, str(stored.trigger)),
        is_on=stored.is_on,
        deeds=[in_words(call, step.describe()) for step in one.rule.steps] if one.rule else [],
        broken=tuple(in_words(call, problem) for problem in one.broken),
        acted=acted,
        place=place,
    )


def trigger_name(call: AnyCall, trigger: str) -> str:
    """A trigger in the reader's language."""
    return next((translated(call, label) for value, label, _ in TRIGGERS if value == trigger), trigger)


def export(call: AnyCall, pages: RulePages) -> Response:
    with call.connect() as connection:
        text = export_rules(connection, pages.book)
    headers = {"Content-Disposition": 'attachment; filename="rules.yaml"'}
    return Response(text, mimetype="application/yaml", headers=headers)


def import_text(call: AnyCall, pages: RulePages) -> Response:
    """First what would change; the same text once more, with the second button, is imported."""
    text = call.http.form.get("text", "").replace("\r\n", "\n")
    really = call.http.form.get("act") == "import"
    try:
        with call.begin() as connection:
            made = import_rules(connection, pages.book.language, text, author(call), dry_run=not really)
    except RuleRefused as error:
        return _import_page(call, text, [in_words(call, problem.sentence) for problem in error.problems], [])
    except (UnreadableYaml, RequestConflict) as error:
        return _import_page(call, text, [reason_of(call, error)], [])
    if really:
        return leave_for(call, call.site.url("rules.rules_page"))
    return _import_page(call, text, [], made)


def _import_page(call: AnyCall, text: str, problems: list[str], plan: list[Imported]) -> Response:
    return render_page(call, "rules_import.html", text=text, problems=problems, plan=plan)


def switch(call: AnyCall, pages: RulePages) -> Response:
    with call.begin() as connection:
        acting = pages.acting(connection, call.path.rule_id)
        switch_rule(connection, acting, author(call), is_on=call.body.on)
    return _back(call)


def move(call: AnyCall) -> Response:
    with call.begin() as connection:
        order = [rule.id for rule in list_rules(connection)]
        if call.path.rule_id in order:
            place = order.index(call.path.rule_id) + 1
            wanted = place - 1 if call.body.direction == "up" else place + 1
            if 1 <= wanted <= len(order):
                move_rule(connection, call.path.rule_id, wanted, author(call))
    return _back(call)


def remove(call: AnyCall) -> Response:
    with call.begin() as connection:
        remove_rule(connection, call.path.rule_id, author(call))
    return Response(status=303, headers={"Location": call.site.url("rules.rules_page")})


def _back(call: AnyCall) -> Response:
    """To the page whose button was pressed: the list, or the rule's own."""
    own = call.site.url("rules.rule_page", rule_id=call.path.rule_id)
    came_from_own = (call.http.headers.get("Referer") or "").split("?")[0].rstrip("/").endswith(own)
    return Response(status=303, headers={"Location": own if came_from_own else call.site.url("rules.rules_page")})
