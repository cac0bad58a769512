"""The best known amount of one quantity, of one group of sources. Pure.

Devices are decided apart and added. Of a device the reported totals win where every report that counts has one, they
share no event, and no event stands beside them; the total of one of several reports that is the sum of all their events
wins too. Else the distinct events are added, each as the latest report that counts has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.clusters import Cluster
from treegarth.features.dose.registry.decision.facts import TO_THIS_POINT, EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.sameness import SAME_INSTANT_S, Match, agree, close, same_exposure
from treegarth.features.dose.registry.decision.sources import Resolved
from treegarth.features.dose.registry.rules import ORIGINS, DoubtName, Origin, Said, What

EventValue: TypeAlias = Callable[[EventFacts], float | None]
Total: TypeAlias = Callable[[SourceFacts], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """How much, and from where. `is_partial`: it is known to be, or may be, not all; `is_missing`: there was some, and
    nothing of it is told; `disagrees`: two accounts that should be equal are not. `said` is what speaks for doubts."""

    value: float | None = None
    origin: Origin | None = None
    is_partial: bool = False
    is_missing: bool = False
    disagrees: bool = False
    is_sampled: bool = False
    said: frozenset[Said] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A quantity: its total in a report, its value in an event, and which events have it even where none is told."""

    total: Total
    value: EventValue
    concerns: Callable[[Account], bool]
    kind: str


@dataclass(frozen=True, slots=True)
class Of:
    """What counts of one device: its reports and pages, and every event of theirs or of headers that count."""

    device: int
    documents: Sequence[SourceFacts]
    events: Sequence[Cluster]
    resolved: Resolved

    def events_of(self, source: SourceFacts) -> list[Cluster]:
        return self.resolved.clusters.of(source)

    @property
    def is_open(self) -> bool:
        return self.device in self.resolved.open_devices and bool(self.documents)


def by_device(resolved: Resolved) -> list[Of]:
    """What counts, device by device."""
    clusters = resolved.clusters
    documents: dict[int, list[SourceFacts]] = {}
    for source in resolved.documents:
        documents.setdefault(clusters.device_of(source), []).append(source)
    events: dict[int, list[Cluster]] = {}
    for cluster in counted_events(resolved):
        events.setdefault(cluster.device, []).append(cluster)
    return [
        Of(device, documents.get(device, []), events.get(device, []), resolved)
        for device in sorted({*documents, *events})
    ]


def counted_events(resolved: Resolved) -> list[Cluster]:
    """The distinct events of the sources that count."""
    counted = {one.orthanc_instance_id for one in (*resolved.documents, *resolved.headers)}
    return [
        one
        for one in resolved.clusters.all
        if any(account.source.orthanc_instance_id in counted for account in one.accounts)
    ]


def amount_of(asked: Asked, of: Of) -> Amount:
    """The best known amount of the quantity that one device gave."""
    documents = [one for one in of.documents if _concerns(asked, one)]
    events = [one for one in of.events if any(asked.concerns(account) for account in one.accounts)]
    values = [event_amount(asked.value, one, of) for one in events]
    found = _reported(asked, of, documents, events, values) or _summed(asked, of, documents, events, values)
    if any(one.kind == asked.kind and not one.events and not _has_a_total(one) for one in of.documents):
        found = added([found, Amount(is_missing=True)])  # a report that tells of a run and gives nothing
    said = frozenset().union(
        found.said, *(one.said for one in values), *(_differing(asked, one, of) for one in documents)
    )
    if found.value is None:
        is_partial = found.is_partial or _is_in_images(asked, of)
        return Amount(is_missing=found.is_missing, is_partial=is_partial, said=said)
    others = [one for one, by in of.resolved.disagreeing if by in of.documents or one in of.documents]
    told = [(one, total) for one in others if (total := asked.total(one)) is not None and total > 0]
    differ = any(not close(total, found.value) for _, total in told)
    if differ:
        totals = [*told, *((one, total) for one in documents if (total := asked.total(one)) is not None)]
        said |= {_said("reports_disagree", "total", one, total) for one, total in totals}
    unsure = of.is_open or any(one.is_unsure for one in events)
    return Amount(
        value=found.value,
        origin="partial" if unsure else found.origin,
        is_partial=found.is_partial or unsure,
        disagrees=any(value.disagrees for value in values) or differ,
        is_sampled=any(value.is_sampled for value in values),
        said=said,
    )


DOUBTED_DIFFERENCE = 0.05
"""A total that differs from the sum of its events by this part of the larger is doubted; devices round less."""


def _differing(asked: Asked, source: SourceFacts, of: Of) -> frozenset[Said]:
    """A report's total and the sum of its own events, where they differ by more than rounding explains. Nothing where
    an event is silent: that is a doubt of its own."""
    total = asked.total(source)
    here = set(map(id, of.events))
    own = [event for event, cluster in zip(source.events, of.events_of(source), strict=True) if id(cluster) in here]
    values = [
        asked.value(event)
        for event in own
        if asked.concerns(Account(source, event)) and not (event.is_localizer and asked.value(event) is None)
    ]
    known = [value for value in values if value is not None]
    if total is None or source.scope == TO_THIS_POINT or not known or len(known) < len(values):
        return frozenset()
    of_events = sum(known)
    if is_rounded(total, of_events) or abs(total - of_events) < DOUBTED_DIFFERENCE * max(abs(total), abs(of_events)):
        return frozenset()
    return frozenset(
        {_said("total_differs", "total", source, total), _said("total_differs", "events", source, of_events)}
    )


def is_rounded(total: float, of_events: float) -> bool:
    """Whether the total is what the sum is with so many digits: 0.0001 Gy of 0.000066. A total of 0 tells no digits."""
    digits = Decimal(str(total)).normalize()
    half = Decimal(5).scaleb(min(int(digits.as_tuple().exponent), 0) - 1) if total else Decimal(0)
    return abs(digits - Decimal(str(of_events))) <= half


def _said(name: DoubtName, what: What, source: SourceFacts, value: float | None, position: int = 0) -> Said:
    return Said(name=name, what=what, value=value, orthanc_instance_id=source.orthanc_instance_id, position=position)


def _is_in_images(asked: Asked, of: Of) -> bool:
    """Whether images that a report supersedes tell what it does not."""
    device_of = of.resolved.clusters.device_of
    headers = [one for one in of.resolved.superseded_headers if device_of(one) == of.device]
    return any(asked.value(event) for one in headers for event in one.events)


def event_amount(value: EventValue, event: Cluster, of: Of) -> Amount:
    """An event's value as the latest report that counts has it, else what another report, a page or a header says."""
    known = [(account, found) for account in event.accounts if (found := value(account.event)) is not None]
    if not known:
        first = event.accounts[0]
        silent = _said("partial_total", "silent", first.source, None, first.event.position)
        return Amount(is_missing=True, said=frozenset({silent}))
    counted = {one.orthanc_instance_id for one in of.documents}
    best, number = min(known, key=lambda one: one[0].source.orthanc_instance_id not in counted)
    told = [found for account, found in known if account.source.is_document]
    differ = any(not close(number, other) for other in told) or (event.disagrees and len(known) > 1)
    disagrees = not best.source.is_chosen and (
        differ
        or (best.source.orthanc_instance_id not in counted and _is_disputed(best, event))
        or _is_left_open(value, number, event, of)
    )
    said = [
        _said("reports_disagree", "event", account.source, found, account.event.position) for account, found in known
    ]
    return Amount(
        value=number,
        origin="events" if best.source.is_document else "headers",
        disagrees=disagrees,
        is_sampled=not told and any(account.source.is_sampled for account, _ in known),
        said=frozenset(said if disagrees else ()),
    )


def _is_left_open(value: EventValue, number: float, event: Cluster, of: Of) -> bool:
    """Whether a report that was replaced says something else of the event, and none of its later versions says it:
    what was corrected there nobody knows."""
    for replaced in of.resolved.replaced:
        if of.resolved.clusters.device_of(replaced.source) != event.device:
            continue
        told = [
            found
            for one in replaced.source.events
            if (found := value(one)) is not None and not close(found, number) and _is_account_of(one, event)
        ]
        versions = [one for one in event.accounts if one.source.orthanc_instance_id in replaced.later]
        if told and not any(value(one.event) is not None for one in versions):
            return True
    return False


def _is_account_of(told: EventFacts, event: Cluster) -> bool:
    """Whether a report that was replaced tells of this event: by its UID, else by the instant."""
    if told.uid:
        return told.uid in event.uids
    return any(same_exposure(one.event, told, within_s=SAME_INSTANT_S) is not Match.DISTINCT for one in event.accounts)


def _is_disputed(account: Account, event: Cluster) -> bool:
    """Whether the report that this is of says something else of the event than another one."""
    others = [one for one in event.accounts if one.source.is_document and one is not account]
    return account.source.is_document and any(
        agree(account.event.numbers, one.event.numbers) is False for one in others
    )


def added(amounts: Iterable[Amount], *, partial: bool = False) -> Amount:
    """The sum of what is known; partial where something is missing, or is itself partial."""
    amounts = list(amounts)
    known = [one for one in amounts if one.value is not None]
    said = said_of(amounts)
    if not known:
        return Amount(
            is_missing=any(one.is_missing for one in amounts),
            is_partial=any(one.is_partial for one in amounts),
            said=said,
        )
    is_partial = partial or any(one.is_partial or one.is_missing for one in amounts)
    return Amount(
        value=sum(one.value or 0.0 for one in known),
        origin="partial" if is_partial else worst(one.origin for one in known),
        is_partial=is_partial,
        disagrees=any(one.disagrees for one in amounts),
        is_sampled=any(one.is_sampled for one in known),
        said=said,
    )


def said_of(amounts: Iterable[Amount]) -> frozenset[Said]:
    """All that speaks for doubts of any of these."""
    return frozenset().union(*(one.said for one in amounts))


def worst(origins: Iterable[Origin | None]) -> Origin | None:
    """Of several origins the one that says least for the number."""
    return max((one for one in origins if one is not None), key=ORIGINS.index, default=None)


def valid(total: float | None, source: SourceFacts) -> float | None:
    """A total that can win: positive, and not only of what was given so far."""
    return None if total is None or total <= 0 or source.scope == TO_THIS_POINT else total


def _concerns(asked: Asked, source: SourceFacts) -> bool:
    return asked.total(source) is not None or any(asked.concerns(Account(source, event)) for event in source.events)


def _reported(
    asked: Asked, of: Of, documents: Sequence[SourceFacts], events: Sequence[Cluster], values: Sequence[Amount]
) -> Amount | None:
    covered: set[int] = set()
    disjoint = True
    for one in documents:
        mine = set(map(id, of.events_of(one)))
        disjoint &= not mine & covered
        covered |= mine
    if not documents or any(id(one) not in covered or one.is_elsewhere for one in events):
        return None
    totals = [valid(asked.total(one), one) for one in documents]
    known = [one for one in totals if one is not None]
    whole = _whole(known, documents, values)
    if whole is not None:
        return Amount(value=whole, origin="reported")
    if len(known) == len(documents) and disjoint:
        return Amount(value=sum(known), origin="reported")
    return None


def _whole(totals: Sequence[float], documents: Sequence[SourceFacts], values: Sequence[Amount]) -> float | None:
    """Of several reports the total of one that is of all their events: a report that counts on and lists the rest."""
    numbers = [one.value for one in values if one.value is not None]
    moved_here = any(one.is_chosen and not one.events for one in documents)  # a run of its own, as a person says
    if len(documents) < 2 or not numbers or len(numbers) < len(values) or moved_here:
        return None
    return next((total for total in sorted(totals, reverse=True) if close(total, sum(numbers))), None)


def _summed(
    asked: Asked, of: Of, documents: Sequence[SourceFacts], events: Sequence[Cluster], values: Sequence[Amount]
) -> Amount:
    """The events that are here, each once, and the totals of reports that list none."""
    here = [(event, value) for event, value in zip(events, values, strict=True) if not event.is_elsewhere]
    known = [value for _, value in here if value.value is not None]
    missing = any(value.value is None and not _is_silent_localizer(event) for event, value in here)
    listing_none = [one for one in documents if not of.events_of(one)]
    totals = [total for one in listing_none if (total := valid(asked.total(one), one)) is not None]
    missing |= any(asked.total(one) == 0 and not _has_a_total(one) for one in listing_none)
    if known or totals:
        lone = [Amount(value=total, origin="reported") for total in totals]
        return added([*known, *lone], partial=missing or bool(listing_none))
    least = [total for one in documents if (total := asked.total(one)) is not None and total > 0]
    if least and not any(event.is_elsewhere for event in events):
        # of a report "to this point", or of reports that overlap and name no doses: it was at least so much
        return Amount(value=max(least), origin="partial", is_partial=True)
    return Amount(is_missing=missing)


def _has_a_total(source: SourceFacts) -> bool:
    """Whether any total of the report is one: beside it a 0 is believed, as of the breast that was not exposed."""
    return any(isinstance(one, int | float) and one > 0 for one in source.totals.values())


def _is_silent_localizer(event: Cluster) -> bool:
    """Some devices never give a dose for a localizer (GE)."""
    return any(account.event.is_localizer and account.source.is_document for account in event.accounts)
