"""A column for sentences that are read in another language than they were written in.

Why something failed is noted by a worker, who knows no reader, and is read on a page in English or in Korean. So the
column keeps a phrase's message and values (see `treegarth.phrases`); a text that is no phrase, such as what a peer
said, stays as it is. Both are JSON: an object, or a string.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from treegarth.phrases import Phrase, read_phrase

LONGEST = 500
"""Letters of a text, and of each text within a phrase: what somebody else said can be of any length."""


class PhraseColumn(TypeDecorator[str]):
    """Takes a phrase or any other text, and gives the same back. None is NULL."""

    impl = JSONB
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> dict[str, Any] | str | None:
        return kept(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else said(value)


class IssuesColumn(TypeDecorator[list[dict[str, str]]]):
    """A list of {path, reason}, each reason a phrase or any other text. None is NULL."""

    impl = JSONB
    cache_ok = True

    def __init__(self) -> None:
        super().__init__(none_as_null=True)

    def process_bind_param(self, value: list[dict[str, str]] | None, dialect: Dialect) -> list[dict[str, Any]] | None:
        return None if value is None else [{**issue, "reason": kept(issue["reason"])} for issue in value]

    def process_result_value(self, value: Any | None, dialect: Dialect) -> list[dict[str, str]] | None:
        return None if value is None else [{**issue, "reason": said(issue["reason"])} for issue in value]


def kept(text: str | None) -> dict[str, Any] | str | None:
    """A phrase, or any other text, as such a column has it in JSON."""
    if isinstance(text, Phrase):
        return _bounded_phrase(text).document()
    return None if text is None else _bounded(text)


def said(document: dict[str, Any] | str) -> str:
    """The phrase or other text of such JSON."""
    return read_phrase(document) if isinstance(document, dict) else document


def _bounded_phrase(given: Phrase) -> Phrase:
    return Phrase(given.message, {name: _bounded_value(value) for name, value in given.values.items()})


def _bounded_value(value: object) -> object:
    if isinstance(value, Phrase):
        return _bounded_phrase(value)
    if isinstance(value, tuple):
        return tuple(_bounded_value(part) for part in value)
    return value if isinstance(value, int | float) else _bounded(str(value))


def _bounded(text: str) -> str:
    """Its beginning, in one line and without what PostgreSQL's JSON refuses: NUL and half characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST])
