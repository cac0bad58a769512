"""How kinds of examinations and the meanings of rules are called on every page. Tables and words only."""

from __future__ import annotations

from collections.abc import Collection

from treegarth.features.dose.model import Kind
from treegarth.features.dose.store.not_patients import Meaning
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall, translated

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


def kinds_in_words(call: AnyCall, kinds: Collection[str]) -> str:
    """In the order of the table, in the reader's language."""
    return ", ".join(translated(call, name) for kind, name in KIND_NAMES.items() if kind in kinds)
