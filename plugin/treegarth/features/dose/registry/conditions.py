"""What the dose list can be asked for, the same for pages, API and exports: parameters in, a filter out."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from treegarth.features.dose.quantities import Asked, asked_for
from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, Limits
from treegarth.limits import LARGEST_INTEGER
from treegarth.web.lists import Day, LastDay, modalities_of
from treegarth.web.routes import Parameters, Text

Limit: TypeAlias = Annotated[float | None, Field(ge=0, le=1e15, allow_inf_nan=False)]
Count: TypeAlias = Annotated[int | None, Field(ge=0, le=LARGEST_INTEGER)]


class DoseConditions(Parameters):
    """Conditions add up."""

    kind: Kind | None = None
    """Studies with a report of this kind."""
    modality: Text | None = None
    """Studies with a series of this modality, or of any of several divided by commas, in capitals or not: `CT,PT`."""
    patient_id: Text | None = None
    """Exactly."""
    issuer_of_patient_id: Text | None = None
    """Who gave the patient ID, exactly."""
    protocol: Text | None = None
    """A part of the name of one of its acquisition protocols, in capitals or not."""
    equipment: Text | None = None
    """A part of the manufacturer's, the model's or the station's name, in capitals or not."""
    device: Text | None = None
    """The key of one device, as the list of equipment gives it."""
    study_date_from: Day | None = None
    """The first day, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day, included."""
    not_patient: bool | None = None
    """`false`: without studies of phantoms, for quality assurance and service; `true`: only these."""
    not_patient_rule: Count = None
    """The number of a rule: only the studies that it marks."""
    dlp_from_mgy_cm: Limit = None
    """The least best known dose-length product."""
    dlp_to_mgy_cm: Limit = None
    """The greatest best known dose-length product."""
    ctdi_vol_from_mgy: Limit = None
    """The least mean CTDIvol, of the event that has the greatest."""
    ctdi_vol_to_mgy: Limit = None
    """The greatest mean CTDIvol, of the event that has the greatest."""
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
    events_from: Count = None
    """The least number of irradiation events."""
    events_to: Count = None
    """The greatest number of irradiation events."""

    def filter(self) -> DoseStudyFilter:
        """What is asked for, without order and page."""
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
            study_date_from=self.study_date_from,
            study_date_to=self.study_date_to,
            doses={one: limits for one in asked_for() if (limits := self._limits(one)) != Limits()},
            events_from=self.events_from,
            events_to=self.events_to,
        )

    def _limits(self, asked: Asked) -> Limits:
        return Limits(*(getattr(self, name) for name in asked.parameters))
