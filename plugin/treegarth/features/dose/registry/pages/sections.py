"""What dose lends to other pages: a study's section, findings about health, the system page's failures. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from markupsafe import Markup

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable
from treegarth.features.dose.alerts.store.alerts import alerts_of_study
from treegarth.features.dose.alerts.words import STATE_NAMES, STATE_SIGNS
from treegarth.features.dose.analysis.levels.screening import flags_of_exam
from treegarth.features.dose.analysis.size.pages import exam_part
from treegarth.features.dose.analysis.store.derived import derived_of_study, not_derived_of_study
from treegarth.features.dose.analysis.store.percentiles import percentiles_of
from treegarth.features.dose.registry.acts import concerning
from treegarth.features.dose.registry.lacking import LACKING_NAMES
from treegarth.features.dose.registry.pages.acts import acts_section, source_choice
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.pages.doubts import shown_doubts
from treegarth.features.dose.registry.pages.exam import shown_doses, shown_parts
from treegarth.features.dose.registry.pages.names import doubts_in_words
from treegarth.features.dose.registry.pages.percentiles import percentile_marks
from treegarth.features.dose.registry.pages.redecision import redeciding_section
from treegarth.features.dose.registry.pages.this_study import this_study
from treegarth.features.dose.registry.shown import ShownReport, shown_images, shown_report
from treegarth.features.dose.registry.shown_breasts import shown_exposures
from treegarth.features.dose.registry.shown_derived import shown_derived, shown_reasons
from treegarth.features.dose.registry.shown_sources import Verdict, shown_sources, verdict_of
from treegarth.features.dose.registry.store.decisions import StudySource, sources_of_study
from treegarth.features.dose.registry.store.queue import count_sources, list_failed
from treegarth.features.dose.registry.store.reports import DoseReport, reports_of_study
from treegarth.features.dose.registry.store.size_imports import SizeSource, sizes_of
from treegarth.features.dose.registry.store.studies import (
    DoseStudy,
    count_doubted,
    find_study_with_dose,
    told_apart_with_kept,
)
from treegarth.features.dose.registry.works import REDECIDING, REREADING
from treegarth.index.names import name_studies
from treegarth.index.studies import StudyKey
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import Check, render_part
from treegarth.work.pages import work_section
from treegarth.work.store import latest


def study_section(call: AnyCall, key: StudyKey) -> Markup | None:
    """What dose lends to a study's page: the doses of the exam, its exposures, the events and issues of every report,
    all its sources, what people said and decided of it; None without any source and without an alert, and to
    who may not see dose."""
    if not call.actor.may(Permission.SEE_DOSE):
        return None
    with call.connect() as connection:
        reports = reports_of_study(connection, key.orthanc_study_id)
        sources = sources_of_study(connection, key.orthanc_study_id)
        study = find_study_with_dose(connection, key.orthanc_study_id)
        which = told_apart_with_kept(connection, [key])(key)
        derived = shown_derived(derived_of_study(connection, key.orthanc_study_id))
        not_derived = shown_reasons(not_derived_of_study(connection, key.orthanc_study_id))
        choices = [source_choice(one) for one in sources if one.decision is not None]
        decided = concerning(connection, key)
        sizes = sizes_of(connection, key.orthanc_study_id) if study is not None else []
        alerts = alerts_of_study(connection, key)
        acts = acts_section(call, key, which, decided, choices) if study is not None else Markup("")
        level_flags = [] if study is None else flags_of_exam(connection, key.orthanc_study_id)
        percentiles = percentiles_of(connection, [key.orthanc_study_id])[key.orthanc_study_id]
        size_specific = exam_part(call, connection, key.orthanc_study_id)
    if not sources and not alerts:
        return None
    of_patient = any(one.content.get("patient") and one.undone_by is None for one in decided)
    counted = {one.orthanc_instance_id for one in sources if one.decision is not None and one.decision.counted}
    counting = [one for one in reports if one.orthanc_instance_id in counted]
    mammograms = [one for one in counting if one.kind == "mammography"]
    return render_part(
        call,
        "dose/section.html",
        study=study,
        source_count=len(sources),
        alerts=alerts,
        alert_states=STATE_NAMES,
        alert_signs=STATE_SIGNS,
        reports=_articles(call, reports, sources, counting),
        doses=[] if study is None else shown_doses(study, counting),
        parts=[] if study is None else shown_parts(study),
        marks=percentile_marks(call, percentiles),
        derived=derived,
        not_derived=not_derived,
        exposures=shown_exposures(call, mammograms),
        size_specific=size_specific,
        sources=shown_sources(call, sources, {one.orthanc_instance_id for one in reports if not _is_image(one)}),
        doubts=[] if study is None else doubts_in_words(study.doubts),
        level_flags=level_flags,
        lacking_names=LACKING_NAMES,
        shown_doubts=[] if study is None else shown_doubts(call, study),
        acts=acts,
        sizes=sizes,
        told_by=told_by(study, sizes),
        moved_here=any(one.orthanc_study_id != key.orthanc_study_id for one in sources),
        of_patient=of_patient,
        this_study=this_study(call, key),
        replaced_by=_replacing_url(call, study),
        patient_url=None
        if study is None or not study.patient_id
        else call.site.url("dose.patient_page", patient_id=study.patient_id),
    )


def told_by(study: DoseStudy | None, sizes: Sequence[SizeSource]) -> dict[str, int]:
    """Which of these tells the size and which the weight: the place of each among them."""
    found: dict[str, int] = {}
    for name, number in (("patient_size_m", "size_import_id"), ("patient_weight_kg", "weight_import_id")):
        value, by = getattr(study, name, None), getattr(study, number, None)
        for place, one in enumerate(sizes):
            if value is not None and one.size_import_id == by and getattr(one, name) == value and name not in found:
                found[name] = place
    return found


def _articles(
    call: AnyCall, reports: Sequence[DoseReport], sources: Sequence[StudySource], counting: Sequence[DoseReport]
) -> list[ShownReport]:
    """Each report by itself, those that count first; the images of one kind together. The exposures of a mammogram
    that count stand in a table of their own."""
    known = {one.orthanc_instance_id: one for one in sources}
    here = {one.orthanc_instance_id for one in reports if not _is_image(one)}
    counted = {one.orthanc_instance_id for one in counting}
    shown, images = [], dict[str, list[DoseReport]]()
    for report in sorted(reports, key=lambda one: one.orthanc_instance_id not in counted):
        if _is_image(report):
            images.setdefault(report.kind or "", []).append(report)
            continue
        with_events = report.kind != "mammography" or report.orthanc_instance_id not in counted
        shown.append(shown_report(call, report, _verdict(call, report, known, here), with_events=with_events))
    return shown + [
        shown_images(call, of_kind, _verdict(call, of_kind[0], known, here), with_events=kind != "mammography")
        for kind, of_kind in images.items()
    ]


def _verdict(call: AnyCall, report: DoseReport, known: dict[str, StudySource], here: Collection[str]) -> Verdict | None:
    source = known.get(report.orthanc_instance_id)
    return verdict_of(call, source.decision, known, here) if source else None


def _is_image(report: DoseReport) -> bool:
    return report.source == "header" and report.state == "read"


def _replacing_url(call: AnyCall, study: DoseStudy | None) -> str | None:
    """The page of the study in which this one counts."""
    if study is None or study.replaced_by is None:
        return None
    with call.connect() as connection:
        by = find_study_with_dose(connection, study.replaced_by)
    return None if by is None else dose_page_of(call, by.study_instance_uid, by.orthanc_study_id)


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
    return [Check(kind="doubted", name=P_("Doubts"), words=words, count=doubted, url=url)]


def _reading_check(call: AnyCall) -> list[Check]:
    name = P_("Dose")
    try:
        with call.connect() as connection:
            counts = count_sources(connection)
    except DatabaseUnavailable:
        return [Check(kind="unknown", name=name, words=P_("unknown without the database"))]
    found = []
    if counts.failed:
        words = NN_("%(num)s report could not be read", "%(num)s reports could not be read")
        advice = P_("See the reasons below; after an upgrade or a repair let them be read again.")
        url = call.site.url("system.system_page")
        found.append(Check(kind="attention", name=name, words=words, count=counts.failed, url=url, advice=advice))
    if counts.waiting:
        words = NN_("%(num)s report waits to be read", "%(num)s reports wait to be read")
        url = call.site.url("dose.sources_page", state="unread")
        found.append(Check(kind="waiting", name=name, words=words, count=counts.waiting, url=url))
    if counts.with_issues:
        words = NN_("%(num)s report was not read in every part", "%(num)s reports were not read in every part")
        url = call.site.url("dose.sources_page", issues="true")
        found.append(Check(kind="doubted", name=name, words=words, count=counts.with_issues, url=url))
    if found:
        return found
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
            names = name_studies(connection, failures)
            reread = latest(connection, REREADING.name)
            doubted = count_doubted(connection)
            decided = redeciding_section(call, connection, latest(connection, REDECIDING.name))
    except DatabaseUnavailable:
        return Markup("")
    start = call.site.url("dose.reread_page")
    return render_part(
        call,
        "dose/failures.html",
        doubted=doubted,
        failures=failures,
        names=names,
        which=which,
        reread=work_section(call, REREADING, reread, start=start, label=N_("Read all again")),
        decided=decided,
    )
