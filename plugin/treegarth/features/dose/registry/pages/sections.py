"""What dose lends to other pages: a study's section, findings about health, the system page's failures. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.pages.names import doubts_in_words, origin_in_words
from treegarth.features.dose.registry.pages.redecision import redeciding_section
from treegarth.features.dose.registry.shown import shown_report
from treegarth.features.dose.registry.store.decisions import decisions_of_study
from treegarth.features.dose.registry.store.queue import count_sources, list_failed
from treegarth.features.dose.registry.store.reports import reports_of_study
from treegarth.features.dose.registry.store.studies import (
    DoseStudy,
    count_doubted,
    find_study_with_dose,
    told_apart_with_kept,
)
from treegarth.features.dose.registry.works import REDECIDING, REREADING
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check, render_part
from treegarth.work.pages import work_section
from treegarth.work.store import latest


@dataclass(frozen=True, kw_only=True)
class ShownBest:
    """A best known dose and where it is from."""

    label: str  # a msgid
    value: float
    unit: str
    origin: str  # a phrase


def study_section(call: AnyCall, study: StudyKey) -> Markup | None:
    """What dose lends to a study's page."""
    return section_of(call, study.orthanc_study_id)


def section_of(call: AnyCall, orthanc_study_id: str) -> Markup | None:
    """Of one study, by Orthanc's identifier: best known doses, events and issues of every report; None without any."""
    with call.connect() as connection:
        reports = reports_of_study(connection, orthanc_study_id)
        decisions = {one.orthanc_instance_id: one for one in decisions_of_study(connection, orthanc_study_id)}
        study = find_study_with_dose(connection, orthanc_study_id)
    if not reports:
        return None
    return render_part(
        call,
        "dose/section.html",
        reports=[shown_report(call, report, decisions.get(report.orthanc_instance_id)) for report in reports],
        best=[] if study is None else shown_best(study),
        doubts=[] if study is None else doubts_in_words(study.doubts),
        replaced_by=_replacing_url(call, study),
    )


def _replacing_url(call: AnyCall, study: DoseStudy | None) -> str | None:
    """The page of the study in which this one counts."""
    if study is None or study.replaced_by is None:
        return None
    with call.connect() as connection:
        by = find_study_with_dose(connection, study.replaced_by)
    return None if by is None else dose_page_of(call, by.study_instance_uid, by.orthanc_study_id)


def dose_page_of(call: AnyCall, study_instance_uid: str, orthanc_study_id: str | None) -> str:
    """The page of one study's dose; where others have the same UID, Orthanc's identifier says which one is meant."""
    return call.site.url("dose.study_page", study_instance_uid=study_instance_uid, orthanc_study_id=orthanc_study_id)


def shown_best(study: DoseStudy) -> list[ShownBest]:
    """The best known doses that a study has."""
    origins = study.origin
    return [
        ShownBest(
            label=quantity.label,
            value=value * quantity.factor,
            unit=quantity.unit,
            origin=origin_in_words(name, origins[name]) if name in origins else "",
        )
        for name, quantity in BEST.items()
        if (value := getattr(study, quantity.column)) is not None
    ]


def health_check(call: AnyCall) -> list[Check]:
    """What dose lends to health: what of the reading waits or failed, and how many exams have a doubt."""
    return [*_reading_check(call), *_doubts_check(call)]


def _doubts_check(call: AnyCall) -> list[Check]:
    """A doubt is no alarm: nothing is broken here, and somebody may want to look."""
    try:
        with call.connect() as connection:
            doubted = count_doubted(connection)
    except DatabaseUnavailable:
        return []
    if not doubted:
        return []
    words = NN_("%(num)s exam has a doubted dose", "%(num)s exams have a doubted dose")
    url = call.site.url("dose.doses_page", doubtful="true", not_patient="false")
    return [Check(kind="unknown", name=P_("Doubts"), words=words, count=doubted, url=url)]


def _reading_check(call: AnyCall) -> list[Check]:
    name = P_("Dose")
    try:
        with call.connect() as connection:
            counts = count_sources(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=P_("unknown without the database"))]
    if counts.failed:
        words = NN_("%(num)s report could not be read", "%(num)s reports could not be read")
        advice = P_("See the reasons below; after an upgrade or a repair let them be read again.")
        url = call.site.url("system.system_page")
        return [Check(kind="attention", name=name, words=words, count=counts.failed, url=url, advice=advice)]
    if counts.waiting:
        words = NN_("%(num)s report waits to be read", "%(num)s reports wait to be read")
        return [Check(kind="waiting", name=name, words=words, count=counts.waiting)]
    if counts.refused:
        words = NN_("all are read, %(num)s holds no dose", "all are read, %(num)s hold no dose")
        url = call.site.url("dose.sources_page", state="refused")
        return [Check(kind="ok", name=name, words=words, count=counts.refused, url=url)]
    return [Check(kind="ok", name=name, words=P_("every report is read"))]


def system_section(call: AnyCall) -> Markup:
    """What dose lends to the system page: its long works, and the reports that could not be read."""
    try:
        with call.connect() as connection:
            failures = list_failed(connection)
            which = told_apart_with_kept(connection, failures)
            reread = latest(connection, REREADING.name)
            decided = redeciding_section(call, connection, latest(connection, REDECIDING.name))
    except DatabaseUnavailable:
        return Markup("")
    start = call.site.url("dose.reread_page")
    return render_part(
        call,
        "dose/failures.html",
        failures=failures,
        which=which,
        reread=work_section(call, REREADING, reread, start=start, label=N_("Read all again")),
        decided=decided,
    )
