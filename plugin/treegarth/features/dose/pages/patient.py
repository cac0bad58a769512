"""One patient's examinations with dose in the order of time, and the sums that mean something. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response

from treegarth.features.dose.pages.names import kinds_in_words
from treegarth.features.dose.pages.study import study_address
from treegarth.features.dose.quantities import QUANTITIES
from treegarth.features.dose.shown import readable_meaning
from treegarth.features.dose.shown_quantities import SHORT
from treegarth.features.dose.store.studies import DoseStudy
from treegarth.features.dose.store.timeline import Cumulative, patient_timeline
from treegarth.web.parts import AnyCall, ngettext_for, translated
from treegarth.web.routes import Parameters, Permission, Route, Text
from treegarth.web.templating import render_page

MOST_STUDIES = 1000


class PatientQuery(Parameters):
    """Whose doses."""

    patient_id: Text
    """The whole patient ID."""


@dataclass(frozen=True, kw_only=True)
class ShownSum:
    label: str
    of: str
    value: float
    unit: str
    study_count: int


@dataclass(frozen=True, kw_only=True)
class ShownExam:
    """A line of the table: the study, its kinds and each dose that it has."""

    study: DoseStudy
    kinds: str
    doses: list[ShownSum]
    url: str


def routes() -> list[Route]:
    return [
        Route(
            name="dose.patient_page",
            path="/treegarth/dose/patient",
            permission=Permission.VIEW,
            handler=patient_page,
            summary="The examinations and doses of one patient by date, with sums of like quantities.",
            query=PatientQuery,
        )
    ]


def patient_page(call: AnyCall) -> Response:
    with call.site.services.database.connect() as connection:
        timeline = patient_timeline(connection, call.query.patient_id, limit=MOST_STUDIES)
    studies = list(reversed(timeline.studies))
    days = [study.study_date for study in studies if study.study_date is not None]
    return render_page(
        call,
        "dose_patient.html",
        patient_id=call.query.patient_id,
        patient_name=next((study.patient_name for study in studies if study.patient_name), None),
        exams=[_exam(call, study) for study in studies],
        sums=[_sum(call, cumulative) for cumulative in timeline.cumulative],
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        left_out=sum(study.not_patient is not None for study in studies),
        is_cut=len(studies) == MOST_STUDIES,
        counted=ngettext_for(call, "%(num)s study with a dose", "%(num)s studies with a dose", len(studies)),
    )


def _sum(call: AnyCall, cumulative: Cumulative) -> ShownSum:
    quantity = QUANTITIES[cumulative.name]
    of = cumulative.of or ""
    return ShownSum(
        label=translated(call, quantity.label),
        of=translated(call, SHORT[of]) if of in SHORT else readable_meaning(of),
        value=cumulative.value * quantity.factor,
        unit=quantity.unit,
        study_count=cumulative.study_count,
    )


def _exam(call: AnyCall, study: DoseStudy) -> ShownExam:
    of = {
        "dlp_total_mgy_cm": " / ".join(study.dlp_phantoms or ()),
        "administered_activity_mbq": ", ".join(study.radionuclides or ()),
    }
    doses = [
        _sum(call, Cumulative(name=name, of=of.get(name), value=getattr(study, name), study_count=1))
        for name in QUANTITIES
        if name != "glandular_dose_mgy" and getattr(study, name) is not None
    ]
    return ShownExam(study=study, kinds=kinds_in_words(call, study.kinds), doses=doses, url=study_address(call, study))
