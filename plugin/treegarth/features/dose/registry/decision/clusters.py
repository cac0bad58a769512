"""One event from several accounts of it: the distinct events of an exam. Pure.

Within one object every item is its own. Across objects an equal UID makes two items one; without it the device, the
instant and the numbers do. Accounts are placed one object after the other, the best and latest first, so the order of
arrival changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from treegarth.features.dose.registry.decision.accounts import (
    Account,
    compare,
    is_at_once,
    is_nameless,
    made_at_once,
    pairs_of_instants,
)
from treegarth.features.dose.registry.decision.facts import Device, EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.sameness import Match, agree, marks_differ, seconds_apart

NOWHEN = float("inf")


@dataclass(eq=False, slots=True)
class Cluster:
    """One event with every account of it, the best first. `is_unsure`: it may be two, and nothing tells."""

    device: int
    accounts: list[Account] = field(default_factory=list)
    disagrees: bool = False
    is_unsure: bool = False
    is_elsewhere: bool = False

    @property
    def uids(self) -> set[str]:
        return {one.event.uid for one in self.accounts if one.event.uid}

    @property
    def has_document(self) -> bool:
        return any(one.source.is_document for one in self.accounts)


class Clusters:
    """The distinct events of one group of sources."""

    def __init__(self, devices: Mapping[Device, int]) -> None:
        self._devices = devices
        self._by_uid: dict[str, list[Cluster]] = {}
        self._placed: list[SourceFacts] = []
        self._of: dict[str, list[Cluster]] = {}
        self.all: list[Cluster] = []
        self.repeated_uids: list[tuple[SourceFacts, EventFacts]] = []

    def of(self, source: SourceFacts) -> list[Cluster]:
        """The events of a source, in its order."""
        return self._of.get(source.orthanc_instance_id, [])

    def device_of(self, source: SourceFacts) -> int:
        return self._devices[source.device]

    def place(self, source: SourceFacts) -> None:
        """Find for each event of the source the one that it tells of, or begin a new one."""
        found: dict[int, Cluster] = {}
        taken: set[int] = set()
        for match in (self._by_equal_uid, self._by_what_they_say, self._as_sent_again, self._as_nameless_copy):
            for position, cluster in match(source, found, taken).items():
                if position not in found and id(cluster) not in taken:
                    found[position] = cluster
                    taken.add(id(cluster))
        for event in source.events:
            if event.position not in found:
                found[event.position] = Cluster(device=self.device_of(source))
                self.all.append(found[event.position])
            cluster = found[event.position]
            cluster.accounts.append(Account(source, event))
            if event.uid and cluster not in self._by_uid.setdefault(event.uid, []):
                self._by_uid[event.uid].append(cluster)
        self._of[source.orthanc_instance_id] = [found[event.position] for event in source.events]
        self._placed.append(source)
        self._note_repeated_uids(source)

    def _by_equal_uid(self, source: SourceFacts, found: Mapping[int, Cluster], taken: set[int]) -> dict[int, Cluster]:
        matched: dict[int, Cluster] = {}
        used: set[int] = set()
        for event in source.events:
            open_ones = [one for one in self._by_uid.get(event.uid or "", ()) if id(one) not in used]
            if open_ones:
                likes = [one for one in open_ones if _agrees(one, event) and not _other_plane(one, event)]
                chosen = (likes or open_ones)[0]
                used.add(id(chosen))
                matched[event.position] = chosen
        return matched

    def _by_what_they_say(
        self, source: SourceFacts, found: Mapping[int, Cluster], taken: set[int]
    ) -> dict[int, Cluster]:
        """Events of which one account has no UID, or whose UIDs differ where everything else is the same."""
        matched: dict[int, Cluster] = {}
        used = set(taken)
        for event in source.events:
            if event.position in found:
                continue
            near = [
                (*ranked, number, cluster, match)
                for number, cluster in enumerate(self.all)
                if id(cluster) not in used
                for match, ranked in [self._match(cluster, source, event)]
                if match is not Match.DISTINCT
            ]
            if near:
                *_, cluster, match = min(near, key=lambda one: one[:4])
                cluster.disagrees |= match is Match.DISAGREE
                cluster.is_unsure |= self._is_open(cluster, source, event)
                used.add(id(cluster))
                matched[event.position] = cluster
        return matched

    def _match(
        self, cluster: Cluster, source: SourceFacts, event: EventFacts
    ) -> tuple[Match, tuple[bool, float, bool]]:
        """The best match with an account of the cluster, and how good it is: not disagreeing first, then the nearest,
        then of the same numbers."""
        best, rank = Match.DISTINCT, (True, NOWHEN, True)
        is_given = source.group == "radiopharmaceutical"
        if not is_given and cluster.device != self.device_of(source):
            return best, rank
        for account in _telling(cluster, event):
            if account.event.uid and event.uid and account.source.is_document and source.is_document:
                continue  # whether reports have one event under two UIDs, they decide as wholes
            match = compare(account, source, event)
            if match is Match.DISTINCT:
                continue
            apart = seconds_apart(account.event, event, numbers_agree=match is Match.SAME)
            if account.event.uid and event.uid and not is_at_once(account.event, event, apart):
                continue
            is_told = agree(account.event.numbers, event.numbers) is True
            ranked = (match is Match.DISAGREE, NOWHEN if apart is None else apart, not is_told)
            if best is Match.DISTINCT or ranked < rank:
                best, rank = match, ranked
        return best, rank

    def _is_open(self, cluster: Cluster, source: SourceFacts, event: EventFacts) -> bool:
        """Whether nothing but equal activities says that two administrations of one sort of source are one."""
        if source.group != "radiopharmaceutical":
            return False
        alike = [one for one in cluster.accounts if one.source.is_document == source.is_document]
        return bool(alike) and all(
            seconds_apart(one.event, event, numbers_agree=True) is None
            and (source.is_document or one.source.series != source.series)
            for one in alike
        )

    def _as_sent_again(self, source: SourceFacts, found: Mapping[int, Cluster], taken: set[int]) -> dict[int, Cluster]:
        """A report that a device sent again under new event UIDs: the whole of one is in the other, instant by
        instant and number by number."""
        if found or not source.is_document or not all(event.uid and event.instant for event in source.events):
            return {}
        for other in self._placed:
            if not other.is_document or self.device_of(other) != self.device_of(source) or other.kind != source.kind:
                continue
            pairs, is_told = pairs_of_instants(source, other)
            of_other = dict(zip((one.position for one in other.events), self.of(other), strict=True))
            if is_told and len(pairs) in (len(source.events), len(other.events)):
                return {mine: of_other[theirs] for mine, theirs in pairs.items()}
            for theirs in pairs.values():  # some are alike, and others not
                of_other[theirs].is_unsure = True
        return {}

    def _as_nameless_copy(
        self, source: SourceFacts, found: Mapping[int, Cluster], taken: set[int]
    ) -> dict[int, Cluster]:
        """A report without UIDs and times: the same again where every number is the same in the same order; sure only
        where both say when they were made or began."""
        if found or not source.is_document or not source.events:
            return {}
        for other in self._placed:
            if (
                other.is_document
                and self.device_of(other) == self.device_of(source)
                and other.kind == source.kind
                and len(other.events) >= len(source.events)
                and (all(map(is_nameless, source.events)) or all(map(is_nameless, other.events)))
                and all(agree(one.numbers, two.numbers) for one, two in zip(other.events, source.events, strict=False))
            ):
                clusters = self.of(other)[: len(source.events)]
                if not (len(other.events) == len(source.events) and made_at_once(source, other)):
                    for cluster in clusters:
                        cluster.is_unsure = True
                return dict(zip((event.position for event in source.events), clusters, strict=True))
        return {}

    def note_nameless(self, sources: Sequence[SourceFacts]) -> None:
        """Events without UID and time that may be one of another object of the device: of reports, whatever their
        numbers say, for one may correct the other; of images, where their numbers are the same."""
        for cluster in self.all:
            if not all(is_nameless(one.event) for one in cluster.accounts):
                continue
            told = {one.source.orthanc_instance_id for one in cluster.accounts}
            first = cluster.accounts[0]
            cluster.is_unsure |= any(
                self._may_be_of(first, one) for one in sources if one.orthanc_instance_id not in told
            )

    def _may_be_of(self, nameless: Account, other: SourceFacts) -> bool:
        source, event = nameless.source, nameless.event
        if source.group == "radiopharmaceutical":
            nuclides = {one.nuclide for one in other.events}
            return source.is_document and other.is_document and (event.nuclide in nuclides or None in nuclides)
        if self.device_of(other) != self.device_of(source):
            return False
        if source.is_document and other.is_document and other.kind == source.kind:
            return True
        accounts = (one for cluster in self.of(other) for one in cluster.accounts)
        return any(
            agree(one.event.numbers, event.numbers) is True and not marks_differ(one.event, event) for one in accounts
        )

    def _note_repeated_uids(self, source: SourceFacts) -> None:
        """A device gives an event UID once, to each plane its own: twice in one report is a fault of it."""
        seen = Counter(event.uid for event in source.events)
        self.repeated_uids += [(source, event) for event in source.events if event.uid and seen[event.uid] > 1]


def _telling(cluster: Cluster, event: EventFacts) -> list[Account]:
    """The accounts to compare with: those with a UID where the event has one, those with a time where it has one."""
    accounts = cluster.accounts
    if event.uid:
        accounts = [one for one in accounts if one.event.uid] or accounts
    if event.instant is not None:
        accounts = [one for one in accounts if one.event.instant is not None] or accounts
    return accounts


def _agrees(cluster: Cluster, event: EventFacts) -> bool:
    return any(agree(one.event.numbers, event.numbers) is not False for one in cluster.accounts)


def _other_plane(cluster: Cluster, event: EventFacts) -> bool:
    return any(marks_differ(one.event, event, ("acquisition_plane",)) for one in cluster.accounts)
