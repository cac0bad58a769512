"""Where the pages of exams are. Addresses only."""

from __future__ import annotations

from treegarth.web.call import AnyCall


def dose_page_of(call: AnyCall, study_instance_uid: str, orthanc_study_id: str | None) -> str:
    """The page of one study's dose; where others have the same UID, Orthanc's identifier says which one is meant."""
    return call.site.url("dose.study_page", study_instance_uid=study_instance_uid, orthanc_study_id=orthanc_study_id)
