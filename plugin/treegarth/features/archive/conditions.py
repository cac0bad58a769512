"""What the list of studies can be asked for, the same for the page and the API: parameters in, a filter out."""

from __future__ import annotations

from pydantic import Field

from treegarth.features.archive.search_model import StudyFilter
from treegarth.web.lists import Day, LastDay, modalities_of
from treegarth.web.routes import Parameters, Text


class StudyConditions(Parameters):
    """Conditions add up."""

    q: Text | None = Field(default=None, max_length=400)
    """Words that each stand in a patient's name or identifier, the accession number or the description, or whole
    UIDs of a study, series or instance. Names as `Hong^Gildong` or `Hong, Gildong`, in capitals or not, with accents or
    without, Korean with a space or without; `*` and `?` within a word stand for what may vary."""
    patient_id: Text | None = None
    """Exactly, or with the wildcards `*` and `?`."""
    patient_name: Text | None = None
    """Parts of the name in any of its groups (alphabetic, ideographic, phonetic), in capitals or not, with accents or
    without, as `Hong^Gildong` or `Hong, Gildong`. With `*` or `?`: the whole of one group, as in DICOM."""
    modality: Text | None = None
    """Studies with a series of this modality, or of any of several divided by commas, in capitals or not: `CT,PT`."""
    study_date_from: Day | None = None
    """The first day, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day, included."""
    study_description: Text | None = None
    """A part of the description, in capitals or not, with accents or without, or the whole with the wildcards `*` and
    `?`."""
    accession_number: Text | None = None
    """Exactly, or with the wildcards `*` and `?`."""
    label: Text | None = None
    """A label that the study has, exactly."""
    study_instance_uid: Text | None = None
    """Exactly, or with the wildcards `*` and `?`."""
    issues: bool = False
    """Only those with an object that could not be read in every part."""

    def filter(self) -> StudyFilter:
        """What is asked for, without order and page."""
        return StudyFilter(
            text=self.q,
            patient_id=self.patient_id,
            patient_name=self.patient_name,
            modalities=modalities_of(self.modality),
            study_date_from=self.study_date_from,
            study_date_to=self.study_date_to,
            study_description=self.study_description,
            accession_number=self.accession_number,
            label=self.label,
            study_instance_uid=self.study_instance_uid,
            issues=self.issues,
        )
