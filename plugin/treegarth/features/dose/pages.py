"""The dose list, and what dose lends to other pages. Reads only, but that a failed report can be read again."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from io import StringIO
from typing import Any

from flask import Response
from markupsafe import Markup

from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.model import Kind
from treegarth.features.dose.shown import shown_report
from treegarth.features.dose.store.counting import count_studies_with_dose
from treegarth.features.dose.store.queueing import count_sources, list_failed, retry_failed
from treegarth.features.dose.store.reports import reports_of_study
from treegarth.features.dose.store.studies import (
    DoseStudy,
    DoseStudyFilter,
    DoseStudySort,
    list_studies_with_dose,
)
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall, Check, counted, render_part, translated
from treegarth.web.routes import Navigation, Parameters, Permission, Route, Text
from treegarth.web.services import Services
from treegarth.web.templating import render_page, url_with

STUDIES_ON_A_PAGE = 50
STUDIES_OF_A_PIECE = 1000
KIND_NAMES: dict[str, str] = {
    "ct": N_("CT"),
    "projection": N_("Projection X-ray"),
    "mammography": N_("Mammography"),
    "radiopharmaceutical": N_("Radiopharmaceutical"),
}
CSV_COLUMNS = (
    "study_instance_uid", "patient_id", "patient_name", "patient_sex", "patient_age", "study_date", "study_time",
    "study_description", "accession_number", "kinds", "protocols", "manufacturer", "manufacturer_model_name",
    "station_name", "device_serial_number", "report_count", "rule", "irradiation_event_count", "issue_count",
    "dlp_total_mgy_cm", "dlp_of_events_mgy_cm", "dose_area_product_total_gy_m2", "dose_rp_total_gy",
)  # fmt: skip


class DosesQuery(Parameters):
    """What the dose list can be asked for. Empty fields do not restrict."""

    kind: Kind | None = None
    """The kind of examination."""
    patient_id: Text | None = None
    """The whole patient ID."""
    protocol: Text | None = None
    """Part of an acquisition protocol's name."""
    equipment: Text | None = None
    """Part of the manufacturer, model or station name."""
    study_date_from: date | None = None
    """The first study date, ISO form."""
    study_date_to: date | None = None
    """The last study date, ISO form."""
    sort: DoseStudySort = DoseStudySort.NEWEST
    """The order of the list."""
    cursor: str | None = None
    """Where the page begins, from the link to the next page."""

    @property
    def wanted(self) -> DoseStudyFilter:
        return DoseStudyFilter(
            kind=self.kind,
            patient_id=self.patient_id,
            protocol=self.protocol,
            equipment=self.equipment,
            study_date_from=self.study_date_from,
            study_date_to=self.study_date_to,
        )


class SourcePath(Parameters):
    orthanc_instance_id: str
    """Orthanc's identifier of the report."""


def routes(services: Services) -> list[Route]:
    return [
        Route(
            name="dose.doses_page",
            path="/treegarth/dose",
            permission=Permission.VIEW,
            handler=doses_page,
            summary="The studies with a dose, with their totals: filter, sort, page, export.",
            query=DosesQuery,
            navigation=Navigation(label=N_("Dose"), icon="dose", order=30),
        ),
        Route(
            name="dose.doses_csv",
            path="/treegarth/dose.csv",
            permission=Permission.VIEW,
            handler=doses_csv,
            summary="The dose list with all digits, as CSV.",
            query=DosesQuery,
            media_type="text/csv",
        ),
        Route(
            name="dose.retry_page",
            path="/treegarth/dose/reports/{orthanc_instance_id}/retry",
            method="POST",
            permission=Permission.OPERATE,
            handler=retry,
            summary="Read a dose report again that failed.",
            path_parameters=SourcePath,
        ),
    ]


def doses_page(call: AnyCall) -> Response:
    query: DosesQuery = call.query
    with call.site.services.database.connect() as connection:
        page = list_studies_with_dose(
            connection, query.wanted, sort=query.sort, limit=STUDIES_ON_A_PAGE, cursor=query.cursor
        )
        count = count_studies_with_dose(connection, query.wanted)
        waiting = count_sources(connection).waiting
    return render_page(
        call,
        "doses.html",
        doses=page.studies,
        next_cursor=page.next,
        counted=counted(call, "%(num)s study with a dose", "%(num)s studies with a dose", count),
        shown=counted(call, "%(num)s on this page", "%(num)s on this page", len(page.studies)),
        waiting=counted(call, "%(num)s report waits to be read", "%(num)s reports wait to be read", waiting)
        if waiting
        else "",
        filtered=query.wanted != DoseStudyFilter(),
        kinds=[(kind, translated(call, name)) for kind, name in KIND_NAMES.items()],
        sorting=_sorting(call, query.sort),
        csv_url=_csv_address(call),
    )


def doses_csv(call: AnyCall) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="doses.csv"'}
    return Response("".join(_csv_lines(call)), mimetype="text/csv", headers=headers)


def retry(call: AnyCall) -> Response:
    """Back to the system page afterwards, by GET."""
    with call.site.services.database.begin() as connection:
        retry_failed(connection, [call.path.orthanc_instance_id])
    return Response(status=303, headers={"Location": call.site.url("system.system_page")})


def study_section(call: AnyCall, study_instance_uid: str) -> Markup | None:
    """What dose lends to a study's page: totals, events and issues of every report; None without any source."""
    with call.site.services.database.connect() as connection:
        reports = reports_of_study(connection, study_instance_uid)
    if not reports:
        return None
    return render_part(call, "dose_section.html", reports=[shown_report(call, report) for report in reports])


def health_check(call: AnyCall) -> list[Check]:
    """What dose lends to health: reports that wait, and reports that could not be read."""
    name = translated(call, N_("Dose"))
    try:
        with call.site.services.database.connect() as connection:
            counts = count_sources(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=translated(call, N_("unknown without the database")))]
    if counts.failed:
        words = counted(call, "%(num)s report could not be read", "%(num)s reports could not be read", counts.failed)
        advice = translated(call, N_("See the reasons below; after an upgrade or a repair let them be read again."))
        url = call.site.url("system.system_page")
        return [Check(kind="attention", name=name, words=words, url=url, advice=advice)]
    if counts.waiting:
        return [Check(kind="waiting", name=name, words=_waiting(call, counts.waiting))]
    return [Check(kind="ok", name=name, words=translated(call, N_("every report is read")))]


def system_section(call: AnyCall) -> Markup:
    """What dose lends to the system page: the reports that could not be read, each to be tried again."""
    try:
        with call.site.services.database.connect() as connection:
            failures = list_failed(connection)
    except DatabaseUnavailable:
        return Markup("")
    return render_part(call, "dose_failures.html", failures=failures)


def _waiting(call: AnyCall, reports: int) -> str:
    return counted(call, "%(num)s report waits to be read", "%(num)s reports wait to be read", reports)


def _sorting(call: AnyCall, sort: DoseStudySort) -> dict[str, dict[str, Any]]:
    def column(next_sort: DoseStudySort, direction: str | None) -> dict[str, Any]:
        kept = None if next_sort is DoseStudySort.NEWEST else next_sort.value
        return {"url": url_with(call, sort=kept, cursor=None), "direction": direction}

    dates = {DoseStudySort.NEWEST: "descending", DoseStudySort.OLDEST: "ascending"}
    by_date = DoseStudySort.OLDEST if sort is DoseStudySort.NEWEST else DoseStudySort.NEWEST
    return {
        "study_date": column(by_date, dates.get(sort)),
        "dlp": column(DoseStudySort.DLP, "descending" if sort is DoseStudySort.DLP else None),
    }


def _csv_address(call: AnyCall) -> str:
    kept = {key: value for key, value in call.http.args.items() if key in DosesQuery.model_fields and value}
    return call.site.url("dose.doses_csv", **{**kept, "cursor": None})


def _csv_lines(call: AnyCall) -> Iterator[str]:
    query: DosesQuery = call.query
    yield _csv_line(CSV_COLUMNS)
    cursor = None
    with call.site.services.database.connect() as connection:
        while True:
            page = list_studies_with_dose(
                connection, query.wanted, sort=query.sort, limit=STUDIES_OF_A_PIECE, cursor=cursor
            )
            for study in page.studies:
                yield _csv_line([_csv_value(study, name) for name in CSV_COLUMNS])
            cursor = page.next
            if cursor is None:
                return


def _csv_value(study: DoseStudy, name: str) -> str:
    value = getattr(study, name)
    if value is None:
        return ""
    if isinstance(value, str):
        # A spreadsheet would take these beginnings for a formula.
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value
    return "; ".join(value) if isinstance(value, Sequence) else str(value)


def _csv_line(cells: Sequence[str]) -> str:
    file = StringIO()
    csv.writer(file).writerow(cells)
    return file.getvalue()
