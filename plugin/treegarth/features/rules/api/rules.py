"""The rules themselves over HTTP: list, add, read, change, switch, move, remove, versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import RootModel

from treegarth.documents.answers import EditBody
from treegarth.features.rules.api.parts import (
    as_fields,
    rule_route,
    written_rule,
)
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.paths import RulePath
from treegarth.features.rules.requests import author_of, rule_at
from treegarth.features.rules.service import ActingRule, create_rule, edit_rule, move_rule, remove_rule, switch_rule
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.store.rules import RuleVersion, list_versions
from treegarth.features.rules.text import RuleRefused, rule_document
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Identifier, Parameters, Route


class RuleDocument(RootModel[dict[str, Any]]):
    """A rule as its text form has it, in JSON: `name`, `why`, `when`, `schedule`, `if`, `do`, `on`."""


class RuleItem(Answer):
    """A rule."""

    id: int
    name: str
    why: str
    version: int
    trigger: Trigger
    is_on: bool
    position: int
    """Rules act in this order."""
    document: dict[str, Any]
    """The rule as its text form has it, without `on`."""
    does: list[str]
    """What each of its actions does, in a sentence."""
    problems: list[str]
    """Why the rule means nothing any more and does nothing: a webhook that is not set now. Else empty."""
    changed_by: str | None
    changed_at: datetime
    scheduled_at: datetime | None
    """When a rule of trigger schedule acts next."""


class RuleList(Answer):
    """The rules, in the order in which they act."""

    items: list[RuleItem]


class RuleVersionList(Answer):
    """Every change of a rule, the latest first."""

    items: list[RuleVersion]


class RuleStateBody(Parameters):
    """What to change of a rule's state; what is not given stays."""

    is_on: bool | None = None
    """Whether it acts. Off also ends its application to the archive."""
    place: Identifier | None = None
    """Its place in the order, from 1."""


def rules(call: Call[None, None, None]) -> RuleList:
    book = call.part(RuleBook)
    with call.connect() as connection:
        return RuleList(items=[rule_item(one) for one in book.all(connection)])


def rule(call: Call[None, None, RulePath]) -> RuleItem:
    with call.connect() as connection:
        return rule_item(rule_at(call, connection, call.path.rule_id))


def add(call: Call[None, RuleDocument, None]) -> RuleItem:
    book = call.part(RuleBook)
    written = written_rule(call.body.root, book.language)
    with call.begin() as connection:
        try:
            rule_id = create_rule(connection, written, author_of(call))
        except RuleRefused as refused:
            raise as_fields(refused) from None
        return rule_item(rule_at(call, connection, rule_id))


def edit(call: Call[None, EditBody, RulePath]) -> RuleItem:
    book = call.part(RuleBook)
    written = written_rule(call.body.document, book.language)
    with call.begin() as connection:
        try:
            author = author_of(call)
            edit_rule(connection, call.path.rule_id, written, author, since=call.body.version)
        except RuleRefused as refused:
            raise as_fields(refused) from None
        return rule_item(rule_at(call, connection, call.path.rule_id))


def change_state(call: Call[None, RuleStateBody, RulePath]) -> RuleItem:
    author, rule_id = author_of(call), call.path.rule_id
    with call.begin() as connection:
        acting = rule_at(call, connection, rule_id)
        if call.body.is_on is not None:
            switch_rule(connection, acting, author, is_on=call.body.is_on)
        if call.body.place is not None:
            move_rule(connection, rule_id, call.body.place, author)
        return rule_item(rule_at(call, connection, rule_id))


def remove(call: Call[None, None, RulePath]) -> RuleItem:
    book = call.part(RuleBook)
    with call.begin() as connection:
        return rule_item(book.read(remove_rule(connection, call.path.rule_id, author_of(call))))


def versions(call: Call[None, None, RulePath]) -> RuleVersionList:
    with call.connect() as connection:
        rule_at(call, connection, call.path.rule_id)
        found = list_versions(connection, call.path.rule_id)
    return RuleVersionList(items=list(found))


def rule_item(acting: ActingRule) -> RuleItem:
    """A rule as answers have it."""
    stored, rule = acting.stored, acting.rule
    document: Mapping[str, Any] = stored.document if rule is None else rule_document(rule)
    names = ("id", "name", "version", "trigger", "is_on", "position", "changed_by", "changed_at", "scheduled_at")
    return RuleItem(
        **{name: getattr(stored, name) for name in names},
        why=str(document.get("why", "")),
        document=dict(document),
        does=[] if rule is None else [step.describe() for step in rule.steps],
        problems=list(acting.broken),
    )


def routes() -> list[Route]:
    """The endpoints of the rules themselves."""
    change: dict[str, Any] = {"permission": Permission.ADMINISTER}
    return [
        rule_route("rules", "rules", rules, "The rules, in the order in which they act."),
        rule_route(
            "add_rule",
            "rules",
            add,
            "Add a rule, the last in order; off unless it says `on: true`.",
            method="POST",
            status=201,
            problems=(400, 409, 503),
            **change,
        ),
        rule_route("rule", "rules/{rule_id}", rule, "A rule.", problems=(404, 503)),
        rule_route(
            "edit_rule",
            "rules/{rule_id}",
            edit,
            "Word a rule anew; on or off as before unless it says.",
            method="PUT",
            problems=(400, 404, 409, 503),
            **change,
        ),
        rule_route(
            "change_rule_state",
            "rules/{rule_id}/state",
            change_state,
            "Switch a rule on or off, or move it in the order.",
            method="PUT",
            problems=(400, 404, 409, 503),
            **change,
        ),
        rule_route(
            "remove_rule",
            "rules/{rule_id}",
            remove,
            "Remove a rule; its versions and what it did stay on record.",
            method="DELETE",
            problems=(404, 503),
            **change,
        ),
        rule_route(
            "rule_versions",
            "rules/{rule_id}/versions",
            versions,
            "Every change of a rule, with who and when.",
            problems=(404, 503),
        ),
    ]
