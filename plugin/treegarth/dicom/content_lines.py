"""A content tree as lines that a page writes one after the other, with what is looked for in it marked. Pure.

A template that called itself for every level would need the stack of the thread that answers, which is small in
Orthanc: so the tree is walked here, without calls within calls, and each line says how many lists end after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from treegarth.dicom.content_tree import ContentNode

Unfolded: TypeAlias = Literal["all", "none"]
OPEN_LEVELS = 2
"""Of a tree that nobody unfolded, folded or looked for something in."""
SEARCHED = ("concept", "value", "unit", "code", "value_code", "value_type")
"""What of a node is looked in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of a text, which is what was looked for or not."""

    text: str
    is_match: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentLine:
    """One content item. `closes` lists end after it; `match` is its number among those that match, from 1, or 0."""

    node: ContentNode
    is_open: bool
    match: int
    closes: int


@dataclass(frozen=True, kw_only=True)
class ContentTreeLines:
    lines: list[ContentLine]
    match_count: int


@dataclass(slots=True)
class _Met:
    node: ContentNode
    level: int
    is_match: bool
    is_above_match: bool = False


class Search:
    """What is looked for: a part of a text, in capitals or not. Nothing is found of an empty one."""

    def __init__(self, words: str | None) -> None:
        self._pattern = re.compile(re.escape(words.strip()), re.IGNORECASE) if words and words.strip() else None

    @property
    def is_empty(self) -> bool:
        return self._pattern is None

    def finds(self, node: ContentNode) -> bool:
        return self._pattern is not None and any(self._pattern.search(getattr(node, name)) for name in SEARCHED)

    def pieces(self, text: str) -> list[Piece]:
        """The text in pieces: what was looked for, and what stands between."""
        if self._pattern is None or not text:
            return [Piece(text=text)] if text else []
        found, at = [], 0
        for match in self._pattern.finditer(text):
            if match.start() > at:
                found.append(Piece(text=text[at : match.start()]))
            found.append(Piece(text=match[0], is_match=True))
            at = match.end()
        return found + ([Piece(text=text[at:])] if at < len(text) else [])


def lines_of(root: ContentNode, search: Search, unfolded: Unfolded | None) -> ContentTreeLines:
    """The whole tree in the order of reading. What is looked for stands in sight: all above it is open."""
    met = list(_walk(root, search))
    _mark_above(met)
    lines, matches = [], 0
    for number, one in enumerate(met):
        below = met[number + 1].level if number + 1 < len(met) else 0
        matches += one.is_match
        lines.append(
            ContentLine(
                node=one.node,
                is_open=bool(one.node.children) and _is_open(one, search, unfolded),
                match=matches if one.is_match else 0,
                closes=max(0, one.level - below),
            )
        )
    return ContentTreeLines(lines=lines, match_count=matches)


def _is_open(one: _Met, search: Search, unfolded: Unfolded | None) -> bool:
    if unfolded == "all" or one.is_above_match:
        return True
    if unfolded == "none":
        return False
    return one.level == 0 if not search.is_empty else one.level < OPEN_LEVELS


def _walk(root: ContentNode, search: Search) -> Iterator[_Met]:
    left = [(root, 0)]
    while left:
        node, level = left.pop()
        yield _Met(node=node, level=level, is_match=search.finds(node))
        left.extend((child, level + 1) for child in reversed(node.children))


def _mark_above(met: Sequence[_Met]) -> None:
    """From the end: a node is above a match where one of those behind it that are deeper is or has one."""
    waiting = [False] * (max(one.level for one in met) + 2)
    for one in reversed(met):
        one.is_above_match, waiting[one.level + 1] = waiting[one.level + 1], False
        waiting[one.level] = waiting[one.level] or one.is_match or one.is_above_match
