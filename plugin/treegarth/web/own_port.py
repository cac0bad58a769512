"""Let pages work at Orthanc's own port too, where no proxy takes the path of `PublicUrl` away from their links."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from treegarth.reach import Reach
from treegarth.web.paths import BASE_PATH, UTF8

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_LED_TO = ("/app", "/instances", "/series", "/studies")  # of Orthanc itself, beside what its plugins serve


def own_paths(reach: Reach) -> list[str]:
    """Where the paths begin that the application answers."""
    paths = [BASE_PATH]
    if reach.prefix:
        plugins = (path for path in (reach.dicom_web, reach.wado, reach.explorer_2) if path)
        paths += [reach.path(path) for path in (BASE_PATH, *_LED_TO, *plugins)]
    return paths


def handed_on(reach: Reach) -> list[str]:
    """The patterns of paths that Orthanc is to hand on to the application."""
    first, *others = own_paths(reach)
    patterns = [f"{first}/({UTF8})", first]  # Orthanc strips the slash of /treegarth/
    if others:
        patterns.append(f"(?:{'|'.join(map(re.escape, others))})(?:/{UTF8})?")
    return patterns


class OwnPort:
    """Hands a request under the path of `PublicUrl` on without it, or leads to where Orthanc answers it."""

    def __init__(self, application: WsgiApplication, reach: Reach) -> None:
        self._application = application
        self._prefix = reach.prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if not self._prefix or not path.startswith(f"{self._prefix}/"):
            return self._application(environ, start_response)
        inner = path.removeprefix(self._prefix)
        if inner == BASE_PATH or inner.startswith(f"{BASE_PATH}/"):
            return self._application({**environ, "PATH_INFO": inner}, start_response)
        query = environ.get("QUERY_STRING", "")
        place = "/" + quote(inner.lstrip("/\\"), encoding="latin-1") + (f"?{query}" if query else "")  # no other host
        start_response("307 Temporary Redirect", [("Location", place), ("Content-Type", "text/plain")])
        return [b""]
