"""Every source of an exam, why it counts or not, and which one counts in its place. No queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from treegarth.features.dose.registry.shown_quantities import RULES, SOURCES
from treegarth.features.dose.registry.shown_tables import Cell, Line, ShownTable, readable_moment, shown_table
from treegarth.features.dose.registry.store.decisions import SourceDecision, StudySource
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall

SORTS: dict[str, str] = {
    "report": N_("dose report"),
    "capture": N_("captured dose page"),
    "header": N_("header of an image"),
}
"""By the kind of source (`Source`)."""
STATES: dict[str, str] = {
    "failed": N_("could not be read"),
    "refused": N_("holds no dose"),
    "unread": N_("waits to be read"),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a source makes the study's totals, and by which rules; `because_of` counts in its place."""

    counted: bool
    reasons: list[str]
    because_of: Cell | None = None

    @property
    def sentence(self) -> str:
        reasons = tuple(self.reasons)
        if self.counted:
            return P_("counts: %(reasons)s", reasons=reasons)
        return P_("does not count: %(reasons)s", reasons=reasons)


@dataclass(frozen=True, kw_only=True)
class RuleCount:
    """How many sources count, or do not, by one rule."""

    counted: bool | None  # None: nothing was decided of it
    sentence: str  # a phrase
    count: int


@dataclass(frozen=True, kw_only=True)
class ShownSources:
    counts: list[RuleCount]
    table: ShownTable


def shown_sources(call: AnyCall, sources: Sequence[StudySource], articles: Collection[str]) -> ShownSources | None:
    """All sources with their verdicts, the summary of them first. `articles` are those that stand on the page."""
    known = {one.orthanc_instance_id: one for one in sources}
    lines, said = [], Counter[tuple[bool | None, str]]()
    for one in sources:
        verdict = verdict_of(call, one.decision, known, articles)
        sentence = verdict.sentence if verdict else _state(one)
        said[verdict.counted if verdict else None, sentence] += 1
        lines.append(_line(call, one, sentence, verdict))
    table = shown_table(call, "dose-sources", N_("Sources"), SOURCES, lines)
    counts = [RuleCount(counted=counted, sentence=words, count=count) for (counted, words), count in said.items()]
    order: dict[bool | None, int] = {True: 0, False: 1, None: 2}
    counts.sort(key=lambda one: (order[one.counted], -one.count, one.sentence))
    return None if table is None else ShownSources(counts=counts, table=table)


def verdict_of(
    call: AnyCall,
    decision: SourceDecision | None,
    known: dict[str, StudySource],
    articles: Collection[str],
) -> Verdict | None:
    """None of a source of which nothing was decided."""
    if decision is None:
        return None
    reasons = [Phrase(RULES[rule]) if rule in RULES else rule for rule in decision.rule.split("+")]
    return Verdict(
        counted=decision.counted, reasons=reasons, because_of=_other(call, decision.because_of, known, articles)
    )


def _other(
    call: AnyCall, because_of: str | None, known: dict[str, StudySource], articles: Collection[str]
) -> Cell | None:
    """The source that counts instead: on this page where it stands here, else its own content."""
    if because_of is None:
        return None
    source = known.get(because_of)
    words = source_in_words(source) if source else P_("a source of another study")
    url = (
        f"#source-{because_of}"
        if because_of in articles
        else call.site.url("dose.content_page", orthanc_instance_id=because_of)
    )
    return Cell(texts=[words], title=source.sop_instance_uid if source else "", numeric=False, url=url)


def source_in_words(source: StudySource) -> str:
    """What it is and when it was made."""
    sort = Phrase(SORTS.get(source.source or "report", SORTS["report"]))
    if source.made is None:
        return sort
    return P_("%(source)s of %(moment)s", source=sort, moment=readable_moment(source.made))


def _line(call: AnyCall, one: StudySource, sentence: str, verdict: Verdict | None) -> Line:
    own = {
        "sort": Cell(
            texts=[Phrase(SORTS.get(one.source or "report", SORTS["report"]))],
            title=one.sop_instance_uid,
            numeric=False,
            url=call.site.url("dose.content_page", orthanc_instance_id=one.orthanc_instance_id),
        ),
        "counts": Cell(texts=[sentence], numeric=False),
    }
    if verdict and verdict.because_of:
        own["because_of"] = verdict.because_of
    events = one.irradiation_event_count or one.administration_count or None
    return Line(values={"made": one.made, "series": one.series_description, "events": events}, own=own)


def _state(one: StudySource) -> str:
    return Phrase(STATES[one.state]) if one.state in STATES else P_("nothing was decided of it")
