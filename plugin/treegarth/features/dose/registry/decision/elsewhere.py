"""What of an exam counts in another study: under a corrected patient, or filed twice. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from treegarth.features.dose.registry.decision.acts import NOWHERE, Acts
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import SourceFacts
from treegarth.features.dose.registry.decision.quantities import counted_events
from treegarth.features.dose.registry.decision.sources import Resolved
from treegarth.features.dose.registry.rules import Decision, Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """What of an exam counts in another study: whole sources, single events by their UIDs, each with that study's
    Orthanc identifier. `same_patient` are those of them that belong to the same patient."""

    sources: Mapping[str, str] = field(default_factory=dict)
    event_uids: Mapping[str, str] = field(default_factory=dict)
    same_patient: frozenset[str] = frozenset()
    acts: Acts = field(default_factory=Acts)

    def study_of(self, cluster: Cluster) -> str | None:
        """The other study in which an event counts, or NOWHERE; None where it counts here. What a person decided goes
        before what Orthanc says of its objects."""
        fate = self.acts.of_cluster(cluster)
        if fate is not None:
            return None if fate.study == self.acts.here != NOWHERE else fate.study
        for uid in sorted(cluster.uids):
            if uid in self.event_uids:
                return self.event_uids[uid]
        first = cluster.accounts[0].source.orthanc_instance_id
        documents = [one.source.orthanc_instance_id for one in cluster.accounts if one.source.is_document]
        if all(one in self.sources for one in documents or [first]):
            return self.sources[first] if first in self.sources else self.sources[documents[0]]
        return None

    def study_of_source(self, source: SourceFacts, group: Resolved) -> str | None:
        """The other study in which all events of a source count; None where some of it counts here."""
        clusters = group.clusters.of(source)
        if not clusters:
            return self.sources.get(source.orthanc_instance_id)
        studies = [self.study_of(one) for one in clusters]
        return None if None in studies else studies[0]


def take_out(resolved: Sequence[Resolved], elsewhere: Elsewhere) -> str | None:
    """Mark the events that count in another study; that study, where nothing is left."""
    left, gone = False, set()
    for one in resolved:
        for cluster in counted_events(one):
            by = elsewhere.study_of(cluster)
            cluster.is_elsewhere = by is not None
            gone.add(by)
            left |= by is None
        for source in one.documents:
            if not source.events:
                by = elsewhere.sources.get(source.orthanc_instance_id)
                gone.add(by)
                left |= by is None
    named = sorted(one for one in gone if one is not None and one != NOWHERE)
    if left or not named:
        return None
    for one in resolved:
        for cluster in one.clusters.all:
            cluster.is_elsewhere = False
    return named[0]


def decisions_of(resolved: Sequence[Resolved], elsewhere: Elsewhere) -> list[Decision]:
    """What became of each source; one whose events all count in another study does not count here."""
    found = []
    for group in resolved:
        sources = {one.orthanc_instance_id: one for one in (*group.documents, *group.headers)}
        for decision in group.decisions:
            source = sources.get(decision.orthanc_instance_id)
            if source is not None and (study := elsewhere.study_of_source(source, group)) is not None:
                by_person = any(elsewhere.acts.of_cluster(one) is not None for one in group.clusters.of(source))
                rule = Rule.ELSEWHERE if not by_person else Rule.VOIDED if study == NOWHERE else Rule.MOVED
                decision = Decision(orthanc_instance_id=source.orthanc_instance_id, counted=False, rule=rule)
            found.append(decision)
    return found
