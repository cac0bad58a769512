"""What the archive should know once it has received a built study: the demonstration's yardstick. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from treegarth.demo.ct_dose_report import CtEvent, dlp_total_of
from treegarth.demo.studies import Study


@dataclass(frozen=True, kw_only=True)
class ExpectedEvent:
    """One irradiation event as the API should show it."""

    irradiation_event_uid: str
    mean_ctdi_vol_mgy: float | None
    dlp_mgy_cm: float | None


@dataclass(frozen=True, kw_only=True)
class ExpectedCtDose:
    """The dose of one CT dose report."""

    dlp_total_mgy_cm: float
    events: tuple[ExpectedEvent, ...]


@dataclass(frozen=True, kw_only=True)
class ExpectedStudy:
    """One study as the API should show it. Names are the API's own."""

    study_instance_uid: str
    patient_id: str
    patient_name: str
    study_date: str
    """ISO form."""
    study_description: str
    accession_number: str
    modalities: tuple[str, ...]
    """In alphabetical order."""
    series_count: int
    instance_count: int
    ct_dose: ExpectedCtDose | None


@dataclass(frozen=True, kw_only=True)
class BuiltStudy:
    """A study with its objects, who sends them, and the CT events that its dose report tells."""

    study: Study
    calling_ae_title: str
    datasets: Sequence[Dataset]
    ct_events: tuple[CtEvent, ...] = ()

    @property
    def expected(self) -> ExpectedStudy:
        study = self.study
        return ExpectedStudy(
            study_instance_uid=study.study_instance_uid,
            patient_id=study.patient.patient_id,
            patient_name=study.patient.patient_name,
            study_date=study.started.date().isoformat(),
            study_description=study.procedure.description,
            accession_number=study.accession_number,
            modalities=tuple(sorted({dataset.Modality for dataset in self.datasets})),
            series_count=len({dataset.SeriesInstanceUID for dataset in self.datasets}),
            instance_count=len(self.datasets),
            ct_dose=self._ct_dose() if self.ct_events else None,
        )

    def _ct_dose(self) -> ExpectedCtDose:
        events = (
            ExpectedEvent(
                irradiation_event_uid=event.uid_in(self.study, place),
                mean_ctdi_vol_mgy=event.mean_ctdi_vol_mgy,
                dlp_mgy_cm=event.dlp_mgy_cm,
            )
            for place, event in enumerate(self.ct_events, start=1)
        )
        return ExpectedCtDose(dlp_total_mgy_cm=dlp_total_of(self.ct_events), events=tuple(events))
