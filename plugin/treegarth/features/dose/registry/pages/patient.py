"""One patient's examinations with dose in the order of time, and the sums that mean something. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.dose.quantities import QUANTITIES, best_column
from treegarth.features.dose.registry.decision.facts import BODY, HEAD
from treegarth.features.dose.registry.pages.dose_columns import doubts_of
from treegarth.features.dose.registry.pages.names import kinds_in_words
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.shown_quantities import SHORT
from treegarth.features.dose.registry.shown_tables import readable_meaning
from treegarth.features.dose.registry.store.studies import DoseStudy, told_apart_with_kept
from treegarth.features.dose.registry.store.timeline import AmbiguousPatient, Cumulative, patient_timeline
from treegarth.phrases import P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.formats import scaled
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.templates import render_page

MOST_STUDIES = 1000


class PatientQuery(Parameters):
    """Whose doses."""

    patient_id: Text
    """The whole patient ID."""
    issuer_of_patient_id: Text | None = None
    """Who gave the ID, where several did; empty for the patient without an issuer."""


@dataclass(frozen=True, kw_only=True)
class ShownSum:
    label: str  # a msgid
    of: str
    value: Decimal
    unit: str
    study_count: int
    unattributed_count: int = 0
    doubted_count: int = 0
    implausible_count: int = 0
    doubts: Sequence[Phrase] = ()


@dataclass(frozen=True, kw_only=True)
class ShownExam:
    """A line of the table: the study, its kinds and each dose that it has."""

    study: DoseStudy
    kinds: list[Phrase]
    doses: list[ShownSum]
    url: str


def routes() -> list[Route]:
    return [
        route(
            name="dose.patient_page",
            path="/treegarth/dose/patient",
            permission=Permission.SEE_DOSE,
            handler=patient_page,
            summary="The examinations and doses of one patient by date, with sums of like quantities.",
        )
    ]


def patient_page(call: Call[PatientQuery, None, None]) -> Response:
    query = call.query
    try:
        with call.connect() as connection:
            timeline = patient_timeline(connection, query.patient_id, query.issuer_of_patient_id, limit=MOST_STUDIES)
            which = told_apart_with_kept(connection, timeline.studies)
    except AmbiguousPatient as error:
        return _choices_page(call, error)
    studies = list(reversed(timeline.studies))
    days = [study.study_date for study in studies if study.study_date is not None]
    return render_page(
        call,
        "dose/patient.html",
        patient_id=query.patient_id,
        issuer=query.issuer_of_patient_id or None,
        patient_name=next((study.patient_name for study in studies if study.patient_name), None),
        exams=[_exam(call, study, which(study)) for study in studies],
        sums=[_sum(cumulative) for cumulative in timeline.cumulative],
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        left_out=sum(study.not_patient is not None for study in studies),
        replaced=sum(study.replaced_by is not None for study in studies),
        is_cut=len(studies) == MOST_STUDIES,
    )


def _choices_page(call: Call[PatientQuery, object, object], ambiguous: AmbiguousPatient) -> Response:
    """Several issuers gave this ID: whose doses are meant is asked, never guessed."""
    links = [
        (
            issuer,
            call.site.url("dose.patient_page", patient_id=call.query.patient_id, issuer_of_patient_id=issuer or ""),
        )
        for issuer in ambiguous.issuers
    ]
    answer = render_page(
        call, "dose/choices.html", title=call.query.patient_id, sentence=ambiguous.sentence,
        choices=[(issuer or P_("without an issuer"), "", url) for issuer, url in links],
    )  # fmt: skip
    answer.status_code = 409
    return answer


def _sum(cumulative: Cumulative) -> ShownSum:
    quantity = QUANTITIES[cumulative.name]
    of = cumulative.of or ""
    return ShownSum(
        label=quantity.label,
        of=Phrase(SHORT[of]) if of in SHORT else readable_meaning(of),
        value=scaled(cumulative.value, quantity.factor),
        unit=quantity.unit,
        study_count=cumulative.study_count,
        unattributed_count=cumulative.unattributed_count,
        doubted_count=cumulative.doubted_count,
        implausible_count=cumulative.implausible_count,
    )


ACTIVITY = "best_administered_activity_mbq"
OF_EXAM = (
    "best_dlp_mgy_cm", "best_dose_area_product_gy_m2", "best_dose_rp_gy", "best_glandular_dose_left_mgy",
    "best_glandular_dose_right_mgy", "effective_dose_msv",
)  # fmt: skip


def _exam(call: AnyCall, study: DoseStudy, which: str | None) -> ShownExam:
    of = {"best_dlp_mgy_cm": " / ".join(study.dlp_phantoms or ())}
    amounts = [(name, of.get(name), getattr(study, name), name) for name in OF_EXAM if getattr(study, name) is not None]
    if study.best_dlp_mgy_cm is None:
        parts = ((HEAD, "best_dlp_head_mgy_cm"), (BODY, "best_dlp_body_mgy_cm"))
        known = ((phantom, getattr(study, name), name) for phantom, name in parts)
        amounts += [("best_dlp_mgy_cm", phantom, value, name) for phantom, value, name in known if value is not None]
    amounts += [
        (ACTIVITY, one["radionuclide"], one["administered_activity_mbq"], ACTIVITY) for one in study.activities or ()
    ]
    return ShownExam(
        study=study,
        kinds=kinds_in_words(study.kinds),
        doses=[
            replace(
                _sum(Cumulative(name=name, of=phantom, value=value, study_count=1)),
                doubts=doubts_of(study, best.removeprefix(best_column(""))),
            )
            for name, phantom, value, best in amounts
        ],
        url=study_address(call, study, which),
    )
