"""Rules and their documents: what a document means, with every problem at its place, and the canonical document. Pure.

A document is what YAML or JSON reads as: `name`, `why`, `when`, `schedule`, `if`, `do`, `on`. docs/rules.md explains
them. `rule_document(parse_rule(document))` is a document that means the same, written in the one canonical way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treegarth.conditions.model import All, Condition, Level
from treegarth.conditions.text import condition_document, parse_condition
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.documents.importing import read_documents
from treegarth.documents.yaml_text import Piece
from treegarth.errors import ConditionRefused, DocumentRefused, Problem
from treegarth.features.rules.actions import Actions
from treegarth.features.rules.decision import condition_of_study
from treegarth.features.rules.model import Rule, Step, Trigger
from treegarth.features.rules.schedule import FORMS, Schedule, parse_schedule
from treegarth.limits import is_storable
from treegarth.phrases import P_

KEYS = ("name", "why", "when", "schedule", "if", "do", "on")
LONGEST_NAME, LONGEST_WHY = 200, 2000
MOST_STEPS = 20
EVERYTHING = All(())
_KNOWN = P_("Known: %(known)s.", known=", ".join(KEYS))


@dataclass(frozen=True, kw_only=True)
class Language:
    """What documents are written in: what conditions may name, and what rules may do."""

    vocabulary: Vocabulary
    actions: Actions


@dataclass(frozen=True, kw_only=True)
class WrittenRule:
    """A rule as somebody wrote it. `says_on` is whether the document has the key `on`."""

    rule: Rule
    document: Mapping[str, Any]  # canonical, without `on`
    says_on: bool
    source: str | None = None  # the text with its comments, an entry of a list; None where it was no text


def parse_rules(text: str, language: Language) -> list[WrittenRule]:
    """The rules of a YAML text, a list or one. Raises UnreadableYaml, or DocumentRefused with all that is wrong."""
    return read_documents(text, lambda piece, place: _parsed(piece, language, place), "rules")


def parse_rule(document: object, language: Language, place: str = "rule") -> WrittenRule:
    """One rule from its document. Raises DocumentRefused with all that is wrong."""
    return _parsed(Piece(value=document, source=None), language, place)


def _parsed(piece: Piece, language: Language, place: str) -> WrittenRule:
    problems: list[Problem] = []
    written = _written(piece, language, place, problems)
    if written is None or problems:
        raise DocumentRefused(problems)
    return written


def parse_asked(document: object, language: Language) -> Condition:
    """What a rule asks of a study, whatever else is wrong with it. Raises DocumentRefused with what is wrong there."""
    problems: list[Problem] = []
    given = document if isinstance(document, Mapping) and is_storable(document) else {}
    trigger = _trigger(given, "rule", problems)
    condition = _condition(given, language.vocabulary, trigger, "rule.if", problems)
    if trigger is None or condition is None:
        raise DocumentRefused(problems)
    return condition_of_study(Rule(name="", why="", trigger=trigger, condition=condition, steps=()))


def rule_document(rule: Rule) -> dict[str, Any]:
    """The canonical document, without `on`: whether a rule is on is not how it is worded."""
    document: dict[str, Any] = {"name": rule.name}
    if rule.why:
        document["why"] = rule.why
    document["when"] = str(rule.trigger)
    if rule.schedule is not None:
        document["schedule"] = str(rule.schedule)
    if rule.condition != EVERYTHING:
        document["if"] = condition_document(rule.condition)
    document["do"] = [_step_document(step) for step in rule.steps]
    return document


def _step_document(step: Step) -> object:
    inner = step.action.document(step.spec)
    return step.action.name if inner is None else {step.action.name: inner}


def _written(piece: Piece, language: Language, place: str, problems: list[Problem]) -> WrittenRule | None:
    given = piece.value
    if not isinstance(given, Mapping):
        right = P_("A rule has keys: name, why, when, if, do.")
        problems.append(Problem(place=place, wrong=P_("is no rule."), right=right))
        return None
    if not is_storable(given):
        right = P_("Leave NUL and half characters out.")
        problems.append(Problem(place=place, wrong=P_("holds characters that cannot be kept."), right=right))
        return None
    before = len(problems)
    for key in given:
        if key not in KEYS:
            problems.append(Problem(place=f"{place}.{key}", wrong=P_("is not known."), right=_KNOWN))
    name = _text(given, "name", place, problems, most=LONGEST_NAME, needed=True)
    why = _text(given, "why", place, problems, most=LONGEST_WHY)
    trigger = _trigger(given, place, problems)
    schedule = _schedule(given, trigger, place, problems)
    condition = _condition(given, language.vocabulary, trigger, f"{place}.if", problems)
    steps = _steps(given, language.actions, f"{place}.do", problems)
    is_on = given.get("on", True)
    if not isinstance(is_on, bool):
        right = P_("Write true or false.")
        problems.append(Problem(place=f"{place}.on", wrong=P_("is no truth."), right=right))
    if len(problems) > before or trigger is None or condition is None:
        return None
    rule = Rule(
        name=name, why=why, trigger=trigger, schedule=schedule, condition=condition, steps=steps, is_on=bool(is_on)
    )
    return WrittenRule(rule=rule, document=rule_document(rule), says_on="on" in given, source=piece.source)


def _text(
    given: Mapping[str, Any], key: str, place: str, problems: list[Problem], *, most: int, needed: bool = False
) -> str:
    value = given.get(key)
    if value is None and not needed:
        return ""
    text = " ".join(str(value).split()) if isinstance(value, str | int | float) else ""
    if not text and (needed or value != ""):
        right = P_("Write a few words.")
        problems.append(Problem(place=f"{place}.{key}", wrong=P_("is missing or no text."), right=right))
    elif len(text) > most or not text.isprintable():
        right = P_("At most %(most)s characters, none of them a control character.", most=most)
        problems.append(Problem(place=f"{place}.{key}", wrong=P_("cannot be kept."), right=right))
    return text


def _trigger(given: Mapping[str, Any], place: str, problems: list[Problem]) -> Trigger | None:
    try:
        return Trigger(str(given.get("when")))
    except ValueError:
        right = P_("Write one of %(known)s.", known=", ".join(Trigger))
        when = given.get("when")
        wrong = P_("is missing.") if when is None else P_("%(word)s is no trigger.", word=when)
        problems.append(Problem(place=f"{place}.when", wrong=wrong, right=right))
        return None


def _schedule(
    given: Mapping[str, Any], trigger: Trigger | None, place: str, problems: list[Problem]
) -> Schedule | None:
    place = f"{place}.schedule"
    if trigger is not Trigger.SCHEDULE:
        if given.get("schedule") is not None and trigger is not None:
            right = P_("Change one of them.")
            problems.append(Problem(place=place, wrong=P_("needs `when: schedule`."), right=right))
        return None
    schedule = parse_schedule(str(given.get("schedule") or ""))
    if schedule is None:
        problems.append(Problem(place=place, wrong=P_("is missing or no schedule."), right=FORMS))
    return schedule


def _condition(
    given: Mapping[str, Any], vocabulary: Vocabulary, trigger: Trigger | None, place: str, problems: list[Problem]
) -> Condition | None:
    if "if" not in given:
        return EVERYTHING
    try:
        level = Level.SERIES if trigger is Trigger.SERIES_STABLE else Level.STUDY
        return parse_condition(given["if"], vocabulary, place, level)
    except ConditionRefused as error:
        problems.extend(error.problems)
        return None


def _steps(given: Mapping[str, Any], actions: Actions, place: str, problems: list[Problem]) -> tuple[Step, ...]:
    items = given.get("do")
    if not isinstance(items, list) or not items or len(items) > MOST_STEPS:
        known = ", ".join(actions.names)
        right = P_("Write a list of one to %(most)s of: %(known)s.", most=MOST_STEPS, known=known)
        problems.append(Problem(place=place, wrong=P_("is missing or no list of actions."), right=right))
        return ()
    steps = [_step(item, actions, f"{place}[{index}]", problems) for index, item in enumerate(items)]
    return tuple(step for step in steps if step is not None)


def _step(item: object, actions: Actions, place: str, problems: list[Problem]) -> Step | None:
    if isinstance(item, str):
        item = {item: None}
    if not isinstance(item, Mapping) or len(item) != 1:
        right = P_("Write one name with what it needs.")
        problems.append(Problem(place=place, wrong=P_("is no action."), right=right))
        return None
    ((name, inner),) = item.items()
    action = actions.get(str(name))
    if action is None:
        right = P_("Known: %(known)s.", known=", ".join(actions.names))
        problems.append(Problem(place=f"{place}.{name}", wrong=P_("is no action."), right=right))
        return None
    spec = action.parse(inner, f"{place}.{name}", problems)
    return None if spec is None else Step(action=action, spec=spec)
