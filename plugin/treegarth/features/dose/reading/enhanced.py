"""Read Enhanced X-Ray Radiation Dose: TID 10040 (report) with its accumulated data, event summaries and details. Pure.

The template says with containers of its own what TID 10003 and 10013 say, by the same concepts; the codes of its
containers are those of PS3.16 Annex D. Values are taken by concept from an event's summary and whatever is below it, so
that no arrangement of these containers is relied upon. Details of its time and X-ray source, or of its UID, are added.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading import ct, projection
from treegarth.features.dose.reading.acquisition import REPEATED, read_acquisition, read_origins
from treegarth.features.dose.reading.calibration import read_calibrations
from treegarth.features.dose.reading.dose_check import read_dose_check
from treegarth.features.dose.reading.effective_dose import read_basis
from treegarth.features.dose.reading.fields import Moment, Table, Words
from treegarth.features.dose.reading.irradiation_details import (
    Detail,
    details_of,
    read_ct_sources,
    read_detailed,
    read_details,
)
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.reading.part import DEEPEST_SEARCH, Part
from treegarth.features.dose.reading.participants import read_devices
from treegarth.features.dose.reading.planes import is_of_several, plane_of
from treegarth.features.dose.reading.size_specific import read_size_specific
from treegarth.phrases import P_

SOURCE: Table = {codes.IDENTIFICATION_OF_THE_X_RAY_SOURCE: Words("x_ray_source_identification")}
SUMMARY: Table = {codes.DATETIME_ENDED: Moment("date_time_ended"), **REPEATED}
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
    beside = read_calibrations(part) | read_devices(part)
    if kind == "ct":
        below = next((one for one in part.find(codes.CT_DOSE_LENGTH_PRODUCT_TOTAL)), None)
        holder = _holder(part, codes.CT_DOSE_LENGTH_PRODUCT_TOTAL) if below else part
        return {**part.values_below(ct.TOTALS), **ct.read_accumulated(holder), **beside}
    return part.values_below({**projection.TOTALS, **projection.PLANE, **SOURCE}) | beside


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
    """One entry per event summary, with the details of its time and source, and with those of the same event UID."""
    table = CT_EVENT if kind == "ct" else PROJECTION_EVENT
    details = read_details(report)
    events = []
    for part in report.find(codes.IRRADIATION_EVENT_SUMMARY_DATA):
        summary = part.values_below(table)
        uid = summary.get("irradiation_event_uid")
        if uid is None:
            part.issue(codes.IRRADIATION_EVENT_UID.meaning, P_("the event has no irradiation event UID"))
        of_event = details_of(details, part.values_below(SOURCE) | summary)
        event = read_detailed(of_event, table) | summary
        event |= _ct_event(part, of_event) if kind == "ct" else _filters(part)
        parts = (part, *(detail.part for detail in of_event))
        events.append(event | read_acquisition(part) | read_origins(*((one, table) for one in parts)))
    return tuple(events)


def _filters(part: Part) -> dict[str, Any]:
    """The filters of an event of projection, as TID 10003B has them."""
    filters = [found for below in part.find(codes.X_RAY_FILTERS) if (found := below.values(projection.FILTER))]
    return {"x_ray_filters": filters} if filters else {}


def _ct_event(part: Part, details: list[Detail]) -> dict[str, Any]:
    """What TID 10013 has below containers: sources, the basis of effective dose, size specific dose, dose check."""
    given = part.find(codes.CT_X_RAY_SOURCE_PARAMETERS)
    sources = ct.read_sources(given) if given else read_ct_sources(details)
    return sources | read_basis(part, codes.EFFECTIVE_DOSE) | read_size_specific(part) | read_dose_check(part)
