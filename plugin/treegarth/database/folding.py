"""Folded texts in statements: `folding.py` in the database's own words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, func, or_

from treegarth.folding import fold, has_wildcard, is_written_together, like_pattern


def folded(column: ColumnElement[Any]) -> ColumnElement[str]:
    """A text as it is compared: by the function of revision 0035."""
    return func.folded(column, type_=Text)


def holds(text: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Whether a folded text has this part, which is folded here; * and ? in it stand for what may vary."""
    part = fold(part)
    found = text.like(f"%{like_pattern(part)}%", escape="\\")
    if not is_written_together(part):
        return found
    return or_(found, func.replace(text, " ", "").like(f"%{like_pattern(part.replace(' ', ''))}%", escape="\\"))


def matches(column: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """Whether a text has this part, in capitals or not, with accents or without; with * or ?: whether it is like it."""
    if has_wildcard(part):
        return folded(column).like(like_pattern(fold(part)), escape="\\")
    return holds(folded(column), part)


def is_or_is_like(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Whether an identifier is this one exactly; with * or ?: whether it is like it."""
    return column.like(like_pattern(value), escape="\\") if has_wildcard(value) else column == value
