"""The registry over HTTP beside its lists: patients, what is missing by months."""

from __future__ import annotations

from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.store.missing_dose import (
    MonthOfDevice,
    count_missing_by_month,
)
from treegarth.features.dose.registry.store.studies import DoseStudy
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


class PatientDose(Answer):
    """The examinations of one patient from the oldest on, at most the 1,000 newest, and the sums over them."""

    patient_id: str
    issuer_of_patient_id: str | None
    """As asked for."""
    studies: list[DoseStudy]
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
        studies=list(timeline.studies),
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
