"""Doubts in words: of which quantity, why, and the values that disagree. No queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.pages.names import DOUBT_NAMES
from treegarth.features.dose.registry.rules import DoubtName, What
from treegarth.features.dose.registry.store.studies import DoseStudy, SaidValue
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall
from treegarth.web.formats import scaled

EXPLAINED: Mapping[DoubtName, str] = {
    "implausible": N_(
        "It lies outside the limits of plausibility: a slip of units, or a number that stands for “unknown”."
    ),
    "inconsistent": N_("It is more than twice, or less than half, of CTDIvol times the length that was scanned."),
    "reports_disagree": N_("Two sources tell of the same and say other numbers; the later one is taken."),
    "total_differs": N_("The total as reported and the sum of its events are 5 percent or more apart."),
    "partial_total": N_("A part of the exam says nothing of it, or may be there twice."),
    "phantoms_mixed": N_("Doses of the 16 cm and of the 32 cm phantom, or of none that is named, stand in one number."),
    "event_uid_repeated": N_("A device gives an event UID once; here one stands twice in one report."),
    "in_another_study": N_("An event of it counts in another study of the same patient."),
    "sampled": N_("It is from images of which only some were read: others may say more."),
}
SAID: Mapping[What, str] = {
    "total": N_("total as reported"),
    "events": N_("sum of its events"),
    "event": N_("event"),
    "silent": N_("event without a value"),
    "best": N_("best known"),
    "part": N_("part"),
    "least": N_("at least"),
    "greatest": N_("at most"),
    "expected": N_("expected"),
}
PARTS = {"head": N_("Head 16 cm"), "body": N_("Body 32 cm"), "other": N_("another phantom")}
MOST_SAID = 8
"""Values shown of one doubt: a report of hundreds of events can be silent in each."""


@dataclass(frozen=True, kw_only=True)
class ShownValue:
    """A number that speaks for a doubt; `source` is where it stands."""

    what: Phrase
    value: str  # as the reader's language writes it; empty where none is told
    unit: str
    source_url: str | None
    position: int | None


@dataclass(frozen=True, kw_only=True)
class ShownDoubt:
    """A doubt of one quantity with what speaks for it."""

    label: str  # a msgid
    name: Phrase
    explained: Phrase
    said: Sequence[ShownValue]
    more: int


def shown_doubts(call: AnyCall, study: DoseStudy) -> list[ShownDoubt]:
    """In the order of the quantities, each with its reason."""
    found = study.doubts_of(study.doubts)
    order = list(BEST)
    found.sort(key=lambda one: (order.index(one.quantity), list(DOUBT_NAMES).index(one.name)))
    return [
        ShownDoubt(
            label=BEST[one.quantity].label,
            name=Phrase(DOUBT_NAMES[one.name]),
            explained=P_(EXPLAINED[one.name]),
            said=[_shown(call, one.quantity, value) for value in _once(one.said)[:MOST_SAID]],
            more=max(len(_once(one.said)) - MOST_SAID, 0),
        )
        for one in found
    ]


def _once(said: Sequence[SaidValue]) -> list[SaidValue]:
    """A limit that several numbers are held against stands once."""
    limits = {(one.what, one.value): one for one in said if one.what in ("least", "greatest")}
    bare = [one.model_copy(update={"orthanc_instance_id": None, "position": None}) for one in limits.values()]
    return [*(one for one in said if one.what not in ("least", "greatest")), *bare]


def _shown(call: AnyCall, quantity: str, said: SaidValue) -> ShownValue:
    best = BEST[quantity]
    words = Phrase(SAID[said.what])
    if said.of is not None:
        words = Phrase(PARTS.get(said.of, said.of))
    write = call.site.environments[call.language].filters["significant"]
    instance = said.orthanc_instance_id
    return ShownValue(
        what=words,
        value="" if said.value is None else str(write(scaled(said.value, best.factor))),
        unit=best.unit,
        source_url=call.site.url("dose.content_page", orthanc_instance_id=instance) if instance else None,
        position=said.position,
    )
