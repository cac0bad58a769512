"""Read Patient Radiation Dose: TID 10030 (report) with its estimates of organ and effective dose. Pure.

An estimate is made from other reports, so it is no exposure of its own and enters no total. Values are taken by
concept; each number stands with the organ, the method and the events that its container names.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import (
    Coded,
    Number,
    ReferencedInstance,
    Side,
    Table,
    Uid,
    Words,
)
from treegarth.features.dose.reading.part import Part
from treegarth.phrases import P_

EVENT_UID_USED = Uid("event_uid_used", many=True)

ESTIMATE: Table = {
    codes.RADIATION_DOSE_ESTIMATE_NAME: Words("radiation_dose_estimate_name"),
    codes.RADIATION_DOSE_ESTIMATE_METHOD_TYPE: Coded("radiation_dose_estimate_method_type_code"),
    codes.PATIENT_MODEL_TYPE: Coded("patient_model_type_code"),
    codes.RADIATION_TRANSPORT_MODEL_TYPE: Coded("radiation_transport_model_type_code"),
    codes.PATIENT_RADIATION_DOSE_MODEL_REFERENCE: Words("patient_radiation_dose_model_reference"),
    codes.EVENT_UID_USED: EVENT_UID_USED,
    codes.SR_INSTANCE_USED: ReferencedInstance("sr_instance_used", many=True),
    codes.COMMENT: Words("comment"),
}
DOSES: Table = {
    codes.ABSORBED_DOSE: Number("absorbed_dose_mgy", "mGy"),
    codes.ORGAN_DOSE: Number("organ_dose_mgy", "mGy"),
    codes.EQUIVALENT_DOSE: Number("equivalent_dose_msv", "mSv"),
    codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv"),
    codes.MAXIMUM_ABSORBED_DOSE: Number("maximum_absorbed_dose_mgy", "mGy"),
    codes.MINIMUM_ABSORBED_DOSE: Number("minimum_absorbed_dose_mgy", "mGy"),
    codes.MEAN_ABSORBED_DOSE: Number("mean_absorbed_dose_mgy", "mGy"),
    codes.MODE_ABSORBED_DOSE: Number("mode_absorbed_dose_mgy", "mGy"),
    codes.MEDIAN_ABSORBED_DOSE: Number("median_absorbed_dose_mgy", "mGy"),
    codes.MAXIMUM_EQUIVALENT_DOSE: Number("maximum_equivalent_dose_msv", "mSv"),
    codes.MINIMUM_EQUIVALENT_DOSE: Number("minimum_equivalent_dose_msv", "mSv"),
    codes.MEAN_EQUIVALENT_DOSE: Number("mean_equivalent_dose_msv", "mSv"),
    codes.MODE_EQUIVALENT_DOSE: Number("mode_equivalent_dose_msv", "mSv"),
    codes.MEDIAN_EQUIVALENT_DOSE: Number("median_equivalent_dose_msv", "mSv"),
}
WHERE: Table = {codes.FINDING_SITE: Coded("finding_site_code"), codes.LATERALITY: Side("laterality")}


def read_estimates(report: Part) -> list[dict[str, Any]]:
    """Each estimate with its doses; one without any number is an issue."""
    estimates = []
    for part in report.find(codes.RADIATION_DOSE_ESTIMATE):
        doses = _doses(part)
        if not doses:
            part.issue(codes.RADIATION_DOSE_ESTIMATE.meaning, P_("the estimate holds no dose"))
        estimates.append(_events_used(part) | part.values_below(ESTIMATE) | {"doses": doses})
    return estimates


def _events_used(estimate: Part) -> dict[str, Any]:
    """The events that an estimate rests on, which stand below the report they are of (TID 10033 row 4)."""
    uids: list[str] = []
    for report in estimate.find(codes.SR_INSTANCE_USED):
        used = report.values({codes.EVENT_UID_USED: EVENT_UID_USED})
        uids += used.get(f"{EVENT_UID_USED.name}_values", list(used.values()))
    values = {f"{EVENT_UID_USED.name}_values": uids} if len(uids) > 1 else {}
    return {EVENT_UID_USED.name: uids[0], **values} if uids else {}


def _doses(part: Part, levels: int = 4) -> list[dict[str, Any]]:
    """The doses of this container and of those below it, each with its organ: beside the number or below it."""
    found = []
    where = part.values(WHERE)
    for concept, field in DOSES.items():
        for number in part.parts(concept):
            value = part.read(concept, field, number.item)
            if value is not None:
                found.append({field.name: value} | where | number.values(WHERE))
    for below in part.containers() if levels else ():
        found += _doses(below, levels - 1)
    return found
