"""Write rules: what the database has against one, saving it, and rules from and to a YAML text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from treegarth.documents.importing import Imported, import_text
from treegarth.documents.store import Author, Wording
from treegarth.errors import DocumentRefused, Problem
from treegarth.features.rules.export import export_text
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.store.rules import RULES, StoredRule
from treegarth.features.rules.text import Language, WrittenRule, parse_rule, rule_document


def problems_with(connection: Connection, written: WrittenRule, place: str = "rule") -> list[Problem]:
    """What the database has against a rule that is right by itself: a destination that is not there."""
    problems: list[Problem] = []
    for index, step in enumerate(written.rule.steps):
        problems.extend(step.action.check(connection, step.spec, f"{place}.do[{index}].{step.action.name}"))
    return problems


def wording_of(connection: Connection, written: WrittenRule, place: str = "rule") -> Wording:
    """The rule as it is kept. Raises DocumentRefused for what `problems_with` finds."""
    if problems := problems_with(connection, written, place):
        raise DocumentRefused(problems)
    is_on = written.rule.is_on if written.says_on else None
    return Wording(document=written.document, is_on=is_on, source=written.source)


def save_rule(
    connection: Connection, rule_id: int | None, written: WrittenRule, author: Author, *, since: int | None = None
) -> StoredRule:
    """A new rule, or another wording of that one.

    Raises NotFound, DocumentRefused, RequestConflict, EditedMeanwhile.
    """
    worded = wording_of(connection, written)
    document, is_on, source = worded.document, worded.is_on, worded.source
    if rule_id is None:
        return RULES.create(connection, document, author, is_on=is_on, source=source)
    return RULES.edit(connection, rule_id, document, author, since=since, is_on=is_on, source=source)


def import_rules(
    connection: Connection, language: Language, text: str, author: Author, *, dry_run: bool = False
) -> list[Imported]:
    """Make the rules as the text says, by their names; rules that it does not name stay. All or nothing.

    A new rule is on unless it says `on: false`; one that is there stays on or off unless it says. The rules of the
    text act in its order. Raises UnreadableYaml, or DocumentRefused with every problem.
    """

    def parse(document: Any, place: str) -> Wording:
        return wording_of(connection, parse_rule(document, language, place), place)

    return import_text(connection, RULES, text, parse, author, many="rules", dry_run=dry_run)


def export_rules(book: RuleBook, rules: Sequence[StoredRule]) -> str:
    """Rules as YAML; with the comments and the wording that they were imported with."""
    return export_text((as_written(book, stored), stored.is_on, stored.source) for stored in rules)


def as_written(book: RuleBook, stored: StoredRule) -> Mapping[str, Any]:
    """The document as its parts write it: the database does not keep the order of keys."""
    rule = book.read(stored).rule
    return stored.document if rule is None else rule_document(rule)
