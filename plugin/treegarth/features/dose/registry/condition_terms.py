"""What conditions can speak of in the dose registry: the quantities and marks of a study's dose."""

from __future__ import annotations

from typing import Any, get_args

from sqlalchemy import Column, ColumnElement, exists

from treegarth.conditions.model import Field, Level
from treegarth.conditions.model import Kind as ValueKind
from treegarth.conditions.vocabulary import Term
from treegarth.database.parameters import written_out
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.tables import exam_dose, exam_name, standard_name
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.rules import Source
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.phrases import N_

_NUMBERS = {
    **{one.column: (one.meaning, one.stored_unit) for one in BEST.values()},
    "dlp_total_mgy_cm": (N_("Total dose-length product"), "mGy·cm"),
    "mean_ctdi_vol_max_mgy": (N_("The greatest mean CTDIvol of its events"), "mGy"),
    "dose_area_product_total_gy_m2": (N_("Total dose-area product"), "Gy·m²"),
    "dose_rp_total_gy": (N_("Total dose at the reference point"), "Gy"),
    "glandular_dose_left_mgy": (N_("Accumulated average glandular dose, left"), "mGy"),
    "glandular_dose_right_mgy": (N_("Accumulated average glandular dose, right"), "mGy"),
    "administered_activity_mbq": (N_("Administered activity"), "MBq"),
    "effective_dose_msv": (N_("Effective dose of the administration, as reported"), "mSv"),
    "irradiation_event_count": (N_("How many irradiation events it has"), ""),
    "administration_count": (N_("How many administrations it has"), ""),
    "report_count": (N_("How many dose sources were read"), ""),
    "issue_count": (N_("How many values of its dose sources could not be read"), ""),
}
_TEXTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "kinds": (N_("A kind of its dose"), get_args(Kind)),
    "source": (N_("The best kind of source that counts"), tuple(source.value for source in Source)),
    "protocols": (N_("An acquisition protocol of its events"), ()),
    "radionuclides": (N_("A radionuclide that was given"), ()),
    "performing_physician": (N_("Who performed it, as DICOM has the name"), ()),
    "origins": (N_("Where a best known dose is from, as dlp_mgy_cm:reported"), ()),
    "doubts": (N_("A doubt about a best known dose, as dlp_mgy_cm:partial_total"), ()),
    "differences": (N_("A total that differs from the sum of the events"), ()),
    "not_patient": (N_("What it is instead of a patient"), ("phantom", "qa", "service")),
}

MANY = ("kinds", "protocols", "radionuclides", "origins", "doubts", "differences")


def condition_terms(study_key: ColumnElement[Any]) -> list[Term]:
    """The terms; `study_key` is the index's column that tells which study a row is."""
    is_its = dose_study.c.orthanc_study_id == study_key
    has_dose = exists().where(is_its).correlate(study_key.table)
    unread = exists().where(dose_report.c.orthanc_study_id == study_key, dose_report.c.state == "unread")
    exams = exam_dose.join(exam_name, exam_name.c.id == exam_dose.c.exam_name_id)
    called = Term(
        field=Field(
            name="dose.standard_name",
            level=Level.STUDY,
            kind=ValueKind.TEXT,
            many=True,
            meaning=N_("A standard name that it has, of one of its modalities"),
        ),
        expression=standard_name.c.name,
        rows=exams.join(standard_name, standard_name.c.id == exam_name.c.standard_name_id),
        where=(exam_dose.c.orthanc_study_id == study_key) & (exam_dose.c.quantity == written_out(EVENT_COUNT)),
    )
    return [
        _truth("dose.exists", N_("Its dose was read"), has_dose),
        _truth("dose.is_waiting", N_("A dose source of it waits to be read"), unread.correlate(study_key.table)),
        *(
            _term(name, ValueKind.NUMBER, is_its, meaning=meaning, unit=unit)
            for name, (meaning, unit) in _NUMBERS.items()
        ),
        *(
            _term(name, ValueKind.TEXT, is_its, meaning=meaning, choices=choices)
            for name, (meaning, choices) in _TEXTS.items()
        ),
        called,
    ]


def _truth(name: str, meaning: str, expression: ColumnElement[bool]) -> Term:
    return Term(field=Field(name=name, level=Level.STUDY, kind=ValueKind.TRUTH, meaning=meaning), expression=expression)


def _term(
    name: str,
    kind: ValueKind,
    where: ColumnElement[bool],
    *,
    meaning: str,
    unit: str = "",
    choices: tuple[str, ...] = (),
) -> Term:
    column: Column[Any] = dose_study.c[name]
    return Term(
        field=Field(
            name=f"dose.{name}",
            level=Level.STUDY,
            kind=kind,
            many=name in MANY,
            meaning=meaning,
            unit=unit,
            choices=choices,
        ),
        expression=column,
        rows=dose_study,
        where=where,
    )
