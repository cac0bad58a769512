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

ESTIMATE: Table = {
    codes.RADIATION_DOSE_ESTIMATE_NAME: Words("radiation_dose_estimate_name"),
    codes.RADIATION_DOSE_ESTIMATE_METHOD_TYPE: Coded("radiation_dose_estimate_method_type_code"),
    codes.EVENT_UID_USED: Uid("event_uid_used", many=True),
    codes.SR_INSTANCE_USED: ReferencedInstance("sr_instance_used", many=True),
    codes.COMMENT: Words("comment"),
}
DOSES: Table = {
    codes.ABSORBED_DOSE: Number("absorbed_dose_mgy", "mGy"),
    codes.ORGAN_DOSE: Number("organ_dose_mgy", "mGy"),
    codes.EQUIVALENT_DOSE: Number("equivalent_dose_msv", "mSv"),
    codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv"),
}
WHERE: Table = {codes.FINDING_SITE: Coded("finding_site_code"), codes.LATERALITY: Side("laterality")}


def read_estimates(report: Part) -> list[dict[str, Any]]:
    """Each estimate with its doses; one without any number is an issue."""
    estimates = []
    for part in report.find(codes.RADIATION_DOSE_ESTIMATE):
        doses = _doses(part)
        if not doses:
            part.issue(codes.RADIATION_DOSE_ESTIMATE.meaning, P_("the estimate holds no dose"))
        estimates.append(part.values_below(ESTIMATE) | {"doses": doses})
    return estimates


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
