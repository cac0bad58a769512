"""How a request says which study it means: by its UID, and by Orthanc's identifier where patients share that."""

from __future__ import annotations

from pydantic import model_validator

from treegarth.phrases import N_
from treegarth.web.routes import Parameters, Text


class WhichStudy(Parameters):
    """Which of several studies of one Study Instance UID."""

    orthanc_study_id: Text | None = None
    """Where several patients have a study with this UID: Orthanc's identifier of the one that is meant."""


class StudyPageQuery(WhichStudy):
    """What the page of one study is asked for: which study, and how the tables in the parts that features lend it are
    shown. One order for all tables that have such a column."""

    sort: Text | None = None
    """By which column the tables of events are sorted; with a minus the other way round."""
    all_rows: bool | None = None
    """Whether long tables show all of their rows."""


class OfStudy(WhichStudy):
    """What a list is restricted to."""

    study_instance_uid: Text | None = None
    """Of this study."""

    @model_validator(mode="after")
    def _names_a_study_of_a_uid(self) -> OfStudy:
        if self.orthanc_study_id and not self.study_instance_uid:
            raise ValueError(N_("orthanc_study_id says which study of a study_instance_uid: give that, too."))
        return self


class OfStudies(OfStudy):
    """The same, or to the studies that are found by words."""

    study: Text | None = None
    """Of studies that have each of these words in the patient's name or ID, the accession number or the description, or
    that have this UID."""
