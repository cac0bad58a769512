"""Which Orthanc this is, and which of its plugins Treegarth works with."""

from __future__ import annotations

from treegarth.errors import OrthancRefused, OrthancUnavailable
from treegarth.orthanc.client import OrthancClient

_PLUGINS = ("python", "dicom-web", "orthanc-explorer-2")


def versions_of_orthanc(orthanc: OrthancClient) -> dict[str, str]:
    """Versions by name, of Orthanc and of those plugins that are there; empty where it does not answer in time."""
    try:
        found = {"orthanc": str(orthanc.get("/system", timeout_s=2)["Version"])}
        for plugin in _PLUGINS:
            if orthanc.exists(f"/plugins/{plugin}"):
                name = f"orthanc-{plugin.removeprefix('orthanc-')}"
                found[name] = str(orthanc.get(f"/plugins/{plugin}", timeout_s=2)["Version"])
        return found
    except (OrthancUnavailable, OrthancRefused):
        return {}
