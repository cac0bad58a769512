"""A dose report as its study's page shows it. No queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.registry.decision.sameness import totals_differ
from treegarth.features.dose.registry.shown_parts import (
    Reason,
    Said,
    dose_check,
    organ_doses,
    reasons_of,
    said_of,
    size_specific,
)
from treegarth.features.dose.registry.shown_quantities import (
    DETAILS,
    DETAILS_LABELS,
    EVENTS,
    SUMS,
    TITLES,
    TOTALS,
    Quantity,
)
from treegarth.features.dose.registry.shown_sources import Verdict
from treegarth.features.dose.registry.shown_tables import Cell, Line, ShownTable, shown_table
from treegarth.features.dose.registry.shown_views import filters_cell, view_cells
from treegarth.features.dose.registry.store.reports import DoseReport
from treegarth.features.dose.sums import exact_sum
from treegarth.phrases import N_
from treegarth.web.call import AnyCall
from treegarth.web.formats import scaled
from treegarth.web.orthanc_views import explorer_address
from treegarth.web.parts import State

OF_IMAGES = "headers"
"""The place on the page of what several images' headers say together."""
BY_PHANTOM = ("mean_ctdi_vol_mgy", "dlp_mgy_cm", "ctdiw_phantom_type")


@dataclass(frozen=True, kw_only=True)
class Total:
    label: str  # a msgid
    value: Decimal | None
    unit: str
    differs: bool = False  # from the total as reported, by more than 0.5 %


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a report shows no dose, or not yet."""

    kind: State
    word: str  # a msgid
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class ShownReport:
    """A report, or what the headers of several images say together (then it has no object of its own)."""

    id: str  # in the page
    title: str  # a msgid
    equipment: str
    image_count: int  # 0 of a report
    problem: Finding | None
    totals: list[Total]
    tables: list[ShownTable]
    details: ShownTable | None
    reasons: list[Reason]
    said: list[Said]
    issues: Sequence[Mapping[str, str]]
    sop_instance_uid: str
    source_url: str | None
    explorer_url: str | None
    content_url: str
    version: int | None
    verdict: Verdict | None


def shown_report(
    call: AnyCall, report: DoseReport, verdict: Verdict | None = None, *, with_events: bool = True
) -> ShownReport:
    """The report, its numbers as the reader's language writes them; what it has not is left out or a dash, never 0.
    Without its events where another table of the page has them."""
    kind = report.kind or ""
    name = f"source-{report.orthanc_instance_id}"
    parts = (report.manufacturer, report.manufacturer_model_name, report.station_name)
    gone = report.source_deleted_at is not None
    values = report.irradiation_events or report.administrations
    lines = [line_of(kind, one) for one in values]
    events = list(enumerate(values, start=1))
    tables = (
        shown_table(call, f"{name}-events", _events_label(report), EVENTS.get(kind, ()), lines if with_events else []),
        size_specific(call, f"{name}-ssde", events),
        dose_check(call, f"{name}-check", events),
        organ_doses(call, f"{name}-organs", report),
    )
    return ShownReport(
        id=name,
        title=TITLES.get(kind, N_("Dose report")),
        equipment=" · ".join(part for part in parts if part),
        image_count=0,
        problem=_problem(report),
        totals=_totals(report),
        tables=[table for table in tables if table is not None],
        details=shown_table(call, f"{name}-details", _details_label(kind), DETAILS.get(kind, ()), lines),
        reasons=reasons_of(events),
        said=said_of(report),
        issues=report.issues,
        sop_instance_uid=report.sop_instance_uid,
        version=report.reader_version,
        verdict=verdict,
        content_url=call.site.url("dose.content_page", orthanc_instance_id=report.orthanc_instance_id),
        source_url=None if gone else call.site.orthanc_url(f"/instances/{report.orthanc_instance_id}/file"),
        explorer_url=None
        if gone
        else explorer_address(call.site, report.orthanc_instance_id, report.nesting_depth),
    )  # fmt: skip


def shown_images(
    call: AnyCall, reports: Sequence[DoseReport], verdict: Verdict | None, *, with_events: bool = True
) -> ShownReport:
    """What the headers of images of one kind say, all in one: each image is of an exposure of its own."""
    first = reports[0]
    together = replace(
        first,
        irradiation_events=[event for one in reports for event in one.irradiation_events],
        administrations=[given for one in reports for given in one.administrations],
        issues=[issue for one in reports for issue in one.issues],
        report={},
    )
    shown = shown_report(call, together, verdict, with_events=with_events)
    name = f"{OF_IMAGES}-{first.kind}"
    return replace(
        shown,
        id=name,
        title=N_("From the headers of images"),
        image_count=len(reports),
        tables=[replace(one, id=one.id.replace(shown.id, name)) for one in shown.tables],
    )


def line_of(kind: str, event: Values) -> Line:
    """A row of an event: several doses of one acquisition, as by phantom, stand in one cell each."""
    filters = filters_cell(event)
    own: dict[str, Cell] = {"x_ray_filters": filters} if filters else {}
    if kind == "mammography":
        own |= view_cells(event)
    doses = event.get("ct_doses")
    if isinstance(doses, list):
        event = {**event, **{name: [dose.get(name) for dose in doses] for name in BY_PHANTOM}}
    return Line(values=event, own=own)


def _events_label(report: DoseReport) -> str:
    return N_("Irradiation events") if report.irradiation_events else N_("Administrations")


def _details_label(kind: str) -> str:
    return DETAILS_LABELS.get(kind, N_("Geometry and exposure"))


def _problem(report: DoseReport) -> Finding | None:
    if report.state == "failed":
        return Finding(kind="attention", word=N_("could not be read"), sentence=report.last_error or "")
    if report.state == "refused":
        return Finding(kind="nothing", word=N_("holds no dose"), sentence=report.refused or "")
    if report.state == "unread":
        return Finding(kind="waiting", word=N_("waits to be read"))
    if report.source_deleted_at is not None:
        return Finding(kind="gone", word=N_("the object has left the archive; its dose is kept"))
    return None


def _totals(report: DoseReport) -> list[Total]:
    """As reported; of what consists of headers, which report none, only the sums."""
    reported = [
        _total(report, quantity)
        for quantity in TOTALS.get(report.kind or "", ())
        if (quantity.always and report.source != "header") or report.totals.get(quantity.name) is not None
    ]
    return reported + _sums(report)


def _total(report: DoseReport, quantity: Quantity) -> Total:
    value = report.totals.get(quantity.name)
    number = scaled(value, quantity.factor) if isinstance(value, int | float) else None
    return Total(label=quantity.label, value=number, unit=quantity.unit)


def _sums(report: DoseReport) -> list[Total]:
    """The sum over the events beside the total as reported: they are not the same thing, and may differ."""
    found = []
    for of_event, quantity in SUMS.get(report.kind or "", ()):
        given = [value for event in report.irradiation_events for value in _values_of(event, of_event)]
        if given:
            reported = report.totals.get(quantity.name)
            total = exact_sum(given)
            found.append(
                Total(
                    label=quantity.label,
                    value=scaled(total, quantity.factor),
                    unit=quantity.unit,
                    differs=totals_differ(reported if isinstance(reported, int | float) else None, float(total)),
                )
            )
    return found


def _values_of(event: Values, name: str) -> list[float]:
    doses = event.get("ct_doses")
    values = [dose.get(name) for dose in doses] if isinstance(doses, list) else [event.get(name)]
    return [value for value in values if isinstance(value, int | float)]
