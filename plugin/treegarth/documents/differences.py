"""What changed between two wordings of a document, line by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Any, Literal, TypeAlias

from treegarth.documents.store import Change, EditedMeanwhile, Version
from treegarth.documents.yaml_text import dump
from treegarth.phrases import N_, P_


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a difference."""

    kind: Literal["same", "added", "taken"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Newer:
    """What somebody else made of a document while it was being edited."""

    version: int
    changed_by: str | None
    changed_at: datetime
    lines: Sequence[Line]  # from theirs to what was to be saved


def difference(before: str, after: str) -> list[Line]:
    """The lines that changed, with two lines around them."""
    kinds: dict[str, Literal["same", "added", "taken"]] = {" ": "same", "+": "added", "-": "taken"}
    lines = list(unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm=""))[2:]
    return [Line(kind=kinds[line[0]], text=line[1:]) for line in lines if line and line[0] in kinds]


@dataclass(frozen=True, kw_only=True)
class ShownVersion:
    """A version, and what it changed."""

    version: Version
    change: str  # a msgid
    lines: Sequence[Line]
    detail: str


CHANGES: Mapping[Change, str] = {
    Change.CREATED: N_("created"),
    Change.EDITED: N_("edited"),
    Change.SWITCHED_ON: N_("switched on"),
    Change.SWITCHED_OFF: N_("switched off"),
    Change.MOVED: N_("moved"),
    Change.REMOVED: N_("removed"),
}


TextOf: TypeAlias = Callable[[Mapping[str, Any]], str]
"""A document line by line, as a difference shows it."""


def shown_versions(versions: Sequence[Version], text_of: TextOf | None = None) -> list[ShownVersion]:
    """The changes, the latest first, each with what it changed of the text: YAML, where the kind has no words."""
    pairs = zip(versions, [*versions[1:], None], strict=True)
    return [_shown(one, before, text_of or as_text) for one, before in pairs]


def _shown(one: Version, before: Version | None, text_of: TextOf) -> ShownVersion:
    lines: Sequence[Line] = ()
    detail = ""
    if before is not None and before.document != one.document:
        lines = difference(text_of(before.document), text_of(one.document))
    if before is not None and before.position != one.position:
        detail = P_("from place %(before)s to place %(after)s", before=before.position, after=one.position)
    return ShownVersion(version=one, change=CHANGES[one.change], lines=lines, detail=detail)


def newer_than(error: EditedMeanwhile, text_of: TextOf | None = None) -> Newer:
    """The document as it is kept, against what was to be saved in its place."""
    newer, words = error.newer, text_of or as_text
    return Newer(
        version=newer.version,
        changed_by=newer.changed_by,
        changed_at=newer.changed_at,
        lines=difference(words(newer.document), words(_in_the_order_of(newer.document, error.mine))),
    )


def _in_the_order_of(model: Any, value: Any) -> Any:
    """Its keys as the other one has them, those that it alone has behind: what stands elsewhere only is no change."""
    if isinstance(model, list) and isinstance(value, list):
        behind = value[len(model) :]
        return [*(_in_the_order_of(*pair) for pair in zip(model, value, strict=False)), *behind]
    if not isinstance(model, Mapping) or not isinstance(value, Mapping):
        return value
    names = [*(name for name in model if name in value), *(name for name in value if name not in model)]
    return {name: _in_the_order_of(model.get(name), value[name]) for name in names}


def as_text(document: Mapping[str, Any]) -> str:
    """One document as YAML, as its page and a difference show it."""
    return dump(dict(document))


def version_of(text: str) -> int | None:
    """The version that a form names; none where it names nothing."""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None
