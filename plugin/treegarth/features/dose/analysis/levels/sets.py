"""Sets of reference levels as documents that are kept: every version, in the order in which people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from treegarth.documents.store import Kind, Stored
from treegarth.features.dose.analysis.levels.model import LevelRow, LevelSet, Publication
from treegarth.features.dose.analysis.levels.tables import reference_level_set, reference_level_set_version
from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class LevelSets(Kind[Stored]):
    """The kind; a document has parts, whose order the database loses as well."""

    def text_order(self, document: Mapping[str, Any]) -> dict[str, Any]:
        ordered = super().text_order(document)
        if isinstance(ordered.get("publication"), Mapping):
            ordered["publication"] = _in_order(Publication, ordered["publication"])
        ordered["rows"] = [_in_order(LevelRow, row) for row in ordered.get("rows", ())]
        return ordered


def _in_order(model: type[LevelRow] | type[Publication], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in model.model_fields if name in given}


SETS = LevelSets(
    record=Stored,
    table=reference_level_set,
    versions=reference_level_set_version,
    missing=N_("There is no set of reference levels with this number."),
    taken=N_("Another set of reference levels has the name %(name)s."),
    keys=tuple(LevelSet.model_fields),
    starts_on=True,
)


@dataclass(frozen=True, kw_only=True)
class KeptSet:
    """A set as it stands here now: its number, whether it is on, and what it says."""

    number: int
    is_on: bool
    says: LevelSet


def kept(stored: Stored) -> KeptSet:
    return KeptSet(number=stored.id, is_on=stored.is_on, says=LevelSet.model_validate(stored.document))
