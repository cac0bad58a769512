"""The registry over HTTP beside its lists: patients, what is missing by months."""

from __future__ import annotations

from datetime import date, datetime

from treegarth.features.dose.registry.api.parts import BestKnown, dose_route
from treegarth.features.dose.registry.store.missing_dose import (
    MonthOfDevice,
    count_missing_by_month,
)
from treegarth.features.dose.registry.store.timeline import Cumulative, patient_timeline
from treegarth.web.call import Call
from treegarth.web.lists import Day
from treegarth.web.routes import Answer, Parameters, Route, Text


class PatientQuery(Parameters):
    """Whose doses."""

    patient_id: Text
    """The whole patient ID."""
    issuer_of_patient_id: Text | None = None
    """Who gave the ID, where several did; empty for the patient without an issuer."""


class MonthsQuery(Parameters):
    """Which months."""

    study_date_from: Day | None = None
    """The first day that counts; without it every month there is."""


class PatientExam(BestKnown):
    """A study of the patient. Null is unknown, not zero."""

    study_instance_uid: str
    orthanc_study_id: str
    study_date: date | None
    study_description: str | None
    patient_age: str | None
    kinds: list[str]
    rule: str
    irradiation_event_count: int
    dlp_total_mgy_cm: float | None
    dlp_phantoms: list[str] | None
    """The phantoms that the DLP refers to."""
    dose_area_product_total_gy_m2: float | None
    dose_rp_total_gy: float | None
    glandular_dose_left_mgy: float | None
    glandular_dose_right_mgy: float | None
    administered_activity_mbq: float | None
    radionuclides: list[str] | None
    effective_dose_msv: float | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    not_patient: str | None
    source_deleted_at: datetime | None


class PatientDose(Answer):
    """The examinations of one patient from the oldest on, at most the 1,000 newest, and the sums over them."""

    patient_id: str
    issuer_of_patient_id: str | None
    """As asked for."""
    studies: list[PatientExam]
    cumulative: list[Cumulative]


class MissingMonths(Answer):
    """By device and month."""

    items: list[MonthOfDevice]


def patient(call: Call[PatientQuery, None, None]) -> PatientDose:
    with call.connect() as connection:
        timeline = patient_timeline(connection, call.query.patient_id, call.query.issuer_of_patient_id)
    return PatientDose(
        patient_id=call.query.patient_id,
        issuer_of_patient_id=call.query.issuer_of_patient_id or None,
        studies=[PatientExam.model_validate(study) for study in timeline.studies],
        cumulative=list(timeline.cumulative),
    )


def missing_months(call: Call[MonthsQuery, None, None]) -> MissingMonths:
    with call.connect() as connection:
        months = count_missing_by_month(connection, study_date_from=call.query.study_date_from)
    return MissingMonths(items=list(months))


def routes() -> list[Route]:
    """The registry's part of the API."""
    return [
        dose_route(
            "dose_patient",
            "patient",
            patient,
            "The examinations and doses of one patient, with sums of like quantities.",
            problems=(409, 503),
        ),
        dose_route(
            "dose_missing_months",
            "missing/months",
            missing_months,
            "How many studies have no dose, per device and month.",
        ),
    ]
