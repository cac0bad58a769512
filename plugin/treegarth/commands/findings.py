"""What a check found: a level and a sentence. Prints nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"  # worth knowing, nothing is broken
    PROBLEM = "problem"  # does not work, or not as it should


@dataclass(frozen=True, kw_only=True)
class Finding:
    level: Level
    sentence: str


def ok(sentence: str) -> Finding:
    return Finding(level=Level.OK, sentence=sentence)


def note(sentence: str) -> Finding:
    return Finding(level=Level.NOTE, sentence=sentence)


def problem(sentence: str) -> Finding:
    return Finding(level=Level.PROBLEM, sentence=sentence)
