"""What the dose list can be asked for, the same for pages, API and exports: parameters in, a filter out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from treegarth.features.dose.quantities import OF_EVENT, Asked, asked_for
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.rules import DoubtName, Source
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, Limits
from treegarth.limits import LARGEST_INTEGER
from treegarth.web.lists import Day, LastDay, Spans, modalities_of
from treegarth.web.routes import Text

Limit: TypeAlias = Annotated[float | None, Field(ge=0, le=1e15, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int | None, Field(ge=0, le=LARGEST_INTEGER)]


Quantity: TypeAlias = Literal[
    "dlp_mgy_cm",
    "dlp_head_mgy_cm",
    "dlp_body_mgy_cm",
    "dose_area_product_gy_m2",
    "dose_rp_gy",
    "glandular_dose_left_mgy",
    "glandular_dose_right_mgy",
    "administered_activity_mbq",
    "total_fluoro_time_s",
    "ctdi_vol_max_mgy",
]
Period: TypeAlias = Literal[
    "today", "last_7_days", "last_30_days", "this_month", "last_month", "this_year", "last_year"
]
"""Days as they are when it is asked: what is saved under a name stays true."""

PARTS: Mapping[str, str] = {
    "description": "study_description",
    "procedure": "procedure_named",
    "institution": "institution_name",
}
"""Parameters that ask for a part of a text, and its column."""


class DoseConditions(Spans):
    """Conditions add up."""

    kind: Kind | None = None
    """Studies with a report of this kind."""
    modality: Text | None = None
    """Studies with a series of this modality, or of any of several divided by commas, in capitals or not: `CT,PT`; of
    `CT` and `MG` also those of which only a dose report is there."""
    patient_id: Text | None = None
    """Exactly, or with the wildcards `*` and `?`."""
    issuer_of_patient_id: Text | None = None
    """Who gave the patient ID, exactly, or with the wildcards."""
    protocol: Text | None = None
    """A part of the name of one of its acquisition protocols, in capitals or not, with accents or without, or the whole
    with the wildcards `*` and `?`; so are the texts that follow."""
    equipment: Text | None = None
    """A part of the manufacturer's, the model's or the station's name."""
    description: Text | None = None
    """A part of the study's description."""
    procedure: Text | None = None
    """A part of the description of the requested procedure or of one of its codes or their meanings."""
    institution: Text | None = None
    """A part of the institution's name."""
    label: Text | None = None
    """A label that the study has, exactly."""
    patient_sex: Literal["F", "M", "O"] | None = None
    """(0010,0040)"""
    age_from_years: Limit = None
    """The least age of the patient at the study."""
    age_to_years: Limit = None
    """The greatest age; a whole number is that year of life to its end: `17` is whoever is not yet 18."""
    device: Text | None = None
    """The key of one device, as the list of equipment gives it."""
    study_date_from: Day | None = None
    """The first day, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day, included."""
    period: Period | None = None
    """Days as they are when it is asked, in the server's time zone."""
    source: Source | None = None
    """The best kind of source that counts."""
    doubtful: bool | None = None
    """Whether any best known dose is doubted."""
    doubt: DoubtName | None = None
    """A best known dose is doubted for this reason."""
    doubt_quantity: Quantity | None = None
    """This best known dose is doubted; with `doubt`, for that reason."""
    issues: bool | None = None
    """Whether something of its sources could not be read."""
    not_patient: bool | None = None
    """`false`: without studies of phantoms, for quality assurance and service; `true`: only these."""
    not_patient_rule: Count = None
    """The number of a rule: only the studies that it marks."""
    standard_name: Count = None
    """The number of a standard name: only the exams that have it."""
    called: Text | None = None
    """A part of a standard name that the exam has, or the whole with the wildcards."""
    dlp_from_mgy_cm: Limit = None
    """The least best known dose-length product."""
    dlp_to_mgy_cm: Limit = None
    """The greatest best known dose-length product."""
    ctdi_vol_from_mgy: Limit = None
    """The least mean CTDIvol, of the event that has the greatest."""
    ctdi_vol_to_mgy: Limit = None
    """The greatest mean CTDIvol, of the event that has the greatest."""
    dlp_head_from_mgy_cm: Limit = None
    """The least best known dose-length product of the 16 cm phantom."""
    dlp_head_to_mgy_cm: Limit = None
    """The greatest best known dose-length product of the 16 cm phantom."""
    dlp_body_from_mgy_cm: Limit = None
    """The least best known dose-length product of the 32 cm phantom."""
    dlp_body_to_mgy_cm: Limit = None
    """The greatest best known dose-length product of the 32 cm phantom."""
    dap_from_gy_cm2: Limit = None
    """The least best known dose-area product."""
    dap_to_gy_cm2: Limit = None
    """The greatest best known dose-area product."""
    dose_rp_from_mgy: Limit = None
    """The least best known dose at the reference point."""
    dose_rp_to_mgy: Limit = None
    """The greatest best known dose at the reference point."""
    agd_from_mgy: Limit = None
    """The least best known average glandular dose, of one breast."""
    agd_to_mgy: Limit = None
    """The greatest best known average glandular dose, of the same breast."""
    activity_from_mbq: Limit = None
    """The least best known administered activity."""
    activity_to_mbq: Limit = None
    """The greatest best known administered activity."""
    fluoro_time_from_s: Limit = None
    """The least best known fluoroscopy time."""
    fluoro_time_to_s: Limit = None
    """The greatest best known fluoroscopy time."""
    event_ctdi_vol_from_mgy: Limit = None
    """The least mean CTDIvol of one irradiation event; with `protocol`, of one of that protocol. One event has all
    that is asked of events."""
    event_ctdi_vol_to_mgy: Limit = None
    """The greatest mean CTDIvol of that event."""
    event_dlp_from_mgy_cm: Limit = None
    """The least dose-length product of that event."""
    event_dlp_to_mgy_cm: Limit = None
    """The greatest dose-length product of that event."""
    event_dap_from_gy_cm2: Limit = None
    """The least dose-area product of that event."""
    event_dap_to_gy_cm2: Limit = None
    """The greatest dose-area product of that event."""
    event_dose_rp_from_mgy: Limit = None
    """The least dose at the reference point of that event."""
    event_dose_rp_to_mgy: Limit = None
    """The greatest dose at the reference point of that event."""
    event_agd_from_mgy: Limit = None
    """The least average glandular dose of that event."""
    event_agd_to_mgy: Limit = None
    """The greatest average glandular dose of that event."""
    events_from: Count = None
    """The least number of irradiation events."""
    events_to: Count = None
    """The greatest number of irradiation events."""

    def filter(self, today: date) -> DoseStudyFilter:
        """What is asked for, without order and page; `today` is the day where the server stands."""
        first, last = days_of(self.period, today) if self.period else (None, None)
        return DoseStudyFilter(
            kind=self.kind,
            modalities=modalities_of(self.modality),
            patient_id=self.patient_id,
            issuer_of_patient_id=self.issuer_of_patient_id,
            protocol=self.protocol,
            equipment=self.equipment,
            device=self.device,
            not_patient=self.not_patient,
            not_patient_rule=self.not_patient_rule,
            standard_name=self.standard_name,
            called=self.called,
            study_date_from=max((day for day in (self.study_date_from, first) if day), default=None),
            study_date_to=min((day for day in (self.study_date_to, last) if day), default=None),
            parts={column: part for name, column in PARTS.items() if (part := getattr(self, name)) is not None},
            label=self.label,
            patient_sex=self.patient_sex,
            age_from_years=self.age_from_years,
            age_to_years=self.age_to_years,
            source=self.source,
            is_doubted=self.doubtful,
            doubt=self.doubt,
            doubted_quantity=self.doubt_quantity,
            has_issues=self.issues,
            doses={one: limits for one in asked_for() if (limits := self._limits(one)) != Limits()},
            of_event={one: limits for one in OF_EVENT if (limits := self._limits(one.asked)) != Limits()},
            events_from=self.events_from,
            events_to=self.events_to,
        )

    def _limits(self, asked: Asked) -> Limits:
        return Limits(*(getattr(self, name) for name in asked.parameters))


def days_of(period: Period, today: date) -> tuple[date, date]:
    """The first and the last day of it."""
    month = today.replace(day=1)
    last_month = month - timedelta(days=1)
    year = today.replace(month=1, day=1)
    last_year = year - timedelta(days=1)
    spans: dict[Period, tuple[date, date]] = {
        "today": (today, today),
        "last_7_days": (today - timedelta(days=6), today),
        "last_30_days": (today - timedelta(days=29), today),
        "this_month": (month, today),
        "last_month": (last_month.replace(day=1), last_month),
        "this_year": (year, today),
        "last_year": (last_year.replace(month=1, day=1), last_year),
    }
    return spans[period]
