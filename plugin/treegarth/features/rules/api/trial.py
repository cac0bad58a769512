"""Trying rules over HTTP: which studies one means, and why it means one or not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.conditions.decision import Explanation
from treegarth.documents.answers import DocumentBody
from treegarth.errors import RequestConflict
from treegarth.features.rules.api.parts import rule_route
from treegarth.features.rules.api.rules import EXAMPLE
from treegarth.features.rules.model import Rule
from treegarth.features.rules.paths import ExplainPath, RulePath
from treegarth.features.rules.requests import rule_at
from treegarth.features.rules.service import ActingRule, Explained, Preview, explain_rule, preview_rule
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.service.trial import ForeseenAction
from treegarth.features.rules.store.studies import MatchedStudy
from treegarth.features.rules.text import parse_rule
from treegarth.phrases import P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.lists import PageQuery
from treegarth.web.routes import Answer, Route
from treegarth.web.which_study import WhichStudy


class RulePreview(Answer):
    """What a rule would touch now."""

    study_count: int
    """Exactly."""
    instance_count: int
    size_bytes: int
    """Of all these studies together."""
    actions: list[ForeseenAction]
    """What it would do to each."""
    items: list[MatchedStudy]
    """The newest first."""
    next: str | None
    """The cursor of the next page; null at the end."""


class Clause(Answer):
    """A clause of the condition."""

    text: str
    """The comparison, or `all`, `any`, `not`, `series`, `instance`."""
    holds: bool
    seen: list[Any]
    """The values that a comparison saw, each once, at most 20."""
    key: str
    """Orthanc's identifier of the series or instance that the parts speak of; else empty."""
    parts: list[Clause]


class ExplainAnswer(Answer):
    """Why a rule means a study or not."""

    study_instance_uid: str
    orthanc_study_id: str
    holds: bool
    explanation: Clause
    actions: list[ForeseenAction]
    """What it would do to this study; empty where it does not hold."""


def preview(call: Call[PageQuery, None, RulePath]) -> RulePreview:
    with call.connect() as connection:
        rule = meant(rule_at(call, connection, call.path.rule_id))
        return _previewed(call, connection, rule, call.query)


def preview_document(call: Call[PageQuery, DocumentBody, None]) -> RulePreview:
    book = call.part(RuleBook)
    rule = parse_rule(call.body.document, book.language, "document").rule
    with call.connect() as connection:
        return _previewed(call, connection, rule, call.query)


def _previewed(call: AnyCall, connection: Connection, rule: Rule, query: PageQuery) -> RulePreview:
    book = call.part(RuleBook)
    now = call.services.clock()
    found = preview_rule(connection, book.language, rule, now, limit=query.limit, cursor=query.cursor)
    return preview_answer(found)


def explain(call: Call[WhichStudy, None, ExplainPath]) -> ExplainAnswer:
    book = call.part(RuleBook)
    with call.connect() as connection:
        acting = rule_at(call, connection, call.path.rule_id)
        uid, now = call.path.study_instance_uid, call.services.clock()
        found = explain_rule(
            connection,
            book.language,
            meant(acting),
            uid,
            now,
            orthanc_study_id=call.query.orthanc_study_id,
            stored=acting.stored,
        )
    return explain_answer(found)


def meant(acting: ActingRule) -> Rule:
    """What the rule means. Raises RequestConflict where it means nothing any more."""
    if acting.rule is None:
        raise RequestConflict(P_("The rule means nothing any more: %(problems)s", problems=" ".join(acting.broken)))
    return acting.rule


def preview_answer(found: Preview) -> RulePreview:
    return RulePreview(
        study_count=found.sums.study_count,
        instance_count=found.sums.instance_count,
        size_bytes=found.sums.size_bytes,
        actions=list(found.actions),
        items=list(found.page.studies),
        next=found.page.next,
    )


def explain_answer(found: Explained) -> ExplainAnswer:
    return ExplainAnswer(
        study_instance_uid=found.study.study_instance_uid,
        orthanc_study_id=found.study.orthanc_study_id,
        holds=found.holds,
        explanation=_clause(found.explanation),
        actions=list(found.actions),
    )


def _clause(explanation: Explanation) -> Clause:
    return Clause(
        text=explanation.text,
        holds=explanation.holds,
        seen=[value if isinstance(value, str | float | bool) else str(value) for value in explanation.seen],
        key=explanation.key,
        parts=[_clause(part) for part in explanation.parts],
    )


def routes() -> list[Route]:
    """The endpoints about trying."""
    return [
        rule_route(
            "preview_rule_document",
            "rules/preview",
            preview_document,
            "Which studies of the archive a rule would touch that is not kept yet.",
            method="POST",
            example={"document": EXAMPLE},
            permission=Permission.RUN_RULES,
            problems=(400, 503),
        ),
        rule_route(
            "preview_rule",
            "rules/{rule_id}/preview",
            preview,
            "Which studies of the archive a rule would touch, how many, how many bytes; on or off.",
            problems=(400, 404, 409, 503),
        ),
        rule_route(
            "explain_rule",
            "rules/{rule_id}/explain/{study_instance_uid}",
            explain,
            "Why a rule means this study or not, clause by clause, and what it would do to it.",
            problems=(404, 409, 503),
        ),
    ]
