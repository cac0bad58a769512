"""What stands in an address for a DICOM object: one model for each kind."""

from __future__ import annotations

from treegarth.web.routes import Parameters, Text


class StudyPath(Parameters):
    study_instance_uid: Text
    """(0020,000D)"""


class SeriesPath(StudyPath):
    series_instance_uid: Text
    """(0020,000E)"""


class InstancePath(SeriesPath):
    sop_instance_uid: Text
    """(0008,0018)"""


class OrthancStudyPath(Parameters):
    orthanc_study_id: Text
    """Orthanc's own identifier of the study."""


class OrthancInstancePath(Parameters):
    orthanc_instance_id: Text
    """The object's identifier in Orthanc."""
