"""Static files: our own and those of other packages prepared at install. Serves nothing outside its folders."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from flask import Response, send_file
from werkzeug.security import safe_join

from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.paths import BASE_PATH
from treegarth.web.routes import Parameters, Route, Text

FOR_GOOD = "private, max-age=31536000, immutable"  # the address has the file's hash
ASK_EACH_TIME = "private, no-cache"  # the browser keeps it, and asks by ETag whether it is still right
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".map": "application/json",
    ".html": "text/html",
    ".webmanifest": "application/manifest+json",
}


class FilePath(Parameters):
    path: Text
    """The file's path inside its folder."""


def file_routes(web_directory: Path) -> list[Route]:
    """The routes of the folders of files under `web/`; the viewer's have a module of their own."""

    def static(call: Call[None, None, FilePath]) -> Response:
        return send(call, web_directory / "static", call.path.path)

    def vendor(call: Call[None, None, FilePath]) -> Response:
        return send(call, web_directory / "vendor", call.path.path)

    return [
        file_route("web.static", f"{BASE_PATH}/static/{{path:path}}", static, "A file of the dashboard."),
        file_route(
            "web.vendor", f"{BASE_PATH}/vendor/{{path:path}}", vendor, "A file of a package the dashboard uses."
        ),
    ]


def file_route(name: str, path: str, handler: Any, summary: str, headers: dict[str, str] | None = None) -> Route:
    """A route that answers files by their path inside a folder."""
    return route(
        name=name,
        path=path,
        permission=Permission.PUBLIC,
        handler=handler,
        summary=summary,
        tag="files",
        any_query=True,
        media_type="application/octet-stream",  # each file has its own
        headers=headers or {},
    )


def send(call: AnyCall, folder: Path, name: str) -> Response:
    """A file of the folder, with ETag and the right media type. Raises NotFound."""
    path = _file_in(folder, name)
    if path is None:
        raise NotFound(N_("There is no such file."))
    media_type = MEDIA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    response = send_file(path, mimetype=media_type or "application/octet-stream", conditional=False, etag=True)
    response.headers["Cache-Control"] = FOR_GOOD if "v" in call.http.args else ASK_EACH_TIME
    response.headers.pop("Content-Disposition", None)
    # Whole files only: Orthanc's older plugins cannot answer 206 with bytes.
    response.make_conditional(call.http.environ, accept_ranges=False)
    return response


def _file_in(folder: Path, name: str) -> Path | None:
    joined = safe_join(str(folder), name)
    try:
        path = Path(joined).resolve() if joined else None
        return path if path is not None and path.is_relative_to(folder.resolve()) and path.is_file() else None
    except OSError:  # a name that is too long for a file
        return None


def send_text(call: AnyCall, text: str, media_type: str) -> Response:
    """A file that was filled in for this server, with an ETag of what it became."""
    response = Response(text, mimetype=media_type)
    response.headers["Cache-Control"] = ASK_EACH_TIME
    response.add_etag()
    response.make_conditional(call.http.environ)
    return response
