"""What changed between two wordings of a rule, line by line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Literal

from treegarth.features.rules.pages.draft import document_text
from treegarth.features.rules.store.rules import StoredRule
from treegarth.features.rules.text import WrittenRule


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a difference."""

    kind: Literal["same", "added", "taken"]
    text: str


def difference(before: str, after: str) -> list[Line]:
    """The lines that changed, with two lines around them."""
    kinds: dict[str, Literal["same", "added", "taken"]] = {" ": "same", "+": "added", "-": "taken"}
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm=""))[2:]
    return [Line(kind=kinds[line[0]], text=line[1:]) for line in lines if line and line[0] in kinds]


@dataclass(frozen=True, kw_only=True)
class Newer:
    """What somebody else made of the rule while it was being edited."""

    version: int
    changed_by: str | None
    changed_at: datetime
    lines: Sequence[Line]  # from theirs to what was to be saved


def newer_version(stored: StoredRule, written: WrittenRule) -> Newer:
    """The rule as it is kept, against what was to be saved in its place."""
    return Newer(
        version=stored.version,
        changed_by=stored.changed_by,
        changed_at=stored.changed_at,
        lines=difference(document_text(stored.document), document_text(written.document)),
    )
