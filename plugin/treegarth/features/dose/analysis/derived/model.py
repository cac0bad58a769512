"""What deriving gives: a value with all that it stands on, or why there is none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from treegarth.phrases import Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """A number that went into a formula; its name is a msgid."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One step of a formula: of which event or administration, from what, by which publication."""

    of: str | None  # as a device or a table names it
    inputs: tuple[Input, ...]
    value: float
    source: str | None = None  # of the coefficient in it
    is_site: bool = False  # the coefficient is the site's own
    is_left_out: bool = False  # a localizer without a coefficient: its value is 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A derived quantity in its stored unit, and how it came about."""

    quantity: str
    value: float
    lines: tuple[Line, ...]
    is_doubted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """A quantity of which an input is missing: which."""

    quantity: str
    reason: Phrase


class Reason(Exception):
    """Why a formula has no value; its message is a phrase."""

    def __init__(self, sentence: Phrase) -> None:
        super().__init__(sentence)
        self.sentence = sentence


Derived: TypeAlias = Found | Missing
