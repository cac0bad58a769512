"""The dose of a study over HTTP."""

from __future__ import annotations

from typing import Any

from treegarth.errors import NotFound
from treegarth.features.dose.analysis.store.derived import (
    DerivedDose,
    NotDerived,
    derived_of_study,
    not_derived_of_study,
)
from treegarth.features.dose.analysis.store.percentiles import Percentile, percentiles_of
from treegarth.features.dose.registry.api.parts import Kind, Listed, dose_route
from treegarth.features.dose.registry.rules import Origin
from treegarth.features.dose.registry.store.decisions import decisions_of_study
from treegarth.features.dose.registry.store.reports import reports_of_study
from treegarth.features.dose.registry.store.studies import BestDose, Doubt, find_study_with_dose, study_of_uid
from treegarth.phrases import P_
from treegarth.web.call import Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, Route
from treegarth.web.which_study import WhichStudy


class ReadingIssue(Answer):
    """Something of a report that could not be read; the rest of it was."""

    path: str
    """Where in the report."""
    reason: str


class DoseReportItem(Answer):
    """A report as `treegarth dose read --json` prints it. The names of its values stand in docs/dose.md."""

    file: str
    """The object's identifier in Orthanc, and `.dcm`."""
    sop_class_uid: str | None
    kind: Kind | None
    refused: str | None
    """Why the object is no source of dose; null where it is one."""
    totals: dict[str, Any]
    """As reported; what the report does not say is absent."""
    irradiation_events: list[dict[str, Any]]
    """In their order in the report."""
    administrations: list[dict[str, Any]]
    """Of radiopharmaceuticals."""
    issues: list[ReadingIssue]


class Decision(Listed):
    """Whether a source makes the study's totals."""

    orthanc_instance_id: str
    counted: bool
    rule: str
    """The rule that decided: `single`, `repeated`, `cumulative`, `replaced`, `superseded`, `elsewhere`, ..."""
    because_of: str | None
    """The source that counts in its place."""


class PlaneDose(Listed):
    """What one plane of a device gave."""

    acquisition_plane: str
    dose_area_product_gy_m2: float | None
    dose_rp_gy: float | None


class NuclideActivity(Listed):
    """What was given of one radionuclide."""

    radionuclide: str | None
    """Null where it is not told which."""
    administered_activity_mbq: float


class StudyDose(Answer):
    """The dose of a study."""

    study_instance_uid: str
    orthanc_study_id: str | None
    """Null where the study has no dose."""
    best: BestDose | None
    """The best known dose of each quantity; null where the study has no dose."""
    origin: dict[str, Origin]
    """Where each is from: `events` and `headers` are sums of these; of `ctdi_vol_max_mgy` it is the greatest."""
    doubts: list[Doubt]
    planes: list[PlaneDose]
    """Each plane of each device: their reference points are not added."""
    activities: list[NuclideActivity]
    """By radionuclide."""
    standard_names: list[str]
    """What the site calls it: the standard name of each of its modalities."""
    percentiles: list[Percentile]
    """Where each dose lies among those of exams that are called the same."""
    derived: list[DerivedDose]
    """What follows from these by a formula (docs/dose.md)."""
    not_derived: list[NotDerived]
    """What does not, and which input is missing."""
    replaced_by: str | None
    """Orthanc's identifier of the study in which all of this one counts instead."""
    reports: list[DoseReportItem]
    """Every source that was read, by SOP Instance UID; several may repeat or continue each other."""
    decisions: list[Decision]
    """Which of them count, and why."""
    waiting: int
    """Sources of this study that are still to be read."""
    failed: int
    """Sources that could not be read after every attempt."""


def study(call: Call[WhichStudy, None, StudyPath]) -> StudyDose:
    """Also of one that has left the archive. Raises AmbiguousStudy where several patients have one of this UID."""
    uid = call.path.study_instance_uid
    with call.connect() as connection:
        key = study_of_uid(connection, uid, call.query.orthanc_study_id)
        if key is None:
            raise NotFound(P_("There is no study with this Study Instance UID."))
        found = reports_of_study(connection, key.orthanc_study_id)
        decisions = decisions_of_study(connection, key.orthanc_study_id)
        study = find_study_with_dose(connection, key.orthanc_study_id)
        derived = derived_of_study(connection, key.orthanc_study_id)
        not_derived = not_derived_of_study(connection, key.orthanc_study_id)
        percentiles = percentiles_of(connection, [key.orthanc_study_id])[key.orthanc_study_id]
    return StudyDose(
        study_instance_uid=uid,
        orthanc_study_id=key.orthanc_study_id if found else None,
        best=study.best if study is not None else None,
        origin=study.origin if study is not None else {},
        doubts=study.doubts_of(study.doubts) if study is not None else [],
        planes=[PlaneDose.model_validate(one) for one in (study.planes if study is not None else None) or ()],
        activities=[
            NuclideActivity.model_validate(one) for one in (study.activities if study is not None else None) or ()
        ],
        standard_names=(study.standard_names if study is not None else None) or [],
        percentiles=percentiles,
        derived=derived,
        not_derived=not_derived,
        replaced_by=study.replaced_by if study is not None else None,
        reports=[DoseReportItem.model_validate(report.as_json()) for report in found if report.read_at is not None],
        decisions=[Decision.model_validate(decision) for decision in decisions],
        waiting=sum(report.state == "unread" for report in found),
        failed=sum(report.state == "failed" for report in found),
    )


def routes() -> list[Route]:
    """The dose of a study."""
    return [
        dose_route(
            "dose_study",
            "studies/{study_instance_uid}",
            study,
            "The dose of a study: what is best known, and every irradiation event of every report.",
            problems=(409, 503),
        ),
    ]
