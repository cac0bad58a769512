"""Read Enhanced X-Ray Radiation Dose: TID 10040 (report) with its accumulated data, event summaries and details. Pure.

The template says with containers of its own what TID 10003 and 10013 say, by the same concepts; the codes of its
containers are those of PS3.16 Annex D. Values are taken by concept from an event's summary and whatever is below it, so
that no arrangement of these containers is relied upon. Details of the same event UID are added to it.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.model import Kind
from treegarth.features.dose.reading import ct, projection
from treegarth.features.dose.reading.fields import Table, Words, YesNo
from treegarth.features.dose.reading.part import Part
from treegarth.phrases import P_

SUMMARY: Table = {
    codes.IS_REJECTED_ACQUISITION: YesNo("is_rejected_acquisition"),
    codes.REASON_FOR_REJECTING_ACQUISITION: Words("reason_for_rejecting_acquisition"),
}
CT_CONCEPTS = (codes.MEAN_CTDI_VOL, codes.DLP, codes.CT_ACQUISITION_TYPE, codes.CT_DOSE_LENGTH_PRODUCT_TOTAL)
PROJECTION_EVENT: Table = {**projection.EVENT, **SUMMARY}
CT_EVENT: Table = {**ct.ACQUISITION, **ct.PARAMETERS, **ct.DOSE, **SUMMARY}


def kind_of(report: Part) -> Kind:
    """CT where a concept of CT dose stands in it, else projection; mammography is told by what was read."""
    return "ct" if any(report.find(concept) for concept in CT_CONCEPTS) else "projection"


def read_enhanced_totals(report: Part, kind: Kind) -> dict[str, Any]:
    """The totals as reported; with several containers of accumulated data, as of a biplane system, their sums."""
    planes = []
    for part in report.find(codes.ACCUMULATED_DOSE_DATA):
        if kind == "ct":
            total = part.values_below({codes.CT_DOSE_LENGTH_PRODUCT_TOTAL: ct.DLP_TOTAL, **ct.TOTALS})
        else:
            total = part.values_below({**projection.TOTALS, **projection.PLANE})
        planes.append(total)
    if len(planes) < 2:
        return planes[0] if planes else {}
    numbers = dict.fromkeys(name for plane in planes for name, value in plane.items() if isinstance(value, float))
    apart = "distance_source_to_reference_point_mm"
    sums = {name: sum(plane.get(name, 0.0) for plane in planes) for name in numbers if name != apart}
    return sums | {"planes": planes}


def read_enhanced_events(report: Part, kind: Kind) -> tuple[dict[str, Any], ...]:
    """One entry per event summary, with the details of the same event UID."""
    table = CT_EVENT if kind == "ct" else PROJECTION_EVENT
    details: dict[str, dict[str, Any]] = {}
    for part in report.find(codes.IRRADIATION_DETAILS):
        values = part.values_below(table)
        uid = values.get("irradiation_event_uid")
        if uid is not None:
            details[uid] = values | details.get(uid, {})
    events = []
    for part in report.find(codes.IRRADIATION_EVENT_SUMMARY_DATA):
        event = part.values_below(table)
        uid = event.get("irradiation_event_uid")
        if uid is None:
            part.issue(codes.IRRADIATION_EVENT_UID.meaning, P_("the event has no irradiation event UID"))
        events.append(details.get(uid or "", {}) | event)
    return tuple(events)
