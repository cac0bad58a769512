"""Read Enhanced X-Ray Radiation Dose: TID 10040 (report) with its accumulated data, event summaries and details. Pure.

The template says with containers of its own what TID 10003 and 10013 say, by the same concepts; the codes of its
containers are those of PS3.16 Annex D. Values are taken by concept from an event's summary and whatever is below it, so
that no arrangement of these containers is relied upon. Details of the same event UID are added to it.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading import ct, projection
from treegarth.features.dose.reading.fields import Table, Words, YesNo
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.reading.part import DEEPEST_SEARCH, Part
from treegarth.features.dose.reading.planes import is_of_several, plane_of
from treegarth.phrases import P_

SOURCE: Table = {codes.IDENTIFICATION_OF_THE_X_RAY_SOURCE: Words("x_ray_source_identification")}
SUMMARY: Table = {
    codes.IS_REJECTED_ACQUISITION: YesNo("is_rejected_acquisition"),
    codes.REASON_FOR_REJECTING_ACQUISITION: Words("reason_for_rejecting_acquisition"),
}
CT_CONCEPTS = (codes.MEAN_CTDI_VOL, codes.DLP, codes.CT_ACQUISITION_TYPE, codes.CT_DOSE_LENGTH_PRODUCT_TOTAL)
PROJECTION_EVENT: Table = {**projection.EVENT, **SUMMARY, **SOURCE}
CT_EVENT: Table = {**ct.ACQUISITION, **ct.PARAMETERS, **ct.DOSE, **SUMMARY}


def kind_of(report: Part) -> Kind:
    """CT where a concept of CT dose stands in it, else projection; mammography is told by what was read."""
    return "ct" if any(report.find(concept) for concept in CT_CONCEPTS) else "projection"


def read_enhanced_totals(report: Part, kind: Kind) -> dict[str, Any]:
    """The totals as reported (TID 10041), from one container of accumulated data a source and one for all of them.

    Row 2 of the template names the source, or the sources, that a container is of: what is of all of them is the total.
    Where none is, the sources of a biplane system add up; doses by different phantoms never do.
    """
    accumulated = [(part, _accumulated(part, kind)) for part in report.find(codes.ACCUMULATED_DOSE_DATA)]
    if len(accumulated) < 2:
        return accumulated[0][1] if accumulated else {}
    together = [totals for part, totals in accumulated if _is_of_all(part)]
    planes = [totals for part, totals in accumulated if not _is_of_all(part)]
    if len(together) > 1:
        report.issue(
            codes.ACCUMULATED_DOSE_DATA.meaning,
            P_("%(count)s totals are given for all sources; none is taken", count=len(together)),
        )
        return {"planes": planes} if planes else {}
    if together:
        return together[0] | ({"planes": planes} if planes else {})
    return (_ct_together(report, planes) if kind == "ct" else projection.added(report, planes)) | {"planes": planes}


def _accumulated(part: Part, kind: Kind) -> dict[str, Any]:
    if kind == "ct":
        below = next((one for one in part.find(codes.CT_DOSE_LENGTH_PRODUCT_TOTAL)), None)
        holder = _holder(part, codes.CT_DOSE_LENGTH_PRODUCT_TOTAL) if below else part
        return {**part.values_below(ct.TOTALS), **ct.read_accumulated(holder)}
    return part.values_below({**projection.TOTALS, **projection.PLANE, **SOURCE})


def _holder(part: Part, concept: codes.Concept, levels: int = DEEPEST_SEARCH) -> Part:
    """The container that has this concept among its children: this one, or the nearest below it."""
    if part.has(concept) or not levels:
        return part
    found = (_holder(below, concept, levels - 1) for below in part.containers())
    return next((one for one in found if one.has(concept)), part)


def _is_of_all(part: Part) -> bool:
    """Whether accumulated data are of all sources: "A and B", or of the plane All Planes."""
    named = part.values_below({**SOURCE, codes.ACQUISITION_PLANE: projection.PLANE[codes.ACQUISITION_PLANE]})
    return any(is_of_several(plane_of({name: value})) for name, value in named.items())


def _ct_together(report: Part, sources: list[dict[str, Any]]) -> dict[str, Any]:
    """The DLP totals of several sources, each kept by its phantom; their numbers of events add up."""
    report.issue(
        codes.CT_DOSE_LENGTH_PRODUCT_TOTAL.meaning,
        P_("%(count)s totals are given, none for all", count=len(sources)),
    )
    given = []
    for source in sources:
        phantom = source.get("dlp_total_ctdiw_phantom_type")
        if "dlp_total_mgy_cm" in source:
            given.append(
                {"dlp_mgy_cm": source["dlp_total_mgy_cm"]} | ({"ctdiw_phantom_type": phantom} if phantom else {})
            )
        given += source.get("dlp_totals", [])
    return {"dlp_totals": given} if given else {}


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
