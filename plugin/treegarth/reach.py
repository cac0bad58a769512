"""How this Orthanc is reached: `PublicUrl`, and where Orthanc's configuration put what pages lead to. Pure.

A proxy has Orthanc's root under the path of `PublicUrl` and takes that path away before it asks Orthanc. So addresses
that a browser gets begin with it, and addresses that a request brings do not. Headers by which a proxy tells of itself
(`Forwarded`, `X-Forwarded-...`) are not believed: Orthanc does not tell its plugins who sent them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Paths begin with a slash and end without one. Those of Orthanc's own services are below its root."""

    public_url: str | None = None  # https://pacs.example.org/pacs, where people reach Orthanc's root
    allowed_origins: frozenset[str] = frozenset()  # further sites whose pages may change something here
    dicom_web: str | None = "/dicom-web"  # None: switched off
    wado: str | None = "/wado"
    explorer_2: str = "/ui"

    @property
    def prefix(self) -> str:
        """The path under which browsers have Orthanc's root; empty where that is the root of its host."""
        return urlsplit(self.public_url or "").path

    @property
    def is_secure(self) -> bool:
        return (self.public_url or "").startswith("https://")

    @property
    def origins(self) -> frozenset[str]:
        """Whose pages may change something, beside pages that came from the host that the request names."""
        own = origin_of(self.public_url or "")
        return self.allowed_origins | ({own} if own else frozenset())

    def path(self, path: str) -> str:
        """A path below Orthanc's root, as a browser asks for it."""
        return self.prefix + path

    def url(self, path: str) -> str | None:
        """The whole address of a path below Orthanc's root, for mails; None where `PublicUrl` is not set."""
        return self.public_url + path if self.public_url else None


def reach_of(public_url: str | None, allowed_origins: Collection[str], orthanc: Mapping[str, Any]) -> Reach:
    """By two settings and the whole configuration of Orthanc, read as its plugins read it."""
    dicom_web, explorer_2 = _section(orthanc, "DicomWeb"), _section(orthanc, "OrthancExplorer2")
    is_served = dicom_web.get("Enable", True) is not False
    has_wado = is_served and dicom_web.get("EnableWado", True) is not False
    return Reach(
        public_url=public_url,
        allowed_origins=frozenset(allowed_origins),
        dicom_web=_root(dicom_web, "Root", "/dicom-web/") if is_served else None,
        wado=_root(dicom_web, "WadoRoot", "/wado/") if has_wado else None,
        explorer_2=_root(explorer_2, "Root", "/ui/"),
    )


def origin_of(url: str) -> str | None:
    """`https://host` or `https://host:port`, in small letters and without the usual port; None where there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _USUAL_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{port}" if port not in (None, _USUAL_PORTS[parts.scheme]) else "")


def checked_public_url(value: str) -> str:
    """`https://pacs.example.org/pacs`, without a slash at its end. Raises ValueError with what would be right."""
    origin = origin_of(value)
    path = urlsplit(value).path.rstrip("/") if origin else ""
    if origin is None or not re.fullmatch(r"https?://[^/@?#\s]+(/[^?#]*)?", value, re.IGNORECASE):
        raise ValueError("must be like https://pacs.example.org/pacs, without user, query and fragment")
    if not re.fullmatch(r"(/(?!\.\.?(/|$))[\w.~-]+)*", path, re.ASCII):
        raise ValueError("must have nothing but letters, digits and - . _ ~ between the slashes of its path")
    if path.endswith("/treegarth"):
        raise ValueError("must lead to Orthanc's root: leave /treegarth away")
    return origin + path


def checked_origin(value: str) -> str:
    """`https://portal.example.org`. Raises ValueError with what would be right."""
    origin = origin_of(value)
    if origin is None or not re.fullmatch(r"https?://[^/@?#\s]+/?", value, re.IGNORECASE):
        raise ValueError("each must be like https://portal.example.org: scheme, host and port, no path")
    return origin


def host_of(url: str) -> str:
    """The host's name in small letters, without a dot at the end; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _section(configuration: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = configuration.get(name)
    return found if isinstance(found, Mapping) else {}


def _root(section: Mapping[str, Any], key: str, default: str) -> str:
    """Orthanc's plugins take these with and without slashes at their ends."""
    return "/" + str(section.get(key, default)).strip("/")
