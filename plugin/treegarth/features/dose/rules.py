"""Decide which sources of one study count, whatever their order of arrival. Pure: facts in, decisions out.

Kinds are resolved apart. Of each kind the best source counts: a report before a captured dose page before the headers
of images. Reports repeat each other (re-sent), extend each other (cumulative) or continue each other; their sets of
irradiation event UIDs tell which: an equal set is a repetition, a subset is superseded, disjoint sets add up. Sets that
overlap otherwise have no total that any report states: the study then has none, and says so. Of headers each exposure,
and each administration, counts once, however many images tell of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from treegarth.features.dose.identity import Exposure, same_exposures


class Source(StrEnum):
    """Where a dose was written, the best first."""

    REPORT = "report"  # a structured report
    CAPTURE = "capture"  # a captured dose page that carries its numbers
    HEADER = "header"  # the header of an image


class Rule(StrEnum):
    """How the sources of a study became one examination."""

    SINGLE = "single"  # there is one
    REPEATED = "repeated"  # the same events again: the one with the highest SOP Instance UID counts
    CUMULATIVE = "cumulative"  # a later one repeats and extends: it counts
    CONTINUED = "continued"  # different events: all count
    OVERLAPPING = "overlapping"  # partly the same events: no total is known, the events are each taken once
    SUPERSEDED = "superseded"  # a better source of the same kind is there: a report before images
    SAME_EXPOSURE = "same_exposure"  # several images of one exposure or administration: one of them counts
    EXPOSURES = "exposures"  # images of different exposures: each counts once


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """What the decision needs of one source that was read. `events` may be empty (reports of totals only).

    Of a header, `exposures` says what it describes, and `richness` how many values it has: the fuller one counts.
    """

    orthanc_instance_id: str
    sop_instance_uid: str
    kind: str
    events: frozenset[str] = frozenset()
    source: Source = Source.REPORT
    exposures: tuple[Exposure, ...] = ()
    richness: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What became of one source, by which rule, and because of which other one."""

    orthanc_instance_id: str
    counted: bool
    rule: Rule
    because_of: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExamDecision:
    """The sources whose totals make the study's, sorted by identifier, and the rules that led there, sorted.

    `exposure_names` tells, for sources that are headers, which exposures are the same.
    """

    counted: tuple[str, ...]
    rules: tuple[Rule, ...]
    decisions: tuple[Decision, ...] = ()
    overlapping_kinds: frozenset[str] = frozenset()
    exposure_names: Mapping[tuple[str, Exposure], str] = field(default_factory=dict)

    @property
    def totals_are_known(self) -> bool:
        return Rule.OVERLAPPING not in self.rules


def resolve_exam(reports: Sequence[ReportFacts]) -> ExamDecision:
    """Which sources count. The same for every order of the same sources, and for any number of repetitions."""
    unique = {report.orthanc_instance_id: report for report in reports}
    decisions: list[Decision] = []
    overlapping: set[str] = set()
    names: dict[tuple[str, Exposure], str] = {}
    for kind in sorted({report.kind for report in unique.values()}):
        of_kind = [report for report in unique.values() if report.kind == kind]
        best = min(of_kind, key=lambda report: list(Source).index(report.source)).source
        ruling = sorted((report for report in of_kind if report.source is best), key=_order)
        if best is Source.HEADER:
            names |= same_exposures(
                (header.orthanc_instance_id, exposure) for header in ruling for exposure in header.exposures
            )
            ruling = sorted((_with_exposures(header, names) for header in ruling), key=_order)
        found = _resolve(ruling, best)
        if any(decision.rule is Rule.OVERLAPPING for decision in found):
            overlapping.add(kind)
        decisions += found
        by = next(decision.orthanc_instance_id for decision in reversed(found) if decision.counted)
        decisions += [
            Decision(orthanc_instance_id=report.orthanc_instance_id, counted=False, rule=Rule.SUPERSEDED, because_of=by)
            for report in of_kind
            if report.source is not best
        ]
    return ExamDecision(
        counted=tuple(sorted(decision.orthanc_instance_id for decision in decisions if decision.counted)),
        rules=_summary(decisions),
        decisions=tuple(sorted(decisions, key=lambda decision: decision.orthanc_instance_id)),
        overlapping_kinds=frozenset(overlapping),
        exposure_names=names,
    )


def _resolve(ordered: Sequence[ReportFacts], source: Source) -> list[Decision]:
    """Of sources of one kind and sort; what stands later in their order goes before what stands earlier."""
    covered, again, both = Rule.CUMULATIVE, Rule.REPEATED, Rule.CONTINUED
    if source is Source.HEADER:
        covered, again, both = Rule.SAME_EXPOSURE, Rule.SAME_EXPOSURE, Rule.EXPOSURES
    decisions: list[Decision] = []
    counted: list[ReportFacts] = []
    for number, report in enumerate(ordered):
        larger = [other for other in ordered if report.events and report.events < other.events]
        equal = [later for later in ordered[number + 1 :] if report.events and later.events == report.events]
        if not larger and not equal:
            counted.append(report)
            continue
        by = larger[-1] if larger else equal[-1]
        decisions.append(
            Decision(
                orthanc_instance_id=report.orthanc_instance_id,
                counted=False,
                rule=covered if larger else again,
                because_of=by.orthanc_instance_id,
            )
        )
    rule = both if len(counted) > 1 else Rule.SINGLE
    if source is not Source.HEADER and any(first.events & second.events for first, second in _pairs(counted)):
        rule = Rule.OVERLAPPING
    return decisions + [
        Decision(orthanc_instance_id=report.orthanc_instance_id, counted=True, rule=rule) for report in counted
    ]


def _summary(decisions: Sequence[Decision]) -> tuple[Rule, ...]:
    """The rules that decided; that something is single is worth saying when nothing else is."""
    rules = {decision.rule for decision in decisions}
    return tuple(sorted(rules - {Rule.SINGLE})) or (Rule.SINGLE,)


def _with_exposures(header: ReportFacts, names: Mapping[tuple[str, Exposure], str]) -> ReportFacts:
    return replace(header, events=frozenset(names[header.orthanc_instance_id, one] for one in header.exposures))


def _order(report: ReportFacts) -> tuple[int, str, str]:
    return report.richness, report.sop_instance_uid, report.orthanc_instance_id


def _pairs(reports: Sequence[ReportFacts]) -> list[tuple[ReportFacts, ReportFacts]]:
    return [(first, second) for number, first in enumerate(reports) for second in reports[number + 1 :]]
