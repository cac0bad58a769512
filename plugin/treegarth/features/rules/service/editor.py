"""Change rules: create, edit, switch, move, remove. Every change is a version with who and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from treegarth.documents.store import Change
from treegarth.errors import NotFound, Problem, RequestConflict
from treegarth.features.rules.model import Rule
from treegarth.features.rules.service.application import stop_applying
from treegarth.features.rules.service.book import ActingRule
from treegarth.features.rules.store.rules import (
    StoredRule,
    Wording,
    add_rule,
    change_rule,
    find_rule,
    list_rules,
    lock_rules,
)
from treegarth.features.rules.text import RuleRefused, WrittenRule, rule_document
from treegarth.phrases import P_


class EditedMeanwhile(RequestConflict):
    """The rule was worded anew since the version that this edit started from. `newer` is the rule as it is now."""

    def __init__(self, newer: StoredRule, since: int) -> None:
        says = {"since": since, "version": newer.edited_version}
        super().__init__(
            P_("The rule was edited after version %(since)s: it is version %(version)s now. Nothing was saved.", **says)
        )
        self.newer = newer


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who changes rules, when, and in which zone the site's day begins."""

    name: str | None
    now: datetime
    zone: ZoneInfo


def problems_with(connection: Connection, written: WrittenRule, place: str = "rule") -> list[Problem]:
    """What the database has against a rule that is right by itself: a destination that is not there."""
    problems: list[Problem] = []
    for index, step in enumerate(written.rule.steps):
        problems.extend(step.action.check(connection, step.spec, f"{place}.do[{index}].{step.action.name}"))
    return problems


def create_rule(connection: Connection, written: WrittenRule, author: Author) -> int:
    """A new rule, the last in order, on where its document says so: it is tried before it acts; its number.

    Raises RequestConflict where its name is taken, RuleRefused for what `problems_with` finds.
    """
    _check(connection, written)
    lock_rules(connection)
    _check_name(connection, written.rule.name, None)
    is_on = written.says_on and written.rule.is_on
    return add_rule(
        connection,
        _wording(written),
        is_on=is_on,
        scheduled_at=_scheduled(written.rule, is_on, author),
        by=author.name,
        now=author.now,
    )


def edit_rule(
    connection: Connection, rule_id: int, written: WrittenRule, author: Author, *, since: int | None = None
) -> StoredRule:
    """Another wording; on or off as before unless the document says. The same wording is no change.

    `since` is the version that the author started from: nobody may have worded the rule anew after it.
    Raises NotFound, RequestConflict, EditedMeanwhile, RuleRefused.
    """
    _check(connection, written)
    lock_rules(connection)
    before = present_rule(connection, rule_id)
    _check_name(connection, written.rule.name, rule_id)
    is_on = written.rule.is_on if written.says_on else before.is_on
    if is_same(before, written):
        return before if is_on == before.is_on else _switch(connection, before, is_on, written.rule, author)
    if since is not None and not before.edited_version <= since <= before.version:
        raise EditedMeanwhile(before, since)
    change_rule(
        connection,
        before,
        Change.EDITED,
        wording=_wording(written),
        is_on=is_on,
        scheduled_at=_scheduled(written.rule, is_on, author),
        by=author.name,
        now=author.now,
    )
    return present_rule(connection, rule_id)


def switch_rule(connection: Connection, acting: ActingRule, author: Author, *, is_on: bool) -> StoredRule:
    """On or off. Off ends an application to the archive that runs.

    Raises NotFound, and RequestConflict for a rule that is to be switched on and means nothing any more.
    """
    lock_rules(connection)
    before = present_rule(connection, acting.stored.id)
    if is_on and acting.rule is None:
        raise RequestConflict(P_("The rule means nothing any more: mend it first."))
    return before if is_on == before.is_on else _switch(connection, before, is_on, acting.rule, author)


def move_rule(connection: Connection, rule_id: int, place: int, author: Author) -> StoredRule:
    """To that place in the order, counted from 1; behind the last it is the last. Raises NotFound."""
    lock_rules(connection)
    moved = present_rule(connection, rule_id)
    others = [one for one in list_rules(connection) if one.id != rule_id]
    at = max(place - 1, 0)
    reorder(connection, [*others[:at], moved, *others[at:]], author)
    return present_rule(connection, rule_id)


def remove_rule(connection: Connection, rule_id: int, author: Author) -> StoredRule:
    """It acts no more; its versions and what it did stay. Raises NotFound."""
    lock_rules(connection)
    before = present_rule(connection, rule_id)
    stop_applying(connection, rule_id, by=author.name, now=author.now)
    change_rule(connection, before, Change.REMOVED, is_on=False, by=author.name, now=author.now)
    return before


def reorder(connection: Connection, order: Sequence[StoredRule], author: Author) -> None:
    """Number the rules in this order; each that gets another number has a version that says so."""
    for position, stored in enumerate(order, start=1):
        if stored.position != position:
            change_rule(
                connection,
                stored,
                Change.MOVED,
                position=position,
                scheduled_at=stored.scheduled_at,
                by=author.name,
                now=author.now,
            )


def present_rule(connection: Connection, rule_id: int) -> StoredRule:
    """The rule, unless it was removed. Raises NotFound."""
    found = find_rule(connection, rule_id)
    if found is None or found.removed_at is not None:
        raise NotFound(P_("There is no rule with this number."))
    return found


def is_same(before: StoredRule, written: WrittenRule) -> bool:
    """Whether the wording is the same; a text with other comments is another one."""
    same_source = written.source is None or written.source == before.source
    return dict(before.document) == dict(written.document) and same_source


def _switch(connection: Connection, before: StoredRule, is_on: bool, rule: Rule | None, author: Author) -> StoredRule:
    if not is_on:
        stop_applying(connection, before.id, by=author.name, now=author.now)
    change_rule(
        connection,
        before,
        Change.SWITCHED_ON if is_on else Change.SWITCHED_OFF,
        is_on=is_on,
        scheduled_at=_scheduled(rule, is_on, author),
        by=author.name,
        now=author.now,
    )
    return present_rule(connection, before.id)


def _check(connection: Connection, written: WrittenRule) -> None:
    problems = problems_with(connection, written)
    if problems:
        raise RuleRefused(problems)


def _check_name(connection: Connection, name: str, own_id: int | None) -> None:
    if any(one.name == name and one.id != own_id for one in list_rules(connection)):
        raise RequestConflict(P_("Another rule has the name %(name)s.", name=name))


def _wording(written: WrittenRule) -> Wording:
    return Wording(
        name=written.rule.name,
        trigger=written.rule.trigger,
        document=rule_document(written.rule),
        source=written.source,
    )


def _scheduled(rule: Rule | None, is_on: bool, author: Author) -> datetime | None:
    schedule = None if rule is None else rule.schedule
    return schedule.next_after(author.now, author.zone) if is_on and schedule is not None else None
