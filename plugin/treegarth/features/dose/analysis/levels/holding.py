"""Which reference levels hold on a day: of one place the latest, so that a new survey replaces an old one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from treegarth.features.dose.analysis.levels.model import LevelRow
from treegarth.features.dose.analysis.levels.sets import KeptSet
from treegarth.folding import fold


@dataclass(frozen=True, kw_only=True)
class HeldLevel:
    """A level with its set; `superseded_by` names the later set of its place that says one of the same exams."""

    of: KeptSet
    row: LevelRow
    superseded_by: str | None = None


def levels_on(sets: Iterable[KeptSet], day: date) -> list[HeldLevel]:
    """Every level of the sets that are on and valid on this day, with those that are superseded.

    Of the sets of one place, the one whose validity began last says the levels of a modality, quantity, phantom and
    standard name (both folded), in all bands: a survey that parts ages otherwise replaces the older one's parts, none
    of which fits its own. Of two that began on the same day it is the one that was made later.
    """
    holding = sorted((one for one in sets if one.is_on and one.says.holds_on(day)), key=_begun, reverse=True)
    first: dict[tuple[str, str, str, str | None, str], KeptSet] = {}
    found: list[HeldLevel] = []
    for one in holding:
        for row in one.says.rows:
            about = (fold(one.says.place), row.modality, row.quantity, row.phantom, fold(row.standard_name))
            latest = first.setdefault(about, one)
            superseded_by = None if latest is one else latest.says.name
            found.append(HeldLevel(of=one, row=row, superseded_by=superseded_by))
    return found


def levels_of(one: KeptSet, sets: Iterable[KeptSet], day: date) -> list[HeldLevel]:
    """Every level of one set, whether it holds on this day or not; what supersedes it then is said."""
    on = {(held.of.number, held.row.key): held.superseded_by for held in levels_on(sets, day)}
    return [HeldLevel(of=one, row=row, superseded_by=on.get((one.number, row.key))) for row in one.says.rows]


def in_order(levels: Iterable[HeldLevel]) -> Sequence[HeldLevel]:
    """As people look for them: by modality, name and quantity, the young and the light first."""

    def key(held: HeldLevel) -> tuple[object, ...]:
        row = held.row
        bands = (row.age_from_years or 0.0, row.age_to_years or 1e9, row.weight_from_kg or 0.0)
        return (row.modality, row.standard_name, row.quantity, row.phantom or "", *bands, held.of.says.name)

    return sorted(levels, key=key)


def _begun(one: KeptSet) -> tuple[date, int]:
    return one.says.valid_from or date.min, one.number
