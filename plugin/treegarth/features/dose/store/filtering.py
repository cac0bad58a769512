"""Which studies of the dose list are wanted, as conditions on its table. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import ARRAY, ColumnElement, Connection, Text, and_, cast, false, func, or_, select, text

from treegarth.features.dose.tables import dose_protocol, dose_study

Number: TypeAlias = float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyFilter:
    """Which studies are wanted; None wants all. Doses are the best known ones. Texts are contained, in capitals or not;
    `patient_id` is exact."""

    kind: str | None = None
    modalities: Sequence[str] = ()  # studies with a series of one of these
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
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
    devices: Sequence[str] | None = None  # fingerprints: what `resolved` makes of `equipment`
    protocols: Sequence[str] | None = None  # whole names: what `resolved` makes of `protocol`


# A loose scan of the index: one look for each device, where reading their names would read every row.
_DEVICES = text("""
WITH RECURSIVE keys (device_key) AS (
    (SELECT device_key FROM dose_study ORDER BY device_key LIMIT 1)
    UNION ALL
    SELECT (SELECT d.device_key FROM dose_study d WHERE d.device_key > keys.device_key ORDER BY d.device_key LIMIT 1)
    FROM keys WHERE keys.device_key IS NOT NULL
)
SELECT keys.device_key FROM keys, LATERAL (
    SELECT d.manufacturer, d.manufacturer_model_name, d.station_name FROM dose_study d
    WHERE d.device_key = keys.device_key LIMIT 1
) AS named
WHERE named.manufacturer ILIKE :part OR named.manufacturer_model_name ILIKE :part OR named.station_name ILIKE :part
""")


def resolved(connection: Connection, wanted: DoseStudyFilter) -> DoseStudyFilter:
    """With the devices and protocols whose names contain what is asked for: they are few, and have indexes."""
    devices, protocols = wanted.devices, wanted.protocols
    if wanted.equipment is not None and devices is None:
        part = "%" + "".join("\\" + one if one in "\\%_" else one for one in wanted.equipment) + "%"
        devices = tuple(connection.execute(_DEVICES, {"part": part}).scalars())
    if wanted.protocol is not None and protocols is None:
        named = dose_protocol.c.name.icontains(wanted.protocol, autoescape=True)
        protocols = tuple(connection.execute(select(dose_protocol.c.name).where(named)).scalars())
    return replace(wanted, devices=devices, protocols=protocols)


def conditions(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """What a row of `dose_study` must fulfil: all of these."""
    return [*_texts(wanted), *_marks(wanted), *_ranges(wanted)]


def _texts(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.patient_id is not None:
        found.append(table.patient_id == wanted.patient_id)
    if wanted.issuer_of_patient_id is not None:
        found.append(table.issuer_of_patient_id == wanted.issuer_of_patient_id)
    if wanted.protocols is not None:
        found.append(
            table.protocols.op("&&")(cast(list(wanted.protocols), ARRAY(Text))) if wanted.protocols else false()
        )
    elif wanted.protocol is not None:
        found.append(func.array_to_string(table.protocols, "\n").icontains(wanted.protocol, autoescape=True))
    if wanted.devices is not None:
        found.append(table.device_key.in_(wanted.devices) if wanted.devices else false())
    elif wanted.equipment is not None:
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
        (table.best_dlp_mgy_cm, wanted.dlp_from_mgy_cm, wanted.dlp_to_mgy_cm),
        (table.best_ctdi_vol_max_mgy, wanted.ctdi_vol_from_mgy, wanted.ctdi_vol_to_mgy),
        (table.best_dose_area_product_gy_m2, wanted.dap_from_gy_m2, wanted.dap_to_gy_m2),
        (table.best_dose_rp_gy, wanted.dose_rp_from_gy, wanted.dose_rp_to_gy),
        (table.best_administered_activity_mbq, wanted.activity_from_mbq, wanted.activity_to_mbq),
        (table.irradiation_event_count, wanted.events_from, wanted.events_to),
    )
    found = [condition for column, low, high in ranges for condition in _between(column, low, high)]
    low, high = wanted.glandular_dose_from_mgy, wanted.glandular_dose_to_mgy
    if low is not None or high is not None:  # one breast in the range is enough
        sides = (table.best_glandular_dose_left_mgy, table.best_glandular_dose_right_mgy)
        found.append(or_(*(and_(*_between(side, low, high)) for side in sides)))
    return found


def _between(column: ColumnElement[Any], low: Any, high: Any) -> list[ColumnElement[bool]]:
    above = [] if low is None else [column >= low]
    below = [] if high is None else [column <= high]
    return above + below
