"""Which sources of an exam count, and because of which other one the rest does not. Pure.

A report that a later one names as its predecessor is replaced. Of reports with the same events the latest counts; a
part of another counts with it; reports with different events all count. Headers count for what no report and no
captured page has: an event of its own or, where no event can be told, a device of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from treegarth.features.dose.registry.decision.accounts import made_at_once
from treegarth.features.dose.registry.decision.clusters import Clusters
from treegarth.features.dose.registry.decision.facts import Device, SourceFacts
from treegarth.features.dose.registry.decision.sameness import SAME_INSTANT_S, agree
from treegarth.features.dose.registry.rules import Decision, Rule, Source

TOTALS = (
    "dlp_total_mgy_cm",
    "dose_area_product_total_gy_m2",
    "dose_rp_total_gy",
    "accumulated_average_glandular_dose_left_mgy",
    "accumulated_average_glandular_dose_right_mgy",
    "total_fluoro_time_s",
)
"""The reported totals, as docs/dose.md names them."""

OF_TOTALS = {
    "dlp_total_mgy_cm": "dlp_mgy_cm",
    "dose_area_product_total_gy_m2": "dose_area_product_gy_m2",
    "dose_rp_total_gy": "dose_rp_gy",
    "accumulated_average_glandular_dose_left_mgy": "average_glandular_dose_mgy",
    "accumulated_average_glandular_dose_right_mgy": "average_glandular_dose_mgy",
}
"""The number of an event that a total sums."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replaced:
    """A source, and all that are later versions of it, by Orthanc's identifiers."""

    source: SourceFacts
    later: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """One group of sources: the reports and pages that count, the headers that count, every distinct event, what each
    source became. `disagreeing` are pairs of reports of which one counts in place of the other with other totals;
    `is_open` where nothing tells whether two reports of totals are one; `replaced` are those of which the exam has
    later versions."""

    documents: tuple[SourceFacts, ...]
    headers: tuple[SourceFacts, ...]
    clusters: Clusters
    decisions: tuple[Decision, ...]
    disagreeing: tuple[tuple[SourceFacts, SourceFacts], ...] = ()
    open_devices: frozenset[int] = frozenset()
    superseded_headers: tuple[SourceFacts, ...] = ()
    replaced: tuple[Replaced, ...] = ()


def resolve(sources: Sequence[SourceFacts], devices: dict[Device, int]) -> Resolved:
    """Which of the sources of one group count; the same for every order of the same sources."""
    return _Resolving(sources, devices).resolved()


@dataclass(slots=True)
class _Resolving:
    sources: Sequence[SourceFacts]
    devices: dict[Device, int]
    clusters: Clusters = field(init=False)
    decisions: list[Decision] = field(init=False, default_factory=list)
    disagreeing: list[tuple[SourceFacts, SourceFacts]] = field(init=False, default_factory=list)
    open_devices: set[int] = field(init=False, default_factory=set)
    superseded_headers: list[SourceFacts] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.clusters = Clusters(self.devices)

    def resolved(self) -> Resolved:
        replaced = self._replaced()
        standing = [one for one in self.sources if one.orthanc_instance_id not in replaced]
        reports = _latest_first(one for one in standing if one.source is Source.REPORT or _is_chosen_page(one))
        captures = _latest_first(one for one in standing if one.source is Source.CAPTURE and not one.is_chosen)
        for source in (*reports, *captures):
            self.clusters.place(source)
        counted = self._documents(reports)
        pages = self._documents([one for one in captures if not self._superseded(one, counted)])
        documents = [*counted, *pages]
        headers = self._headers([one for one in standing if one.source is Source.HEADER], documents)
        self.clusters.note_nameless([*documents, *headers])
        return Resolved(
            documents=tuple(documents),
            headers=tuple(headers),
            clusters=self.clusters,
            decisions=tuple(self.decisions),
            disagreeing=tuple(self.disagreeing),
            open_devices=frozenset(self.open_devices),
            superseded_headers=tuple(self.superseded_headers),
            replaced=tuple(
                Replaced(source=one, later=self._versions_of(one))
                for one in self.sources
                if one.orthanc_instance_id in replaced
            ),
        )

    def _decide(self, source: SourceFacts, rule: Rule, by: SourceFacts | None = None, *, counted: bool = False) -> None:
        because = None if by is None else by.orthanc_instance_id
        self.decisions.append(
            Decision(orthanc_instance_id=source.orthanc_instance_id, counted=counted, rule=rule, because_of=because)
        )

    def _replaced(self) -> set[str]:
        """Sources of which another one of the exam is a later version, by its own words or by Orthanc's."""
        found: set[str] = set()
        for source in _latest_first(self.sources):
            others = [one for one in self.sources if one.is_chosen or not source.is_chosen]
            later = [one for one in others if _is_version_of(one, source) and not _is_version_of(source, one)]
            if later:
                found.add(source.orthanc_instance_id)
                self._decide(source, Rule.REPLACED, _latest_first(later)[0])
        return found

    def _versions_of(self, source: SourceFacts) -> frozenset[str]:
        """Of the source, of its versions, and so on."""
        found: dict[str, SourceFacts] = {}
        left = [source]
        while left:
            earlier = left.pop()
            for one in self.sources:
                if one.orthanc_instance_id not in found and _is_version_of(one, earlier):
                    found[one.orthanc_instance_id] = one
                    left.append(one)
        return frozenset(found.keys() - {source.orthanc_instance_id})

    def _documents(self, ordered: Sequence[SourceFacts]) -> list[SourceFacts]:
        """Of reports, or of captured pages, the latest first: those that count."""
        counted: list[SourceFacts] = []
        for number, source in enumerate(ordered):
            found = self._covered(source, ordered[:number], ordered[number + 1 :])
            if found is None:
                counted.append(source)
                continue
            rule, by = found
            self._decide(source, rule, by)
        for source in counted:
            self._decide(source, self._rule_of_counted(source, counted), counted=True)
        return counted

    def _covered(
        self, source: SourceFacts, later: Sequence[SourceFacts], earlier: Sequence[SourceFacts]
    ) -> tuple[Rule, SourceFacts] | None:
        if source.is_chosen:
            return None
        if not source.events:
            return self._covered_by_totals(source, later, [*later, *earlier])
        mine = set(map(id, self.clusters.of(source)))
        for other in later:
            if other.is_chosen and mine & set(map(id, self.clusters.of(other))):
                return Rule.OVERRULED, other
        for other in (*later, *earlier):
            theirs = set(map(id, self.clusters.of(other)))
            if not mine <= theirs:
                continue
            if mine == theirs and other in later:
                self._compare_totals(source, other)
                return Rule.REPEATED, other
            if mine < theirs and (other in later or self._accounts_agree(source, other)):
                return Rule.CUMULATIVE, other
        return None

    def _covered_by_totals(
        self, source: SourceFacts, later: Sequence[SourceFacts], others: Sequence[SourceFacts]
    ) -> tuple[Rule, SourceFacts] | None:
        """A report of totals only: whether another one of its device says the same, or says it later."""
        for other in others:
            if self.clusters.device_of(other) != self.clusters.device_of(source) or other.kind != source.kind:
                continue
            says_something = other.events or any(total > 0 for total in _totals(other).values())
            if not says_something or (not other.events and other not in later) or _are_two(source, other):
                continue
            alike = agree(_totals(source), _totals(other) or self._sums(other))
            if alike is None and other.events:
                alike = agree(_totals(source), self._sums(other))
            if alike is not True:
                if not (other.is_chosen or (other.is_partial is False and source.is_partial)):
                    self.disagreeing.append((source, other))
            elif not other.events and not made_at_once(source, other):
                self.open_devices.add(self.clusters.device_of(source))
            return Rule.REPEATED, other
        return None

    def _sums(self, source: SourceFacts) -> dict[str, float]:
        sums: dict[str, float] = {}
        for event in source.events:
            for total, of_event in list(OF_TOTALS.items())[:3]:
                if of_event in event.numbers:
                    sums[total] = sums.get(total, 0.0) + event.numbers[of_event]
        return sums

    def _compare_totals(self, source: SourceFacts, later: SourceFacts) -> None:
        is_settled = later.is_chosen or (source.is_partial and not later.is_partial)
        if agree(_totals(source), _totals(later)) is False and not is_settled:
            self.disagreeing.append((source, later))

    def _accounts_agree(self, source: SourceFacts, other: SourceFacts) -> bool:
        theirs = dict(zip(map(id, self.clusters.of(other)), other.events, strict=True))
        mine = zip(self.clusters.of(source), source.events, strict=True)
        return all(agree(event.numbers, theirs[id(cluster)].numbers) is not False for cluster, event in mine)

    def _rule_of_counted(self, source: SourceFacts, counted: Sequence[SourceFacts]) -> Rule:
        if source.is_chosen:
            return Rule.CHOSEN
        if len(counted) == 1:
            return Rule.SINGLE
        mine = set(map(id, self.clusters.of(source)))
        shared = any(mine & set(map(id, self.clusters.of(other))) for other in counted if other is not source)
        return Rule.OVERLAPPING if shared else Rule.CONTINUED

    def _superseded(self, source: SourceFacts, counted: Sequence[SourceFacts]) -> bool:
        """Whether a captured page, or a header, tells of what a better source has."""
        by = self._better(source, counted)
        if by is not None:
            self._decide(source, Rule.SUPERSEDED, by)
        return by is not None

    def _better(self, source: SourceFacts, documents: Sequence[SourceFacts]) -> SourceFacts | None:
        better = [one for one in documents if one.source is not source.source]
        mine = self.clusters.of(source)
        has_all = all(any(account.source.source is not source.source for account in one.accounts) for one in mine)
        if mine and has_all:
            ids = set(map(id, mine))
            with_it = (one for one in better if ids & set(map(id, self.clusters.of(one))))
            return next(with_it, better[0] if better else None)
        if source.group == "radiopharmaceutical":
            return None
        for one in better:
            of_device = self.clusters.device_of(one) == self.clusters.device_of(source)
            nameless = not any(event.uid for event in source.events) or not any(event.uid for event in one.events)
            if of_device and nameless and (source.group == "ct" or self._tells_what(one, source)):
                return one
        return None

    def _tells_what(self, document: SourceFacts, header: SourceFacts) -> bool:
        """Whether a report, or one that it repeats, gives of an event or in all each dose that the header has."""
        accounts = [one for cluster in self.clusters.of(document) for one in cluster.accounts if one.source.is_document]
        told = {name for one in accounts for name in one.event.numbers}
        totals = _totals(document)
        told |= {of_event for total, of_event in OF_TOTALS.items() if totals.get(total, 0.0) > 0}
        return all(name in told for event in header.events for name in event.numbers)

    def _headers(self, headers: Sequence[SourceFacts], documents: Sequence[SourceFacts]) -> list[SourceFacts]:
        """Those that no report supersedes: of each exposure the fullest header counts."""
        counted: list[SourceFacts] = []
        left: list[tuple[SourceFacts, SourceFacts]] = []
        for header in sorted(headers, key=lambda one: (_richness(one), one.age), reverse=True):
            self.clusters.place(header)
            if self._superseded(header, documents):
                self._forget(header)
                self.superseded_headers.append(header)
                continue
            mine = self.clusters.of(header)
            first = [cluster.accounts[0].source for cluster in mine]
            if mine and all(one is not header for one in first):
                left.append((header, first[0]))
            else:
                counted.append(header)
        for header, by in left:
            self._decide(header, Rule.SAME_EXPOSURE, by)
        for header in counted:
            self._decide(header, Rule.EXPOSURES if len(counted) > 1 else Rule.SINGLE, counted=True)
        return counted

    def _forget(self, header: SourceFacts) -> None:
        """What only a superseded header tells is no event of the exam: the report of its device has it, unnamed."""
        for cluster in self.clusters.of(header):
            if not cluster.has_document:
                cluster.accounts = [one for one in cluster.accounts if one.source is not header]
                if not cluster.accounts and cluster in self.clusters.all:
                    self.clusters.all.remove(cluster)


def _is_chosen_page(source: SourceFacts) -> bool:
    """A captured page that a person prefers to the reports stands among them."""
    return source.source is Source.CAPTURE and source.is_chosen


def _is_version_of(later: SourceFacts, earlier: SourceFacts) -> bool:
    if later is earlier:
        return False
    named = {earlier.sop_instance_uid, *earlier.former_uids} & later.predecessors
    return bool(named) or later.modified_from == earlier.orthanc_instance_id


def _are_two(first: SourceFacts, second: SourceFacts) -> bool:
    """Whether two reports of totals say that they are of two runs: two steps, or two beginnings."""
    if first.step_uid and second.step_uid and first.step_uid != second.step_uid:
        return True
    if first.start is None or second.start is None:
        return False
    return abs(first.start.utc_s - second.start.utc_s) > SAME_INSTANT_S


def _totals(source: SourceFacts) -> dict[str, float]:
    return {name: float(value) for name in TOTALS if isinstance(value := source.totals.get(name), int | float)}


def _richness(source: SourceFacts) -> int:
    return sum(event.richness for event in source.events)


def _latest_first(sources: Iterable[SourceFacts]) -> list[SourceFacts]:
    return sorted(sources, key=lambda one: one.age, reverse=True)
