"""Which doses of a single exam lie above a reference level: a flag for whoever looks, no comparison. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection

from treegarth.features.dose.analysis.levels.comparison import is_above
from treegarth.features.dose.analysis.levels.holding import HeldLevel, levels_on
from treegarth.features.dose.analysis.levels.model import LevelRow
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.sets import SETS, KeptSet, kept
from treegarth.features.dose.analysis.levels.store import ExamDose, doses_of_exam
from treegarth.features.dose.analysis.store.standard_names import names_meant


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A dose of an exam above a level, both in the unit shown."""

    held: HeldLevel
    label: str
    unit: str
    value: float


def flags_of_exam(connection: Connection, orthanc_study_id: str) -> list[Flag]:
    """By the levels that held on the exam's day; of an exam without a date none."""
    sets = [kept(one) for one in SETS.all(connection, only_on=True)]
    if not sets:
        return []
    meant = names_meant(connection, {(row.modality, row.standard_name) for one in sets for row in one.says.rows})
    names = {key: one.name for key, one in meant.items()}
    return flags(doses_of_exam(connection, orthanc_study_id), sets, names)


def flags(
    doses: Iterable[ExamDose],
    sets: Sequence[KeptSet],
    names: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> list[Flag]:
    """`names`: by modality and name of a row, what this site calls it, where it is written otherwise."""
    found = []
    for dose in doses:
        shown = LEVEL_QUANTITIES.get(dose.quantity)
        if dose.study_date is None or shown is None:
            continue
        value = dose.value * shown.factor
        for held in levels_on(sets, dose.study_date):
            called = names.get((held.row.modality, held.row.standard_name), held.row.standard_name)
            is_about = called == dose.standard_name and _is_about(held.row, dose)
            if held.superseded_by is None and is_about and is_above(value, held.row.level):
                found.append(Flag(held=held, label=shown.label, unit=shown.unit, value=value))
    return found


def _is_about(row: LevelRow, dose: ExamDose) -> bool:
    """But for the name."""
    return (
        (dose.modality, dose.quantity) == (row.modality, row.quantity)
        and row.phantom in (None, dose.phantom)
        and _is_within(dose.patient_age_years, row.age_from_years, row.age_to_years)
        and _is_within(dose.patient_weight_kg, row.weight_from_kg, row.weight_to_kg)
    )


def _is_within(value: float | None, begin: float | None, end: float | None) -> bool:
    """Half-open; who has no age is in no band of ages."""
    if begin is None and end is None:
        return True
    return value is not None and (begin is None or value >= begin) and (end is None or value < end)
