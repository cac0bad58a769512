"""Read dose from structured reports: find out which template a report follows and have its parts read. Pure."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from pydicom.dataset import Dataset

from treegarth.dicom import codes
from treegarth.dicom.codes import concept_of
from treegarth.dicom.lean_content import LeanItem
from treegarth.dicom.sr_tree import ContentItem, tree_of
from treegarth.features.dose.reading.context import read_report_context
from treegarth.features.dose.reading.ct import read_ct_event, read_ct_totals
from treegarth.features.dose.reading.enhanced import kind_of, read_enhanced_events, read_enhanced_totals
from treegarth.features.dose.reading.model import DoseReading, Issue
from treegarth.features.dose.reading.part import DEEPEST_SEARCH, Part
from treegarth.features.dose.reading.patient_dose import read_estimates
from treegarth.features.dose.reading.projection import (
    SIEMENS_TOTALS,
    is_mammography,
    read_projection_event,
    read_projection_totals,
)
from treegarth.features.dose.reading.radiopharmaceutical import read_administration, read_patient_characteristics
from treegarth.phrases import P_

CT_CONTAINERS = (codes.CT_ACCUMULATED_DOSE_DATA, codes.CT_ACQUISITION)
PROJECTION_CONTAINERS = (codes.ACCUMULATED_X_RAY_DOSE_DATA, codes.IRRADIATION_EVENT_X_RAY_DATA)
ADMINISTRATION_CONTAINERS = (codes.RADIOPHARMACEUTICAL_ADMINISTRATION,)
DOSE_TITLES = (codes.X_RAY_RADIATION_DOSE_REPORT, codes.RADIOPHARMACEUTICAL_RADIATION_DOSE_REPORT)


def read_report(dataset: Dataset, issues: list[Issue], content: Sequence[LeanItem] | None = None) -> DoseReading:
    """The dose of a structured report; adds to `issues`. The caller fills in what the header says."""
    tree = tree_of(dataset, content)
    issues.extend(Issue(f"content item {fault.place}", fault.reason) for fault in tree.faults)
    report = Part(tree.root, "", issues)
    present = _concepts(tree.root)
    if codes.IRRADIATION_EVENT_SUMMARY_DATA in present:
        return _read_enhanced(report, issues)
    if concept_of(tree.root.concept) is codes.PATIENT_RADIATION_DOSE_REPORT:
        return _read_patient_dose(report, issues)
    if concept_of(tree.root.concept) is codes.SIEMENS_SUMMARY:
        return _read_siemens_summary(report, issues)
    found = [read(report, issues) for containers, read in _TEMPLATES if not present.isdisjoint(containers)]
    if not found:
        is_other = tree.root.concept is not None and concept_of(tree.root.concept) not in DOSE_TITLES
        return DoseReading(refused=_why_no_dose(tree.root), is_other=is_other)
    return found[0] if len(found) == 1 else _together(found, issues)


def _together(found: list[DoseReading], issues: list[Issue]) -> DoseReading:
    """One reading of a report that follows several templates, as of an angiography system with its own CT."""
    kinds = ", ".join(str(reading.kind) for reading in found)
    issues.append(
        Issue("report", P_("it holds dose of several kinds (%(kinds)s) and is listed as the first", kinds=kinds))
    )
    totals: dict[str, Any] = {}
    for reading in found:
        totals |= reading.totals
    return DoseReading(
        kind=found[0].kind,
        totals=totals,
        irradiation_events=tuple(event for reading in found for event in reading.irradiation_events),
        administrations=tuple(given for reading in found for given in reading.administrations),
        report=found[0].report,
    )


def guarded(issues: list[Issue], path: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `read` returns; an exception, which is a fault of ours, costs this part and becomes an issue."""
    try:
        return read()
    except Exception as error:
        issues.append(Issue(path, P_("this part could not be read (%(kind)s)", kind=type(error).__name__)))
        return {}


def _each(parts: list[Part], read: Callable[[Part], dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    return tuple(guarded(part.issues, part.path, functools.partial(read, part)) for part in parts)


def _read_ct(report: Part, issues: list[Issue]) -> DoseReading:
    return DoseReading(
        kind="ct",
        totals=guarded(issues, "totals", lambda: read_ct_totals(report)),
        irradiation_events=_each(report.find(codes.CT_ACQUISITION), read_ct_event),
        report=guarded(issues, "report", lambda: read_report_context(report)),
    )


def _read_projection(report: Part, issues: list[Issue]) -> DoseReading:
    totals = guarded(issues, "totals", lambda: read_projection_totals(report))
    events = _each(report.find(codes.IRRADIATION_EVENT_X_RAY_DATA), read_projection_event)
    return DoseReading(
        kind="mammography" if is_mammography(report, totals, events) else "projection",
        totals=totals,
        irradiation_events=events,
        report=guarded(issues, "report", lambda: read_report_context(report)),
    )


def _read_administrations(report: Part, issues: list[Issue]) -> DoseReading:
    context = guarded(issues, "report", lambda: read_report_context(report))
    return DoseReading(
        kind="radiopharmaceutical",
        administrations=_each(report.find(codes.RADIOPHARMACEUTICAL_ADMINISTRATION), read_administration),
        report=context | guarded(issues, "patient", lambda: read_patient_characteristics(report)),
    )


def _read_enhanced(report: Part, issues: list[Issue]) -> DoseReading:
    kind = kind_of(report)
    totals = guarded(issues, "totals", lambda: read_enhanced_totals(report, kind))
    events = guarded(issues, "events", lambda: {"events": read_enhanced_events(report, kind)}).get("events", ())
    if kind == "projection" and is_mammography(report, totals, events):
        kind = "mammography"
    context = guarded(issues, "report", lambda: read_report_context(report))
    return DoseReading(kind=kind, totals=totals, irradiation_events=events, report=context)


def _read_patient_dose(report: Part, issues: list[Issue]) -> DoseReading:
    """Of no kind: what is estimated from other reports is no exposure of its own."""
    found = guarded(issues, "estimates", lambda: {"radiation_dose_estimates": read_estimates(report)})
    if not found.get("radiation_dose_estimates"):
        return DoseReading(refused=P_("The Patient Radiation Dose Report holds no estimate."))
    return DoseReading(totals=found, report=guarded(issues, "report", lambda: read_report_context(report)))


def _read_siemens_summary(report: Part, issues: list[Issue]) -> DoseReading:
    return DoseReading(
        kind="projection",
        totals=guarded(issues, "totals", lambda: report.values(SIEMENS_TOTALS)),
        report=guarded(issues, "report", lambda: read_report_context(report)),
    )


def _concepts(root: ContentItem) -> set[codes.Concept]:
    """The known concepts of the containers of the tree, down to the level at which `Part.find` looks."""
    found: set[codes.Concept] = set()
    level = [root]
    for _ in range(DEEPEST_SEARCH + 1):
        level = [child for item in level for child in item.children if child.value_type == "CONTAINER"]
        found.update(concept for item in level if (concept := concept_of(item.concept)) is not None)
    return found


def _why_no_dose(root: ContentItem) -> str:
    title = root.concept
    if title is None and not root.children:
        return P_("The report has no content.")
    known = concept_of(title)
    if known in DOSE_TITLES:
        return P_("The “%(title)s” holds neither a total nor an event.", title=known.meaning) if known else ""
    named = f"“{title.meaning or title.value}” ({title.scheme} {title.value})" if title else P_("without a title")
    return P_(
        "This structured report, %(named)s, is no dose report: it has no container of TID 10001, 10011 or 10021.",
        named=named,
    )


_TEMPLATES = (
    (CT_CONTAINERS, _read_ct),
    (PROJECTION_CONTAINERS, _read_projection),
    (ADMINISTRATION_CONTAINERS, _read_administrations),
)
