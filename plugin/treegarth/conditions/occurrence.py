"""Whether the archive ever had a value that a condition names. Reads the database, a moment at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, literal, select, text
from sqlalchemy.exc import OperationalError

from treegarth.conditions.compilation import compile_condition
from treegarth.conditions.model import Comparison, Level
from treegarth.conditions.vocabulary import Vocabulary

PATIENCE_MS = 400
"""A value that is nowhere is looked for everywhere: where that takes longer, nothing is said of it."""
MOST_VALUES = 20


def unseen(
    connection: Connection, vocabulary: Vocabulary, comparisons: Iterable[tuple[str, Comparison]], now: datetime
) -> Mapping[str, list[str]]:
    """The values of comparisons that no study of the archive fulfils, by the name that each comparison is given."""
    found: dict[str, list[str]] = {}
    study = vocabulary.levels[Level.STUDY].table
    looking = connection.begin_nested()
    try:
        connection.execute(text(f"SET LOCAL statement_timeout = {PATIENCE_MS}"))
        for name, comparison in list(comparisons)[:MOST_VALUES]:
            holds = compile_condition(comparison, vocabulary, now)
            if connection.execute(select(literal(1)).select_from(study).where(holds).limit(1)).first() is None:
                found.setdefault(name, []).extend(map(str, comparison.values))
    except OperationalError:
        pass  # it takes too long
    finally:
        looking.rollback()
    return found
