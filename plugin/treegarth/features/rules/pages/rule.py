"""The page of one rule: what it says, what it did lately, and every change of it with who and when."""

from __future__ import annotations

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import as_text, shown_versions
from treegarth.documents.language import author_of
from treegarth.features.rules.outcomes import OUTCOMES
from treegarth.features.rules.pages.parts import RulePages
from treegarth.features.rules.pages.rule_list import LATELY
from treegarth.features.rules.paths import RulePath
from treegarth.features.rules.service.application import APPLYING
from treegarth.features.rules.store.outcomes import select_outcomes
from treegarth.features.rules.store.rules import RULES
from treegarth.features.rules.store.shown import Acted, acted_since
from treegarth.features.rules.words import TRIGGER_NAMES
from treegarth.index.studies import told_apart
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.work.store import latest

OUTCOMES_SHOWN = 30


def routes() -> list[Route]:
    return [
        route(
            name="rules.rule_page",
            path="/treegarth/rules/{rule_id}",
            permission=Permission.SEE_SYSTEM,
            handler=rule_page,
            summary="One rule: its text, what it did lately, its history.",
        )
    ]


def rule_page(call: Call[None, None, RulePath]) -> Response:
    pages = call.part(RulePages)
    rule_id = call.path.rule_id
    with call.connect() as connection:
        acting = pages.acting(connection, rule_id)
        versions = RULES.history(connection, rule_id)
        done = OUTCOMES.rows(connection, select_outcomes(rule_id=rule_id), limit=OUTCOMES_SHOWN)
        which = told_apart(connection, done.items)
        acted = acted_since(connection, author_of(call).now - LATELY).get(rule_id, Acted())
        application = latest(connection, APPLYING.name, str(rule_id))
    stored = acting.stored
    return render_page(
        call,
        "rules/rule.html",
        rule=stored,
        why=str(stored.document.get("why", "")),
        trigger=TRIGGER_NAMES.get(str(stored.trigger), str(stored.trigger)),
        deeds=[step.describe() for step in acting.rule.steps] if acting.rule else [],
        broken=acting.broken,
        text=stored.source if stored.source is not None else as_text(stored.document),
        acted=acted,
        outcomes=done.items,
        which=which,
        there_are_more=done.next is not None,
        application=application,
        versions=shown_versions(versions),
    )
