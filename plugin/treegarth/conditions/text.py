"""Conditions as documents, as rules have them in their text form: read with every problem at once, and written. Pure.

A document is a comparison's line, or one of `all`, `any` (lists), `not`, `series`, `instance` (a document each).
"""

from __future__ import annotations

from typing import TypeAlias, Union

from treegarth.conditions.comparison import (
    Fields,
    LineRefused,
    can_be_negated,
    read_comparison,
    write_comparison,
)
from treegarth.conditions.model import All, Any, Comparison, Condition, Level, Not, Some
from treegarth.errors import ConditionRefused, Problem
from treegarth.phrases import P_

Document: TypeAlias = Union[str, dict[str, Union["Document", list["Document"]]]]  # noqa: UP007 - names itself

_LEVELS = {"series": Level.SERIES, "instance": Level.INSTANCE}
_DEPTHS = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}
_FORMS = P_('Write a comparison such as "Modality = CT", or one of all, any (lists), not, series, instance.')
DEEPEST = 20
MOST_PARTS = 1_000
_TOO_LARGE = P_("The condition is too large.")


def parse_condition(document: object, fields: Fields, place: str = "if", level: Level = Level.STUDY) -> Condition:
    """The condition that a document means, for objects of `level`. Raises ConditionRefused with every problem."""
    reader = _Reader(fields)
    condition = reader.read(document, place, level, 0)
    if reader.problems:
        raise ConditionRefused(reader.problems)
    return condition


def condition_document(condition: Condition) -> Document:
    """The document that reads as this condition: the same for the same condition."""
    match condition:
        case Comparison():
            return write_comparison(condition)
        case Not(part=Comparison(operator=operator) as comparison) if can_be_negated(operator):
            return write_comparison(comparison, negated=True)
        case Not():
            return {"not": condition_document(condition.part)}
        case Some():
            return {condition.level.value: condition_document(condition.part)}
        case All():
            return {"all": [condition_document(part) for part in condition.parts]}
        case Any():
            return {"any": [condition_document(part) for part in condition.parts]}


def too_large(place: str) -> Problem:
    """What is to be said of a condition with more or deeper parts than are read."""
    limits = P_("At most %(parts)s parts, %(deep)s deep, are read.", parts=MOST_PARTS, deep=DEEPEST)
    return Problem(place, _TOO_LARGE, limits)


class _Reader:
    """Reads a document and collects what is wrong with it. What could not be read stands for nothing."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._parts = 0
        self.problems: list[Problem] = []

    def read(self, document: object, place: str, level: Level, depth: int) -> Condition:
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS:
            if not any(problem.wrong == _TOO_LARGE for problem in self.problems):
                self.problems.append(too_large(place))
            return _NOTHING
        if isinstance(document, str):
            return self._line(document, place)
        if isinstance(document, dict) and len(document) == 1:
            return self._joined(*next(iter(document.items())), place, level, depth)
        if isinstance(document, dict) and document:
            names = ", ".join(map(str, document))
            wrong = P_("%(names)s stand beside each other.", names=names)
            return self._refuse(place, wrong, P_("Put them in the list of one all or any."))
        if isinstance(document, list):
            wrong = P_("A list alone does not say how its parts are joined.")
            return self._refuse(place, wrong, P_("Write all or any of it."))
        return self._refuse(place, P_("This is no condition."), _FORMS)

    def _line(self, line: str, place: str) -> Condition:
        try:
            return read_comparison(line, self._fields)
        except LineRefused as refused:
            return self._refuse(place, refused.wrong, refused.right)

    def _joined(self, word: object, inner: object, place: str, level: Level, depth: int) -> Condition:
        inside = f"{place}.{word}"
        if word in ("all", "any"):
            if not isinstance(inner, list):
                right = P_("Write %(word)s: [one condition, another].", word=word)
                return self._refuse(inside, P_("“%(word)s” is no list.", word=word), right)
            parts = tuple(self.read(part, f"{inside}[{at}]", level, depth + 1) for at, part in enumerate(inner))
            return All(parts) if word == "all" else Any(parts)
        if word == "not":
            return Not(self.read(inner, inside, level, depth + 1))
        if isinstance(word, str) and word in _LEVELS:
            deeper = _LEVELS[word]
            if _DEPTHS[deeper] <= _DEPTHS[level]:
                right = P_(
                    "A condition of one %(level)s cannot ask for some %(word)s: leave “%(word)s” out.",
                    level=level.value,
                    word=word,
                )
                return self._refuse(inside, P_("“%(word)s” does not fit here.", word=word), right)
            return Some(deeper, self.read(inner, inside, deeper, depth + 1))
        return self._refuse(place, P_("“%(word)s” has no meaning here.", word=word), _FORMS)

    def _refuse(self, place: str, wrong: str, right: str) -> Condition:
        self.problems.append(Problem(place, wrong, right))
        return _NOTHING


_NOTHING = All(())
