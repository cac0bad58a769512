"""What the dose list can be asked for, the same for pages, API and exports: parameters in, a filter out."""

from __future__ import annotations

from pydantic import Field, model_validator

from treegarth.features.dose.model import Kind
from treegarth.features.dose.store.studies import DoseStudyFilter
from treegarth.web.lists import Day, check_days_in_order
from treegarth.web.routes import Parameters, Text

CM2_OF_M2 = 1e4


class DoseConditions(Parameters):
    """Conditions add up; an empty one does not restrict."""

    kind: Kind | None = None
    """Studies with a report of this kind."""
    patient_id: Text | None = None
    """Exactly."""
    protocol: Text | None = None
    """A part of the name of one of its acquisition protocols, in capitals or not."""
    equipment: Text | None = None
    """A part of the manufacturer's, the model's or the station's name, in capitals or not."""
    device: Text | None = None
    """The key of one device, as the list of equipment gives it."""
    study_date_from: Day | None = None
    """The first day, `2026-11-20`."""
    study_date_to: Day | None = None
    """The last day, included."""
    not_patient: bool | None = None
    """`false`: without studies of phantoms, for quality assurance and service; `true`: only these."""
    dlp_from_mgy_cm: float | None = Field(default=None, allow_inf_nan=False)
    """The least total dose-length product."""
    dlp_to_mgy_cm: float | None = Field(default=None, allow_inf_nan=False)
    """The greatest total dose-length product."""
    dap_from_gy_cm2: float | None = Field(default=None, allow_inf_nan=False)
    """The least total dose-area product."""
    dap_to_gy_cm2: float | None = Field(default=None, allow_inf_nan=False)
    """The greatest total dose-area product."""

    @model_validator(mode="after")
    def _is_in_order(self) -> DoseConditions:
        check_days_in_order(self.study_date_from, self.study_date_to)
        return self

    def filter(self) -> DoseStudyFilter:
        """What is asked for, without order and page."""
        return DoseStudyFilter(
            kind=self.kind,
            patient_id=self.patient_id or None,
            protocol=self.protocol or None,
            equipment=self.equipment or None,
            device=self.device or None,
            not_patient=self.not_patient,
            study_date_from=self.study_date_from,
            study_date_to=self.study_date_to,
            dlp_from_mgy_cm=self.dlp_from_mgy_cm,
            dlp_to_mgy_cm=self.dlp_to_mgy_cm,
            dap_from_gy_m2=None if self.dap_from_gy_cm2 is None else self.dap_from_gy_cm2 / CM2_OF_M2,
            dap_to_gy_m2=None if self.dap_to_gy_cm2 is None else self.dap_to_gy_cm2 / CM2_OF_M2,
        )
