"""The rules themselves over HTTP: the dialect of all documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from treegarth.documents.language import Documents, Pages
from treegarth.documents.store import Wording
from treegarth.errors import RequestConflict
from treegarth.features.rules.paths import RulePath
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.service.editor import as_written, export_rules, wording_of
from treegarth.features.rules.store.rules import RULES, StoredRule
from treegarth.features.rules.text import parse_rule
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall


class RuleItem(StoredRule):
    """A rule."""

    why: str
    does: list[str]
    """What each of its actions does, in a sentence."""
    problems: list[str]
    """Why the rule means nothing any more and does nothing: a webhook that is not set now. Else empty."""


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    return wording_of(connection, parse_rule(document, call.part(RuleBook).language, place), place)


def check_on(call: AnyCall, connection: Connection, stored: StoredRule, body: object) -> None:
    if call.part(RuleBook).read(stored).rule is None:
        raise RequestConflict(P_("The rule means nothing any more: mend it first."))


def items(call: AnyCall, connection: Connection, stored: Sequence[StoredRule]) -> list[RuleItem]:
    book = call.part(RuleBook)
    return [_item(book, one) for one in stored]


def _item(book: RuleBook, stored: StoredRule) -> RuleItem:
    acting, document = book.read(stored), dict(as_written(book, stored))
    return RuleItem(
        **{**dict(stored), "document": document},
        why=str(document.get("why", "")),
        does=[step.describe() for step in acting.rule.steps] if acting.rule else [],
        problems=list(acting.broken),
    )


EXAMPLE = {
    "name": "label high doses",
    "why": "the medical physicist looks at them once a week",
    "when": "dose read",
    "if": {"all": ["Modality = CT", "dose.dlp_total_mgy_cm > 1000"]},
    "do": [{"label": "high dose"}],
}
RULE_DOCUMENTS = Documents(
    kind=RULES,
    name="rule",
    example=EXAMPLE,
    names="rules",
    one="rule",
    many="rules",
    path="rules",
    tag="rules",
    number=RulePath,
    parse=parse,
    check_on=check_on,
    answer=RuleItem,
    answers=items,
    pages=Pages(
        title=N_("Rules"),
        place="rules",
        prefix="rules",
        frame="rules/frame.html",
        list_page="rules.rules_page",
        one_page="rules.rule_page",
    ),
    write=lambda call, found: export_rules(call.part(RuleBook), found),
)
