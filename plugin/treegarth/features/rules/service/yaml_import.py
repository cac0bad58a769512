"""Rules from a YAML text and back: what an import would change, and doing all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from treegarth.documents.importing import Imported
from treegarth.errors import Problem
from treegarth.features.rules.export import export_text
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.service.editor import Author, create_rule, edit_rule, is_same, problems_with, reorder
from treegarth.features.rules.store.rules import StoredRule, list_rules, lock_rules
from treegarth.features.rules.text import Language, RuleRefused, WrittenRule, parse_rules, rule_document


def import_rules(
    connection: Connection, language: Language, text: str, author: Author, *, dry_run: bool = False
) -> list[Imported]:
    """Make the rules as the text says, by their names; rules that it does not name stay. All or nothing.

    A new rule is off unless it says `on: true`; one that is there stays on or off unless it says. The rules of the
    text act in its order. Raises UnreadableYaml, or RuleRefused with every problem.
    """
    written = parse_rules(text, language)
    problems: list[Problem] = []
    for index, one in enumerate(written):
        problems.extend(problems_with(connection, one, f"rules[{index}]"))
    if problems:
        raise RuleRefused(problems)
    lock_rules(connection)
    there = {stored.name: stored for stored in list_rules(connection)}
    plan = [_planned(one, there.get(one.rule.name)) for one in written]
    if dry_run:
        return plan
    made = [_carry_out(connection, one, planned, author) for one, planned in zip(written, plan, strict=True)]
    _put_in_order(connection, [one.rule.name for one in written], author)
    return made


def export_rules(connection: Connection, book: RuleBook) -> str:
    """Every rule in its order as YAML; with the comments and the wording that it was imported with."""
    return export_text((_ordered(book, stored), stored.is_on, stored.source) for stored in list_rules(connection))


def _planned(written: WrittenRule, before: StoredRule | None) -> Imported:
    name = written.rule.name
    if before is None:
        return Imported(name=name, outcome="created", is_on=written.rule.is_on, id=None)
    is_on = written.rule.is_on if written.says_on else before.is_on
    same = is_same(before, written) and is_on == before.is_on
    return Imported(name=name, outcome="same" if same else "changed", is_on=is_on, id=before.id)


def _carry_out(connection: Connection, written: WrittenRule, planned: Imported, author: Author) -> Imported:
    rule_id = planned.id
    if rule_id is None:  # an export leaves `on` out where a rule acts: what it says nothing of is on
        rule_id = create_rule(connection, replace(written, says_on=True), author)
    elif planned.outcome == "changed":
        edit_rule(connection, rule_id, written, author)
    return Imported(name=planned.name, outcome=planned.outcome, is_on=planned.is_on, id=rule_id)


def _put_in_order(connection: Connection, names: list[str], author: Author) -> None:
    """The places that the text's rules have among all stay theirs, and are filled in the text's order."""
    order = list_rules(connection)
    by_name = {stored.name: stored for stored in order}
    wanted = iter([by_name[name] for name in names])
    reorder(connection, [next(wanted) if stored.name in names else stored for stored in order], author)


def _ordered(book: RuleBook, stored: StoredRule) -> Mapping[str, Any]:
    """The document as its parts write it: the database does not keep the order of keys."""
    rule = book.read(stored).rule
    return stored.document if rule is None else rule_document(rule)
