"""Where a dose was written, and how the sources of one exam become one. Words only; `deciding/` applies them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias, get_args


class Source(StrEnum):
    """Where a dose was written, the best first."""

    REPORT = "report"  # a structured report
    CAPTURE = "capture"  # a captured dose page that carries its numbers
    HEADER = "header"  # the header of an image


class Rule(StrEnum):
    """How the sources of a study became one examination."""

    SINGLE = "single"  # there is one
    REPEATED = "repeated"  # the same events again: the latest counts
    CUMULATIVE = "cumulative"  # another one repeats and extends: it counts
    CONTINUED = "continued"  # different events: all count
    OVERLAPPING = "overlapping"  # partly the same events: each event is taken once
    REPLACED = "replaced"  # a later version names it as its predecessor
    SUPERSEDED = "superseded"  # a better source has its event, or is of its device: a report before images
    SAME_EXPOSURE = "same_exposure"  # several images of one exposure or administration: one of them counts
    EXPOSURES = "exposures"  # images of different exposures: each counts once
    ELSEWHERE = "elsewhere"  # its events live on in another study: under a corrected patient, or twice filed
    OVERRULED = "overruled"  # a person says that another report of its events counts
    CHOSEN = "chosen"  # a person says that it counts
    VOIDED = "voided"  # a person left it out
    MOVED = "moved"  # a person moved it to another study


Origin: TypeAlias = Literal["reported", "events", "headers", "partial"]
"""Where a best known dose is from, the best first; of parts that differ, the last of them."""

ORIGINS: tuple[Origin, ...] = get_args(Origin)

DoubtName: TypeAlias = Literal[
    "implausible",
    "inconsistent",
    "reports_disagree",
    "total_differs",
    "partial_total",
    "phantoms_mixed",
    "event_uid_repeated",
    "in_another_study",
    "sampled",
]
DOUBTS: tuple[DoubtName, ...] = get_args(DoubtName)


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Doubt:
    """Why the best known dose of a quantity may not be the true one."""

    quantity: str
    name: DoubtName


What: TypeAlias = Literal["total", "events", "event", "silent", "best", "part", "least", "greatest", "expected"]
"""A reported total, the sum of a source's events, one event, an event that says nothing, the best known dose, the part
of a phantom; the limit that a number is below or above, and what it should be about."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Said:
    """What speaks for a doubt: a number in the stored unit, and where it stands. Position 0 is no event."""

    name: DoubtName
    what: What
    orthanc_instance_id: str = ""
    position: int = 0
    of: str = ""  # the phantom of a part
    value: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What became of one source, by which rule, and because of which other one."""

    orthanc_instance_id: str
    counted: bool
    rule: Rule
    because_of: str | None = None


def summary(decisions: Sequence[Decision]) -> tuple[Rule, ...]:
    """The rules that decided; that something is single is worth saying when nothing else is."""
    rules = {decision.rule for decision in decisions}
    return tuple(sorted(rules - {Rule.SINGLE})) or (Rule.SINGLE,)
