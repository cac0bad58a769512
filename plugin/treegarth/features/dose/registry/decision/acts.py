"""What people decided of an exam's sources and events: left out, moved to another study, to count. Pure.

Decisions are kept by irradiation event UID, and by SOP Instance UID for what names none: they hold for whatever object
tells of the event, today's or one that is sent later. Of several for one event the latest holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import EventFacts, SourceFacts
from treegarth.features.dose.registry.rules import Decision, Rule

NOWHERE = ""
"""In place of the study in which something counts."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Fate:
    """Where something counts, by the decision of this number: in a study, by Orthanc's identifier, or NOWHERE."""

    act_id: int
    study: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Acts:
    """What was decided that concerns an exam: by event UID, by source for what names no event, and which sources are
    to count. `here` is the exam's study."""

    here: str = NOWHERE
    events: Mapping[str, Fate] = field(default_factory=dict)
    sources: Mapping[str, Fate] = field(default_factory=dict)
    chosen: frozenset[str] = frozenset()

    def of_event(self, source: SourceFacts, event: EventFacts) -> Fate | None:
        """The latest of what was decided of the event and of the whole source."""
        found = (self.events.get(event.uid or ""), self.sources.get(source.orthanc_instance_id))
        return max((one for one in found if one is not None), default=None)

    def of_source(self, source: SourceFacts) -> Fate | None:
        """What all of a source has in common; None where some of it has no fate, or another."""
        fates = [self.of_event(source, one) for one in source.events]
        if not fates:
            return self.sources.get(source.orthanc_instance_id)
        known = [one for one in fates if one is not None]
        return max(known) if len(known) == len(fates) and len({one.study for one in known}) == 1 else None

    def of_cluster(self, cluster: Cluster) -> Fate | None:
        """Of an event: by its UIDs, else where it was decided of every source that tells of it."""
        by_uid = [self.events[uid] for uid in cluster.uids if uid in self.events]
        fates = [self.of_event(one.source, one.event) for one in cluster.accounts]
        known = [one for one in fates if one is not None]
        if by_uid:
            return max(known)
        return max(known) if known and len(known) == len(fates) else None

    def standing(self, source: SourceFacts, *, is_guest: bool = False) -> SourceFacts | None:
        """What of a source is to be decided here; None where nothing is. Of a source of another study it is what was
        moved here; its totals tell of all of it."""
        source = replace(source, is_chosen=source.orthanc_instance_id in self.chosen)
        if not is_guest:
            fate = self.of_source(source)
            return source if fate is None or fate.study == self.here else None
        if not source.events:
            fate = self.sources.get(source.orthanc_instance_id)
            is_here = fate is not None and fate.study == self.here
            return replace(source, is_chosen=True) if is_here else None  # nothing but a person tells what run it is of
        moved = tuple(
            one for one in source.events if (fate := self.of_event(source, one)) is not None and fate.study == self.here
        )
        if len(moved) == len(source.events):
            return source
        return replace(source, events=moved, totals={}) if moved else None

    def decision(self, source: SourceFacts) -> Decision:
        """Of a source of which nothing counts here."""
        fate = self.of_source(source)
        rule = Rule.VOIDED if fate is None or fate.study == NOWHERE else Rule.MOVED
        return Decision(orthanc_instance_id=source.orthanc_instance_id, counted=False, rule=rule)
