"""An event as one source tells it, and whether two such accounts tell of one event. Pure.

By sorts of sources: reports with reports, images with reports, images with images, each within its own tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass

from treegarth.features.dose.registry.decision.facts import EventFacts, SourceFacts
from treegarth.features.dose.registry.decision.sameness import (
    CT_ACQUISITION_S,
    HEADER_INSTANT_S,
    INJECTION_OF_HEADER_S,
    INJECTION_S,
    SAME_INSTANT_S,
    Match,
    agree,
    marks_differ,
    same_administration,
    same_exposure,
    seconds_apart,
)


@dataclass(frozen=True, slots=True)
class Account:
    """An event as one source tells it."""

    source: SourceFacts
    event: EventFacts


def made_at_once(first: SourceFacts, second: SourceFacts) -> bool:
    """Whether two reports say that they are one: of one beginning, or of one moment of writing."""
    for one, other in ((first.start, second.start), (first.content, second.content)):
        if one is not None and other is not None:
            return abs(one.utc_s - other.utc_s) <= SAME_INSTANT_S
    return False


def compare(account: Account, source: SourceFacts, event: EventFacts) -> Match:
    mixed = account.source.is_document != source.is_document
    if source.group == "radiopharmaceutical":
        return same_administration(account.event, event, within_s=INJECTION_OF_HEADER_S if mixed else INJECTION_S)
    if source.group == "ct" and not source.is_document:
        if account.source.is_document:
            return same_exposure(account.event, event, within_s=CT_ACQUISITION_S)
        return _same_ct_image(account, source, event)
    if mixed:
        if marks_differ(account.event, event, ("laterality", "acquisition_plane")):
            return Match.DISTINCT
        return same_exposure(account.event, event, within_s=HEADER_INSTANT_S)
    return same_exposure(account.event, event, within_s=SAME_INSTANT_S, of_images=not source.is_document)


def _same_ct_image(account: Account, source: SourceFacts, event: EventFacts) -> Match:
    """Images of one acquisition: of one number in one series; in another series also of the same CTDIvol and time.
    Another acquisition of the same number in another series is its own."""
    first, second = (one.marks.get("acquisition_number") for one in (account.event, event))
    numbers = agree(account.event.numbers, event.numbers)
    if account.source.series == source.series:
        same = first == second if first is not None and second is not None else numbers is True
        return Match.SAME if same else Match.DISTINCT
    if (first is not None and second is not None and first != second) or numbers is not True:
        return Match.DISTINCT
    apart = seconds_apart(account.event, event, numbers_agree=True)
    return Match.SAME if apart is None or apart <= CT_ACQUISITION_S else Match.DISTINCT


def pairs_of_instants(source: SourceFacts, other: SourceFacts) -> tuple[dict[int, int], bool]:
    """Positions of the events that began at once without a number that differs, each once, and whether any number of
    them is the same."""
    pairs: dict[int, int] = {}
    left = list(other.events)
    is_told = False
    for event in source.events:
        for candidate in left:
            alike = agree(event.numbers, candidate.numbers)
            if alike is False or marks_differ(event, candidate, ("acquisition_plane",)):
                continue
            apart = seconds_apart(event, candidate, numbers_agree=True)
            if apart is not None and apart <= SAME_INSTANT_S:
                pairs[event.position] = candidate.position
                left.remove(candidate)
                is_told |= alike is True
                break
    return pairs, is_told


def is_at_once(first: EventFacts, second: EventFacts, apart: float | None) -> bool:
    """What it takes to make one of two accounts with two UIDs."""
    return apart is not None and apart <= SAME_INSTANT_S and agree(first.numbers, second.numbers) is True


def is_nameless(event: EventFacts) -> bool:
    return event.uid is None and event.instant is None
