"""Addresses at which Orthanc itself reads an object for a browser, and of which objects. Pure.

Orthanc dies of reading an object whose sequences are nested too deep (see `treegarth.dicom.depth`), so every such
address is made here, by someone who knows the object's depth; a test looks that it stands nowhere else. The objects'
files, their metadata and what Orthanc's database knows may be asked for of every object.
"""

from __future__ import annotations

from treegarth.web.site import Site
from treegarth.web.viewer import FIRST_SERIES


def picture_address(site: Site, orthanc_instance_id: str, nesting_depth: int | None, *, pixels: int) -> str | None:
    """A picture of the object, as high and as wide; None where Orthanc must not be asked for it."""
    if nesting_depth is not None:
        return None
    return site.orthanc_url(f"/instances/{orthanc_instance_id}/rendered", width=pixels, height=pixels)


def tags_address(site: Site, orthanc_instance_id: str, nesting_depth: int | None) -> str | None:
    """The object's attributes as Orthanc lists them; None where it must not be asked for them."""
    return None if nesting_depth is not None else site.orthanc_url(f"/instances/{orthanc_instance_id}/simplified-tags")


def explorer_address(site: Site, orthanc_instance_id: str, nesting_depth: int | None) -> str | None:
    """The object's own page in Orthanc Explorer, which lists its attributes; None where Orthanc must not be asked for
    them. Explorer 2 has no pages of single objects, so it is always the first one."""
    return (
        None
        if nesting_depth is not None
        else site.orthanc_url("/app/explorer.html") + f"#instance?uuid={orthanc_instance_id}"
    )


def viewer_address(
    site: Site, study_instance_uid: str, *, is_shown: bool, series_instance_uid: str | None = None
) -> str | None:
    """OHIF with a study, opened on this series. It asks Orthanc's DICOMweb for all that the study and its patient have;
    None where something of that must not be asked for."""
    given = {"StudyInstanceUIDs": study_instance_uid, FIRST_SERIES: series_instance_uid}
    return site.url("web.ohif", path="viewer", **given) if is_shown else None
