"""Fluoroscopy by who performed it: dose-area product, time and dose at the reference point. Queries only.

A physician's name is personal data: it stands in answers and on pages for whoever may see patients, never in a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import Connection, Subquery, func, literal, select, union_all

from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.figures import EXAM_COUNT
from treegarth.features.dose.analysis.store.rows import select_rows
from treegarth.features.dose.analysis.store.statistics import distributions
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.features.dose.registry.tables import dose_study
from treegarth.record import Record

FluoroscopyModality = Literal["XA", "RF"]
MODALITIES: tuple[FluoroscopyModality, ...] = ("XA", "RF")
"""Angiography and radiofluoroscopy (PS3.3 C.7.3.1.1.1): where a physician guides the beam."""

FluoroscopyQuantity = Literal["dose_area_product_gy_m2", "dose_rp_gy", "total_fluoro_time_s"]
QUANTITIES: tuple[FluoroscopyQuantity, ...] = ("dose_area_product_gy_m2", "dose_rp_gy", "total_fluoro_time_s")


class Physician(Record):
    """The exams of one person. Medians, and the 95 % confidence intervals of them, in stored units; null without
    values, the intervals for less than 6 of them."""

    physician: str | None
    """As in DICOM (PN). Null: exams whose objects name nobody."""
    exams: int
    """Exams of fluoroscopy with a dose source, whatever dose they have."""
    dose_area_product_n: int
    dose_area_product_median_gy_m2: float | None
    dose_area_product_low_gy_m2: float | None
    dose_area_product_high_gy_m2: float | None
    dose_area_product_p75_gy_m2: float | None
    dose_rp_n: int
    dose_rp_median_gy: float | None
    dose_rp_low_gy: float | None
    dose_rp_high_gy: float | None
    dose_rp_p75_gy: float | None
    fluoro_time_n: int
    fluoro_time_median_s: float | None
    fluoro_time_low_s: float | None
    fluoro_time_high_s: float | None
    fluoro_time_p75_s: float | None


_NAMES: Mapping[FluoroscopyQuantity, tuple[str, str]] = {
    "dose_area_product_gy_m2": ("dose_area_product", "gy_m2"),
    "dose_rp_gy": ("dose_rp", "gy"),
    "total_fluoro_time_s": ("fluoro_time", "s"),
}
"""How fields of a quantity begin, and which unit they end with."""


def physicians(connection: Connection, wanted: Wanted, modality: FluoroscopyModality | None) -> list[Physician]:
    """Those with the most exams first; exams whose objects name nobody are the last line."""
    exams = by_physician(connection, replace(wanted, quantity=EXAM_COUNT, with_doubted=True), modality)
    found = {one: by_physician(connection, replace(wanted, quantity=one), modality) for one in QUANTITIES}
    ordered = sorted(exams, key=lambda name: (not name, -exams[name].n, name))
    return [
        Physician(
            physician=name or None,
            exams=exams[name].n,
            **{
                field: value
                for quantity in QUANTITIES
                for field, value in _fields(quantity, found[quantity].get(name, NOTHING)).items()
            },
        )
        for name in ordered
    ]


def _fields(quantity: FluoroscopyQuantity, of: Distribution) -> dict[str, Any]:
    start, unit = _NAMES[quantity]
    parts = {"median": of.median, "low": of.median_low, "high": of.median_high, "p75": of.p75}
    return {f"{start}_n": of.n, **{f"{start}_{part}_{unit}": value for part, value in parts.items()}}


def by_physician(
    connection: Connection, wanted: Wanted, modality: FluoroscopyModality | None
) -> dict[str, Distribution]:
    """What a quantity of exams is like, by who performed them; under an empty name those that name nobody."""
    rows = _rows(wanted, (modality,) if modality else MODALITIES)
    found = distributions(connection, wanted, rows, rows.c.physician)
    return {str(name): one for name, one in found.items()}


def _rows(wanted: Wanted, modalities: tuple[FluoroscopyModality, ...]) -> Subquery:
    parts = []
    for modality in modalities:
        rows = select_rows(replace(wanted, modality=modality))
        physician = func.coalesce(dose_study.c.performing_physician, literal("")).label("physician")
        named = dose_study.c.orthanc_study_id == rows.c.orthanc_study_id
        is_named = dose_study.c.performing_physician.is_not(None)  # as its index has it
        joined = rows.outerjoin(dose_study, named & is_named)
        parts.append(select(rows.c.value, rows.c.is_doubted, physician).select_from(joined))
    return union_all(*parts).subquery("performed")
