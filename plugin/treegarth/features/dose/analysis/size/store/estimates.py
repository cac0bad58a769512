"""Keep the estimates of series, and of their exams, what diameters and registry say, in the transaction that changes
either. Writes this one quantity of `derived_dose`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Row,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.parameters import is_among
from treegarth.features.dose.analysis.size.estimates import Estimate, Event, Measured, estimate
from treegarth.features.dose.analysis.size.factors import factors
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.features.dose.analysis.tables import derived_dose, event_dose
from treegarth.features.dose.quantities import DERIVED
from treegarth.features.dose.registry.tables import dose_report, dose_study, irradiation_event

QUANTITY = "ssde_mgy"
LEAST_MGY, GREATEST_MGY = 1e-6, 1e6
"""Beyond that a CTDIvol is no measurement, and what is made of it could be no number."""
LOCALIZER = "Constant Angle Acquisition"
_MEASURED = (
    "orthanc_series_id", "orthanc_study_id", "series_instance_uid", "slices", "truncated_fraction_mean",
    "water_equivalent_diameter_mean_mm", "irradiation_event_uids", "image_ctdi_vol_mgy", "body_part_examined",
)  # fmt: skip


def refresh_estimates(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Make the estimates of these studies' series follow from the events that count now (`event_dose`), and that of
    the exam from those: the greatest mean of its series. Without one the exam has none."""
    measured = _measured(connection, orthanc_study_ids)
    events = _events(connection, sorted({row.orthanc_study_id for row in measured})) if measured else {}
    found = [(row, estimate(_facts(row), events.get(row.orthanc_study_id, []))) for row in measured]
    if found:
        _write(connection, found)
    exams = {study: one for study in orthanc_study_ids if (one := _of_exam(study, found)) is not None}
    ours = (derived_dose.c.quantity == QUANTITY, is_among(derived_dose.c.orthanc_study_id, orthanc_study_ids))
    connection.execute(delete(derived_dose).where(*ours))
    if exams:
        connection.execute(insert(derived_dose), [exams[study] for study in sorted(exams)])


def _measured(connection: Connection, orthanc_study_ids: Sequence[str]) -> list[Row[Any]]:
    query = (
        select(*(series_ssde.c[name] for name in _MEASURED))
        .where(is_among(series_ssde.c.orthanc_study_id, orthanc_study_ids), series_ssde.c.slices.is_not(None))
        .order_by(series_ssde.c.orthanc_series_id)
    )
    return list(connection.execute(query))


def _facts(row: Row[Any]) -> Measured:
    return Measured(
        orthanc_series_id=row.orthanc_series_id,
        diameters_mm=[one["water_equivalent_diameter_mm"] for one in row.slices],
        truncated_fraction=row.truncated_fraction_mean or 0.0,
        irradiation_event_uids=row.irradiation_event_uids or (),
        ctdi_vol_mgy=row.image_ctdi_vol_mgy,
        body_part_examined=row.body_part_examined,
    )


def _events(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, list[Event]]:
    """By study the events of its reports that count, in the order of their sources; a CTDIvol has what counts."""
    event, of = irradiation_event.c, dose_study.c
    same = and_(
        event_dose.c.orthanc_study_id == of.orthanc_study_id,
        event_dose.c.orthanc_instance_id == event.orthanc_instance_id,
        event_dose.c.position == event.position,
        event_dose.c.mean_ctdi_vol_mgy.between(LEAST_MGY, GREATEST_MGY),
    )
    name = event.orthanc_instance_id + literal(":") + cast(event.position, Text)
    query = (
        select(
            of.orthanc_study_id,
            event.orthanc_instance_id,
            event.position,
            dose_report.c.orthanc_series_id,
            event.irradiation_event_uid,
            (event.irradiation_event_type.is_not_distinct_from(literal(LOCALIZER))).label("is_localizer"),
            event_dose.c.mean_ctdi_vol_mgy.label("ctdi_vol_mgy"),
            event_dose.c.ctdiw_phantom_type.label("phantom"),
            event.target_region,
            func.coalesce(event_dose.c.doubted, cast([], ARRAY(Text))).label("doubted"),
        )
        .select_from(dose_study)
        .join(dose_report, dose_report.c.orthanc_instance_id == any_(of.event_report_ids))
        .join(irradiation_event, event.orthanc_instance_id == dose_report.c.orthanc_instance_id)
        .outerjoin(event_dose, same)
        .where(
            is_among(of.orthanc_study_id, orthanc_study_ids),
            func.coalesce(name != all_(of.repeated_events), true()),
        )
        .order_by(event.orthanc_instance_id, event.position)
    )
    found: dict[str, list[Event]] = {}
    for row in connection.execute(query):
        values = dict(row._mapping)
        study, doubted = values.pop("orthanc_study_id"), values.pop("doubted")
        found.setdefault(study, []).append(Event(**values, is_doubted="mean_ctdi_vol_mgy" in doubted))
    return found


def _write(connection: Connection, found: Sequence[tuple[Row[Any], Estimate]]) -> None:
    rows = [{"of_series": row.orthanc_series_id} | _columns(one) for row, one in found]
    names = [name for name in rows[0] if name != "of_series"]
    changed = update(series_ssde).where(series_ssde.c.orthanc_series_id == bindparam("of_series"))
    connection.execute(changed.values({name: bindparam(name) for name in names}), rows)


def _columns(found: Estimate) -> dict[str, Any]:
    event = found.event
    return {
        "reason": found.reason,
        "ctdi_vol_mgy": event and event.ctdi_vol_mgy,
        "ctdiw_phantom_type": event and event.phantom,
        "event_instance_id": event and event.orthanc_instance_id,
        "event_position": event and event.position,
        "matched_by": found.matched_by,
        "ssde_min_mgy": found.least,
        "ssde_mean_mgy": found.mean,
        "ssde_max_mgy": found.greatest,
        "ssde_slice_count": found.slice_count,
        "is_doubted": found.is_doubted,
    }


def _of_exam(orthanc_study_id: str, found: Sequence[tuple[Row[Any], Estimate]]) -> dict[str, Any] | None:
    """The row of `derived_dose`: doses of several acquisitions add up in a patient, their size-specific ones do not."""
    own = [(row, one) for row, one in found if row.orthanc_study_id == orthanc_study_id and one.mean is not None]
    if not own:
        return None
    _, greatest = max(own, key=lambda pair: pair[1].mean or 0.0)
    return {
        "orthanc_study_id": orthanc_study_id,
        "quantity": QUANTITY,
        "modality": "CT",
        "value": greatest.mean,
        "method": DERIVED[QUANTITY].formula,
        "is_doubted": greatest.is_doubted,
        "details": {"series": [_details(row, one) for row, one in own]},
    }


def _details(row: Row[Any], found: Estimate) -> dict[str, Any]:
    event = found.event
    factor = factors().get((event and event.phantom) or "")
    return {
        "series_instance_uid": row.series_instance_uid,
        "ssde_min_mgy": found.least,
        "ssde_mean_mgy": found.mean,
        "ssde_max_mgy": found.greatest,
        "water_equivalent_diameter_mean_mm": row.water_equivalent_diameter_mean_mm,
        "truncated_fraction_mean": row.truncated_fraction_mean,
        "slice_count": found.slice_count,
        "ctdi_vol_mgy": event and event.ctdi_vol_mgy,
        "ctdiw_phantom_type": event and event.phantom,
        "orthanc_instance_id": event and event.orthanc_instance_id,
        "position": event and event.position,
        "matched_by": found.matched_by,
        "a": factor and factor.a,
        "b_per_cm": factor and factor.b_per_cm,
        "source": factor and f"{factor.report}, {factor.table}",
    }
