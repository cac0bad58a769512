"""What each of Orthanc's own addresses needs: the one table of them. Pure.

Orthanc asks its filter before any handler, with the path as its handlers see it (escapes undone, slashes made one), the
method and, of a GET, the last of each argument; never the body. What this table does not know is for administrators:
what another plugin serves, what names its object in a body, what is written in a way that no program of ours writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from treegarth.access.actors import Permission

HttpMethod: TypeAlias = Literal["GET", "POST", "PUT", "DELETE"]
METHODS: Mapping[int, HttpMethod] = {1: "GET", 2: "POST", 3: "PUT", 4: "DELETE"}
"""As Orthanc's plugins number them."""

_REMEMBERED = 4096
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{8}){4}"
_UID = r"[0-9]+(?:\.[0-9]+)*"
_NAME = r"[\w.:~-]+"
_WADO_ARGUMENTS = frozenset(
    {
        "requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset", "anonymize", "annotation",
        "rows", "columns", "region", "windowCenter", "windowWidth", "frameNumber", "imageQuality", "presentationUID",
        "presentationSeriesUID", "transferSyntax",
    }
)  # fmt: skip
"""PS3.18, Annex on URI Service (WADO-URI), 9.1.2: the query parameters."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Addresses of one kind. The whole of the path fits the pattern."""

    method: HttpMethod
    path: str
    needs: Permission
    why: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self.path, re.ASCII)


def _get(path: str, needs: Permission, why: str = "") -> Family:
    return Family(method="GET", path=path, needs=needs, why=why)


_LEVEL = "(?:patients|studies|series|instances)"
_PARTS = "|".join(
    (
        "patients?", "study", "studies", "series", "instances", "module", "module-patient", "shared-tags", "statistics",
        "instances-tags", "metadata", f"metadata/{_NAME}", "attachments", f"attachments/{_NAME}",
        f"attachments/{_NAME}/(?:info|is-compressed|md5|size|compressed-md5|compressed-size)", "labels",
        f"labels/{_NAME}", "ordered-slices", "protected", "tags", "simplified-tags", "header",
        "content(?:/.*)?", "pdf", "preview",
        "rendered", "image-(?:u?int8|u?int16)", "frames", "frames/[0-9]+",
        "frames/[0-9]+/(?:preview|rendered|image-(?:u?int8|u?int16)|raw|raw\\.gz|matlab|numpy)", "matlab", "numpy",
    )
)  # fmt: skip
FAMILIES: tuple[Family, ...] = (
    # What holds nothing of a patient: Orthanc's explorers, whose script leads to the sign-in, and what all of them ask.
    _get("/|/favicon\\.ico|/app(?:/.*)?|/plugins/explorer\\.js", Permission.PUBLIC, "Explorer 1: pages without data"),
    _get("/ui(?:/.*)?", Permission.SIGNED_IN, "Explorer 2: pages without data"),
    _get("/system|/tools/(?:now|now-local|generate-uid|dicom-conformance)", Permission.SIGNED_IN),
    _get("/statistics|/changes|/exports", Permission.SEE_STUDIES),
    # Orthanc's own four levels.
    _get(f"/{_LEVEL}", Permission.SEE_STUDIES),
    _get(f"/{_LEVEL}/{_ID}(?:/(?:{_PARTS}))?", Permission.SEE_STUDIES),
    _get(
        f"/{_LEVEL}/{_ID}/(?:file|archive|media|attachments/{_NAME}/(?:compressed-)?data)",
        Permission.DOWNLOAD,
        "whole objects",
    ),
    _get(
        "/jobs/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/archive",
        Permission.DOWNLOAD,
        "what a long work of ours has gathered, to which it leads",
    ),
    Family(method="POST", path="/instances", needs=Permission.UPLOAD),
    Family(method="PUT", path=f"/studies/{_ID}/labels/{_NAME}", needs=Permission.ANNOTATE),
    Family(method="DELETE", path=f"/studies/{_ID}/labels/{_NAME}", needs=Permission.ANNOTATE),
    Family(method="DELETE", path=f"/{_LEVEL}/{_ID}", needs=Permission.ERASE),
)
"""Without what `dicom_web_families` has, whose root a site sets."""


def dicom_web_families(dicom_web: str | None, wado: str | None) -> tuple[Family, ...]:
    """PS3.18: Search (10.6), Retrieve (10.4), Store (10.5), and WADO-URI (9.4), below these roots."""
    found: list[Family] = []
    if dicom_web is not None:
        root = re.escape(dicom_web)
        study = f"{root}/studies/{_UID}"
        series, of_study = f"{study}/series/{_UID}", f"(?:/series/{_UID}(?:/instances/{_UID})?)?"
        instance = f"{series}/instances/{_UID}"
        found += [
            _get(f"{root}/(?:studies|series|instances)", Permission.SEE_STUDIES, "search"),
            _get(f"{study}/(?:series|instances)|{series}/instances", Permission.SEE_STUDIES, "search"),
            _get(f"{study}{of_study}/(?:metadata|rendered|thumbnail)", Permission.SEE_STUDIES),
            _get(f"{instance}/frames/[0-9,]+(?:/(?:rendered|thumbnail))?", Permission.SEE_STUDIES),
            _get(f"{instance}/bulk/.+|{study}/bulk/.+", Permission.SEE_STUDIES),
            _get(f"{study}{of_study}", Permission.DOWNLOAD, "whole objects"),
            _get(f"{root}/info", Permission.SIGNED_IN),
            Family(method="POST", path=f"{root}/studies(?:/{_UID})?", needs=Permission.UPLOAD),
        ]
    if wado is not None:
        found.append(_get(re.escape(wado), Permission.SEE_STUDIES))
    return tuple(found)


class Gate:
    """What is needed for Orthanc's addresses at a site. `own_paths` are ours: each endpoint there says it itself."""

    def __init__(self, dicom_web: str | None, wado: str | None, own_paths: tuple[str, ...]) -> None:
        self._wado = wado
        self._own = tuple(f"{one}/" for one in own_paths)
        self._patterns = [
            (one.method, one.pattern, one.needs) for one in (*FAMILIES, *dicom_web_families(dicom_web, wado))
        ]
        self._known = lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def is_own(self, path: str) -> bool:
        """Whether Treegarth itself answers there, and asks for what it needs."""
        return f"{path}/".startswith(self._own)

    def needs(self, method: HttpMethod | None, path: str, arguments: Mapping[str, str]) -> Permission:
        """What a request needs. Administering, where it is not understood."""
        bare = path.rstrip("/") or "/"
        if method is None or "//" in path or bare != (path if path == "/" else path.removesuffix("/")):
            return Permission.ADMINISTER
        if bare == self._wado and method == "GET":
            return _wado_needs(arguments)
        return self._known(method, bare)

    def _look_up(self, method: HttpMethod, path: str) -> Permission:
        if "/../" in f"{path}/" or "/./" in f"{path}/":
            return Permission.ADMINISTER
        fitting = (
            needs for of_method, pattern, needs in self._patterns if of_method == method and pattern.fullmatch(path)
        )
        return next(fitting, Permission.ADMINISTER)


def _wado_needs(arguments: Mapping[str, str]) -> Permission:
    """A picture, or the object itself; arguments that the standard does not know are not understood."""
    named = {"studyUID", "seriesUID", "objectUID"} & arguments.keys()
    is_known = arguments.keys() <= _WADO_ARGUMENTS and len(named) == 3
    if not is_known or not all(re.fullmatch(_UID, arguments[one]) for one in named):
        return Permission.ADMINISTER
    is_picture = arguments.get("contentType", "image/jpeg").startswith("image/")
    return Permission.SEE_STUDIES if is_picture else Permission.DOWNLOAD
