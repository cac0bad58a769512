"""The list of rules: order, on and off, export and import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.answers import OrderedStateBody
from treegarth.features.rules.api.rules import RULE_DOCUMENTS
from treegarth.features.rules.pages.parts import RulePages
from treegarth.features.rules.paths import RulePath
from treegarth.features.rules.service.book import ActingRule
from treegarth.features.rules.store.rules import RULES
from treegarth.features.rules.store.shown import Acted, acted_since
from treegarth.features.rules.words import TRIGGER_NAMES
from treegarth.phrases import N_
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Navigation, Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

LATELY = timedelta(days=7)


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


def routes() -> list[Route]:
    return [
        route(
            name="rules.rules_page",
            path="/treegarth/rules",
            permission=Permission.SEE_SYSTEM,
            handler=rules_page,
            summary="The rules in the order in which they act.",
            navigation=Navigation(label=N_("Rules"), icon="rules", order=32, key="r"),
        ),
        route(
            name="rules.move_page",
            path="/treegarth/rules/{rule_id}/move",
            method="POST",
            permission=Permission.RUN_RULES,
            handler=move,
            summary="Move a rule up or down in the order.",
        ),
    ]


def rules_page(call: Call[None, None, None]) -> Response:
    pages = call.part(RulePages)
    now = call.services.clock()
    with call.connect() as connection:
        rules = pages.book.all(connection)
        acted = acted_since(connection, now - LATELY)
    shown = [_shown(one, acted.get(one.stored.id, Acted()), place) for place, one in enumerate(rules, start=1)]
    return render_page(
        call,
        "rules/rules.html",
        rules=shown,
    )


def _shown(one: ActingRule, acted: Acted, place: int) -> ShownRule:
    stored = one.stored
    return ShownRule(
        id=stored.id,
        name=stored.name,
        why=str(stored.document.get("why", "")),
        trigger=TRIGGER_NAMES.get(str(stored.trigger), str(stored.trigger)),
        is_on=stored.is_on,
        deeds=[step.describe() for step in one.rule.steps] if one.rule else [],
        broken=tuple(one.broken),
        acted=acted,
        place=place,
    )


def move(call: Call[None, MoveBody, RulePath]) -> Response:
    with call.begin() as connection:
        order = list(RULES.names(connection).values())
        if call.path.rule_id in order:
            place = order.index(call.path.rule_id) + 1
            wanted = place - 1 if call.body.direction == "up" else place + 1
            if 1 <= wanted <= len(order):
                RULE_DOCUMENTS.set_state(call, connection, call.path.rule_id, OrderedStateBody(place=wanted))
    return _back(call)


def _back(call: Call[object, object, RulePath]) -> Response:
    """To the page whose button was pressed: the list, or the rule's own."""
    own = call.site.url("rules.rule_page", rule_id=call.path.rule_id)
    came_from_own = (call.http.headers.get("Referer") or "").split("?")[0].rstrip("/").endswith(own)
    return see_other(call, own if came_from_own else call.site.url("rules.rules_page"))
