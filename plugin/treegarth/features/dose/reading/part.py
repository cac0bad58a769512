"""A container of a dose report while it is being read: find what is below it, name its values, record issues. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from treegarth.dicom.codes import Concept, concept_of
from treegarth.dicom.sr_tree import ContentItem
from treegarth.features.dose.reading.fields import Field, Table, UnreadableValue
from treegarth.features.dose.reading.model import Issue
from treegarth.phrases import P_

DEEPEST_SEARCH = 4
"""Levels below the root at which containers of dose are looked for; the templates have them at the first."""


class Part:
    """One content item with its place in words; every Part of one report adds to the same list of issues."""

    def __init__(self, item: ContentItem, path: str, issues: list[Issue]) -> None:
        self.item = item
        self.path = path
        self.issues = issues
        self._below = [(concept_of(child.concept), child) for child in item.children]

    def parts(self, concept: Concept) -> list[Part]:
        """The children of this concept, numbered from 1 in their paths."""
        items = [child for below, child in self._below if below is concept]
        return [
            self._child(item, f"{concept.meaning} {number}" if len(items) > 1 else concept.meaning)
            for number, item in enumerate(items, start=1)
        ]

    def find(self, concept: Concept, *, levels: int = DEEPEST_SEARCH) -> list[Part]:
        """The nearest items of this concept at or below the children: devices put containers one level too deep."""
        found = self.parts(concept)
        if found or levels == 0:
            return found
        for part in self.containers():
            found.extend(part.find(concept, levels=levels - 1))
        return found

    def containers(self) -> Iterator[Part]:
        """The containers that have children."""
        for concept, child in self._below:
            if child.children and child.value_type == "CONTAINER":
                name = concept.meaning if concept is not None else child.concept.meaning if child.concept else "item"
                yield self._child(child, name)

    def runs(self, first: Concept) -> list[Part]:
        """The children in runs, each from one of this concept to the next: so templates without a container repeat."""
        starts = [place for place, (below, _) in enumerate(self._below) if below is first]
        return [
            Part(replace(self.item, children=self.item.children[start:end]), self.path, self.issues)
            for start, end in pairwise([*starts, len(self._below)])
        ]

    def modified(self, table: Table) -> Iterator[tuple[Field, Part]]:
        """The children that the table names and that have children of their own."""
        for concept, child in self._below:
            field = table.get(concept) if concept is not None and child.children else None
            if concept is not None and field is not None:
                yield field, self._child(child, concept.meaning)

    def has(self, *concepts: Concept) -> bool:
        return any(below in concepts for below, _ in self._below if below is not None)

    def one(self, concept: Concept, field: Field) -> Any:
        """The value of the one child of this concept, or None."""
        return self.values({concept: field}).get(field.name)

    def values(self, table: Table) -> dict[str, Any]:
        """What the table names among the children, by name.

        Different values for one name are an issue: a number is then left out, of anything else the first is kept.
        For a `many` field, `name` is the first value and `name` + "_values" has all of them.
        """
        found: dict[str, list[Any]] = {}
        fields: dict[str, tuple[Concept, Field]] = {}
        for concept, child in self._below:
            field = table.get(concept) if concept is not None else None
            if concept is None or field is None:
                continue
            value = self.read(concept, field, child)
            if value is None:
                continue
            fields[field.name] = (concept, field)
            found.setdefault(field.name, []).extend(value if isinstance(value, list) else [value])
        values: dict[str, Any] = {}
        for name, given in found.items():
            self._settle(values, *fields[name], given)
        return values

    def values_below(self, table: Table, *, levels: int = DEEPEST_SEARCH) -> dict[str, Any]:
        """What the table names among the children and in the containers below them; what stands higher goes first."""
        found: dict[str, Any] = {}
        if levels:
            for part in self.containers():
                for name, value in part.values_below(table, levels=levels - 1).items():
                    if found.setdefault(name, value) != value:
                        part.issue(name, P_("the containers of one event give different values; the first is kept"))
        return found | self.values(table)

    def read(self, concept: Concept, field: Field, item: ContentItem) -> Any:
        """One item by one field; an unreadable one is an issue and None."""
        try:
            return field.read(item)
        except UnreadableValue as error:
            self.issue(concept.meaning, error.sentence)
            return None

    def issue(self, name: str, reason: str) -> None:
        self.issues.append(Issue(f"{self.path}/{name}" if self.path else name, reason))

    def _settle(self, values: dict[str, Any], concept: Concept, field: Field, given: list[Any]) -> None:
        first = given[0]
        if len(given) == 1 or all(value == first for value in given):
            values[field.name] = first
        elif field.many:
            values[field.name] = first
            values[f"{field.name}_values"] = given
        elif isinstance(first, (int, float)):
            self.issue(
                concept.meaning, P_("%(count)s different values are given for one; none is taken", count=len(given))
            )
        else:
            self.issue(
                concept.meaning,
                P_("%(count)s different values are given for one; the first is kept", count=len(given)),
            )
            values[field.name] = first

    def _child(self, item: ContentItem, name: str) -> Part:
        return Part(item, f"{self.path}/{name}" if self.path else name, self.issues)
