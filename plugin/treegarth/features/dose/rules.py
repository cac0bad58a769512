"""Decide which reports of one study count, whatever their order of arrival. Pure: facts in, decisions out.

Reports of one study repeat each other (re-sent), extend each other (cumulative) or continue each other. Their sets of
irradiation event UIDs tell which: an equal set is a repetition, a subset is superseded, disjoint sets add up. Sets that
overlap otherwise have no total that any report states: the study then has none, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Rule(StrEnum):
    """How the reports of a study became one examination."""

    SINGLE = "single"  # there is one
    REPEATED = "repeated"  # the same events again: the one with the highest SOP Instance UID counts
    CUMULATIVE = "cumulative"  # a later one repeats and extends: it counts
    CONTINUED = "continued"  # different events: all count
    OVERLAPPING = "overlapping"  # partly the same events: no total is known, the events are each taken once


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """What the decision needs of one report that was read. `events` may be empty (reports of totals only)."""

    orthanc_instance_id: str
    sop_instance_uid: str
    kind: str
    events: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExamDecision:
    """The reports whose totals make the study's, sorted by identifier, and the rules that led there, sorted."""

    counted: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def totals_are_known(self) -> bool:
        return Rule.OVERLAPPING not in self.rules


def resolve_exam(reports: Sequence[ReportFacts]) -> ExamDecision:
    """Which reports count. The same for every order of the same reports, and for any number of repetitions."""
    unique = {report.orthanc_instance_id: report for report in reports}
    ordered = sorted(unique.values(), key=lambda report: (report.sop_instance_uid, report.orthanc_instance_id))
    rules: set[Rule] = set()
    counted: list[ReportFacts] = []
    for number, report in enumerate(ordered):
        others = [other for other in ordered if other is not report and other.kind == report.kind and other.events]
        if report.events and any(report.events < other.events for other in others):
            rules.add(Rule.CUMULATIVE)
        elif report.events and any(
            later.events == report.events and later.kind == report.kind for later in ordered[number + 1 :]
        ):
            rules.add(Rule.REPEATED)
        else:
            counted.append(report)
    if any(first.events & second.events and first.kind == second.kind for first, second in _pairs(counted)):
        rules.add(Rule.OVERLAPPING)
    elif len(counted) > 1:
        rules.add(Rule.CONTINUED)
    return ExamDecision(
        counted=tuple(sorted(report.orthanc_instance_id for report in counted)),
        rules=tuple(sorted(rules)) or (Rule.SINGLE,),
    )


def _pairs(reports: Sequence[ReportFacts]) -> list[tuple[ReportFacts, ReportFacts]]:
    return [(first, second) for number, first in enumerate(reports) for second in reports[number + 1 :]]
