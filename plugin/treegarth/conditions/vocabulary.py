"""Where each field of the language stands in the database. Features offer their terms; names are looked up here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, FromClause, Table, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from treegarth.conditions.model import Field, Level

NOW = bindparam("treegarth_now", type_=DateTime(timezone=True))
"""Stands in a term for the time at which a condition is decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """A field and what gives its values, on a row of its level's table.

    `rows` and `where`: the values stand in other rows, those of `rows` for which `where` (which names the level's
    table) is true. An expression of an array type has several values. `at_study`: an array of the study with the values
    of all its series, for a field of the series.
    """

    field: Field
    expression: ColumnElement[Any]
    rows: FromClause | None = None
    where: ColumnElement[bool] | None = None
    at_study: ColumnElement[Any] | None = None

    @property
    def is_array(self) -> bool:
        """Whether the expression has several values."""
        return isinstance(self.expression.type, ARRAY)


@dataclass(frozen=True, kw_only=True, slots=True)
class LevelTable:
    """The table of a level, its key, and the column that holds the key of the level above."""

    table: Table
    key: Column[str]
    parent: Column[str] | None = None


class Vocabulary:
    """All terms. A name that no feature offers is asked of `attribute`: any other DICOM keyword (`attributes`)."""

    def __init__(
        self,
        terms: Iterable[Term],
        levels: Mapping[Level, LevelTable],
        attribute: Callable[[str], Term | None],
        attributes: Iterable[str] = (),
    ) -> None:
        self.terms: Mapping[str, Term] = {term.field.name: term for term in terms}
        self.levels = levels
        self._attribute = attribute
        self._attributes = attributes

    def term(self, name: str) -> Term:
        """The term of a field that is there. Raises KeyError."""
        if name in self.terms:
            return self.terms[name]
        if (found := self._attribute(name)) is None:
            raise KeyError(name)
        return found

    def field(self, name: str) -> Field | None:
        """The field of that name, if there is one."""
        try:
            return self.term(name).field
        except KeyError:
            return None

    def fields(self) -> Sequence[Field]:
        """The fields that have a name of their own here; besides them there is every DICOM keyword."""
        return [term.field for term in self.terms.values()]

    def nearest(self, name: str) -> Sequence[str]:
        """Names that may have been meant, the nearest first."""
        word = name.lower()
        if close := get_close_matches(word, self._by_small_letters, 4, 0.6):
            return [self._by_small_letters[one] for one in close]
        close = get_close_matches(word, self._attributes_like(word), 4, 0.8 if len(word) > 4 else 0.6)
        return [self._attributes_by_small_letters[one] for one in close]

    def _attributes_like(self, word: str) -> list[str]:
        """Few enough of the dictionary's 5,000 to be compared one by one: about as long, with the same first or last
        letter."""
        return [
            one
            for one in self._attributes_by_small_letters
            if abs(len(one) - len(word)) <= 2 and (one[0] == word[:1] or one[-1] == word[-1:])
        ]

    @cached_property
    def _by_small_letters(self) -> dict[str, str]:
        return {name.lower(): name for name in self.terms}

    @cached_property
    def _attributes_by_small_letters(self) -> dict[str, str]:
        return {name.lower(): name for name in self._attributes}
