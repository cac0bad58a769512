"""Which doses of a single exam lie above a reference level: a flag for whoever looks, no comparison. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from treegarth.features.dose.analysis.levels.comparison import is_above
from treegarth.features.dose.analysis.levels.holding import HeldLevel, levels_on
from treegarth.features.dose.analysis.levels.model import LevelRow
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.sets import SETS, KeptSet, kept
from treegarth.features.dose.analysis.levels.store import ExamDose, doses_of_exam


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
    return flags(doses_of_exam(connection, orthanc_study_id), sets) if sets else []


def flags(doses: Iterable[ExamDose], sets: Sequence[KeptSet]) -> list[Flag]:
    found = []
    for dose in doses:
        shown = LEVEL_QUANTITIES.get(dose.quantity)
        if dose.study_date is None or shown is None:
            continue
        value = dose.value * shown.factor
        for held in levels_on(sets, dose.study_date):
            if held.superseded_by is None and _is_about(held.row, dose) and is_above(value, held.row.level):
                found.append(Flag(held=held, label=shown.label, unit=shown.unit, value=value))
    return found


def _is_about(row: LevelRow, dose: ExamDose) -> bool:
    told = (dose.modality, dose.quantity, dose.standard_name)
    return (
        told == (row.modality, row.quantity, row.standard_name)
        and row.phantom in (None, dose.phantom)
        and _is_within(dose.patient_age_years, row.age_from_years, row.age_to_years)
        and _is_within(dose.patient_weight_kg, row.weight_from_kg, row.weight_to_kg)
    )


def _is_within(value: float | None, begin: float | None, end: float | None) -> bool:
    """Half-open; who has no age is in no band of ages."""
    if begin is None and end is None:
        return True
    return value is not None and (begin is None or value >= begin) and (end is None or value < end)
