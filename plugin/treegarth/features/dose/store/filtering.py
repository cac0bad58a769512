"""Which studies of the dose list are wanted, as conditions on its table. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Text, and_, cast, func, or_

from treegarth.features.dose.tables import dose_study

Number: TypeAlias = float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyFilter:
    """Which studies are wanted; None wants all. Texts are contained, without regard to case; `patient_id` is exact."""

    kind: str | None = None
    modalities: Sequence[str] = ()  # studies with a series of one of these
    patient_id: str | None = None
    protocol: str | None = None
    equipment: str | None = None
    study_date_from: date | None = None
    study_date_to: date | None = None
    dlp_from_mgy_cm: Number = None
    dlp_to_mgy_cm: Number = None
    ctdi_vol_from_mgy: Number = None
    ctdi_vol_to_mgy: Number = None
    dap_from_gy_m2: Number = None
    dap_to_gy_m2: Number = None
    dose_rp_from_gy: Number = None
    dose_rp_to_gy: Number = None
    glandular_dose_from_mgy: Number = None  # of one breast
    glandular_dose_to_mgy: Number = None
    activity_from_mbq: Number = None
    activity_to_mbq: Number = None
    events_from: int | None = None
    events_to: int | None = None
    device: str | None = None  # a fingerprint: `device_key`
    not_patient: bool | None = None  # False: without phantoms, QA and service; True: only these
    not_patient_rule: int | None = None  # what this rule marks


def conditions(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """What a row of `dose_study` must fulfil: all of these."""
    return [*_texts(wanted), *_marks(wanted), *_ranges(wanted)]


def _texts(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.patient_id is not None:
        found.append(table.patient_id == wanted.patient_id)
    if wanted.protocol is not None:
        found.append(func.array_to_string(table.protocols, "\n").icontains(wanted.protocol, autoescape=True))
    if wanted.equipment is not None:
        names = (table.manufacturer, table.manufacturer_model_name, table.station_name)
        found.append(or_(*(name.icontains(wanted.equipment, autoescape=True) for name in names)))
    if wanted.device is not None:
        found.append(table.device_key == wanted.device)
    return found


def _marks(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(table.kinds.contains([wanted.kind]))
    if wanted.modalities:
        found.append(table.modalities.op("&&")(cast(list(wanted.modalities), ARRAY(Text))))
    if wanted.not_patient is not None:
        found.append(table.not_patient.is_not(None) if wanted.not_patient else table.not_patient.is_(None))
    if wanted.not_patient_rule is not None:
        found.append(table.not_patient_rule_id == wanted.not_patient_rule)
    return found


def _ranges(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    ranges = (
        (table.study_date, wanted.study_date_from, wanted.study_date_to),
        (table.dlp_total_mgy_cm, wanted.dlp_from_mgy_cm, wanted.dlp_to_mgy_cm),
        (table.mean_ctdi_vol_max_mgy, wanted.ctdi_vol_from_mgy, wanted.ctdi_vol_to_mgy),
        (table.dose_area_product_total_gy_m2, wanted.dap_from_gy_m2, wanted.dap_to_gy_m2),
        (table.dose_rp_total_gy, wanted.dose_rp_from_gy, wanted.dose_rp_to_gy),
        (table.administered_activity_mbq, wanted.activity_from_mbq, wanted.activity_to_mbq),
        (table.irradiation_event_count, wanted.events_from, wanted.events_to),
    )
    found = [condition for column, low, high in ranges for condition in _between(column, low, high)]
    low, high = wanted.glandular_dose_from_mgy, wanted.glandular_dose_to_mgy
    if low is not None or high is not None:  # one breast in the range is enough
        sides = (table.glandular_dose_left_mgy, table.glandular_dose_right_mgy)
        found.append(or_(*(and_(*_between(side, low, high)) for side in sides)))
    return found


def _between(column: ColumnElement[Any], low: Any, high: Any) -> list[ColumnElement[bool]]:
    above = [] if low is None else [column >= low]
    below = [] if high is None else [column <= high]
    return above + below
