"""How kinds of examinations and the meanings of rules are called on every page. Tables and words only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.rules import DoubtName
from treegarth.features.dose.registry.store.marks import Said
from treegarth.features.dose.registry.store.not_patients import Meaning
from treegarth.phrases import N_, Phrase

KIND_NAMES: dict[Kind, str] = {
    "ct": N_("CT"),
    "projection": N_("Projection X-ray"),
    "mammography": N_("Mammography"),
    "radiopharmaceutical": N_("Radiopharmaceutical"),
}
MEANING_NAMES: dict[Meaning, str] = {
    "phantom": N_("phantom"),
    "qa": N_("QA"),
    "service": N_("service"),
}


SAID_NAMES: Mapping[Said, str] = {
    "phantom": MEANING_NAMES["phantom"],
    "qa": MEANING_NAMES["qa"],
    "service": MEANING_NAMES["service"],
    "patient": N_("a patient after all"),
}
"""What a person can say of a study."""


def kinds_in_words(kinds: Collection[str]) -> list[Phrase]:
    """In the order of the table."""
    return [Phrase(name) for kind, name in KIND_NAMES.items() if kind in kinds]


ORIGIN_NAMES: dict[str, str] = {
    "reported": N_("as reported"),
    "events": N_("sum of the events"),
    "headers": N_("from images"),
    "partial": N_("what is known of it"),
}
GREATEST: dict[str, str] = {"events": N_("greatest of the events"), "headers": N_("greatest of the images")}
"""The origins of a quantity that is the greatest of its values, which are not added."""
DOUBT_NAMES: dict[DoubtName, str] = {
    "reports_disagree": N_("reports disagree"),
    "partial_total": N_("perhaps not all"),
    "phantoms_mixed": N_("16 and 32 cm phantoms together"),
    "event_uid_repeated": N_("one event UID twice in one report"),
    "in_another_study": N_("also in another study"),
    "sampled": N_("only some images were read"),
    "total_differs": N_("total and events differ"),
    "implausible": N_("no patient is given this"),
    "inconsistent": N_("DLP does not fit CTDIvol and length"),
}


def origin_in_words(quantity: str, origin: str) -> Phrase:
    """Where the best known dose of a quantity is from."""
    names = GREATEST if BEST[quantity].is_greatest else {}
    return Phrase(names.get(origin, ORIGIN_NAMES[origin]))


def doubts_in_words(doubts: Sequence[str] | None) -> list[Phrase]:
    """Each name once, in the order of the table."""
    names = {one.split(":", 1)[1] for one in doubts or ()}
    return [Phrase(words) for name, words in DOUBT_NAMES.items() if name in names]
