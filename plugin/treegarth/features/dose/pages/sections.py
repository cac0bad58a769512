"""What dose lends to other pages: a study's section, findings about health, the system page's failures. Reads only."""

from __future__ import annotations

from markupsafe import Markup

from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.shown import shown_report
from treegarth.features.dose.store.decisions import decisions_of_study
from treegarth.features.dose.store.queueing import count_sources, list_failed
from treegarth.features.dose.store.reports import reports_of_study
from treegarth.features.dose.store.rereading import reread_progress
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall, Check, ngettext_for, render_part, translated


def study_section(call: AnyCall, study_instance_uid: str) -> Markup | None:
    """What dose lends to a study's page: totals, events and issues of every report; None without any source."""
    with call.site.services.database.connect() as connection:
        reports = reports_of_study(connection, study_instance_uid)
        decisions = {one.orthanc_instance_id: one for one in decisions_of_study(connection, study_instance_uid)}
    if not reports:
        return None
    return render_part(
        call,
        "dose_section.html",
        reports=[shown_report(call, report, decisions.get(report.orthanc_instance_id)) for report in reports],
    )


def health_check(call: AnyCall) -> list[Check]:
    """What dose lends to health: reports that wait, and reports that could not be read."""
    name = translated(call, N_("Dose"))
    try:
        with call.site.services.database.connect() as connection:
            counts = count_sources(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=translated(call, N_("unknown without the database")))]
    if counts.failed:
        words = ngettext_for(
            call, "%(num)s report could not be read", "%(num)s reports could not be read", counts.failed
        )
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
            reread = reread_progress(connection)
    except DatabaseUnavailable:
        return Markup("")
    return render_part(call, "dose_failures.html", failures=failures, reread=reread)


def _waiting(call: AnyCall, reports: int) -> str:
    return ngettext_for(call, "%(num)s report waits to be read", "%(num)s reports wait to be read", reports)
