"""Static files: our own, those of other packages prepared at install, and OHIF. Serves nothing outside its folders."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Response, send_file
from werkzeug.security import safe_join

from treegarth.errors import NotFound
from treegarth.web.languages import N_
from treegarth.web.routes import BASE_PATH, Call, Parameters, Permission, Route, Text

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
MOST_OPENED = 10
"""Studies of one link to the viewer that are noted as opened."""
OHIF_HEADERS = {
    # OHIF compiles WebAssembly, starts workers from blobs and styles elements by script.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' "
    "blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'; frame-ancestors 'self'",
}


class FilePath(Parameters):
    path: Text
    """The file's path inside its folder."""


def file_routes(web_directory: Path, opened_in_viewer: Callable[[str], None] = lambda uid: None) -> list[Route]:
    """The routes of every folder of files under `web/`."""

    def static(call: Call[Any, Any, FilePath]) -> Response:
        return send(call, web_directory / "static", call.path.path)

    def vendor(call: Call[Any, Any, FilePath]) -> Response:
        return send(call, web_directory / "vendor", call.path.path)

    def viewer(call: Call[Any, Any, FilePath]) -> Response:
        if call.path.path == "viewer":
            for uid in call.http.args.get("StudyInstanceUIDs", "").split(",")[:MOST_OPENED]:
                opened_in_viewer(uid)
        return send_viewer(call, web_directory / "vendor" / "ohif", call.path.path)

    def viewer_start(call: Call[Any, Any, None]) -> Response:
        return send_viewer(call, web_directory / "vendor" / "ohif", "index.html")

    return [
        _route("web.static", f"{BASE_PATH}/static/{{path:path}}", static, "A file of the dashboard."),
        _route("web.vendor", f"{BASE_PATH}/vendor/{{path:path}}", vendor, "A file of a package the dashboard uses."),
        _route("web.ohif", f"{BASE_PATH}/ohif/{{path:path}}", viewer, "The OHIF viewer.", OHIF_HEADERS),
        Route(
            name="web.ohif_start",
            path=f"{BASE_PATH}/ohif/",
            permission=Permission.VIEW,
            handler=viewer_start,
            summary="The OHIF viewer.",
            tag="files",
            any_query=True,
            headers=OHIF_HEADERS,
        ),
    ]


def _route(name: str, path: str, handler: Any, summary: str, headers: dict[str, str] | None = None) -> Route:
    return Route(
        name=name,
        path=path,
        permission=Permission.VIEW,
        handler=handler,
        summary=summary,
        path_parameters=FilePath,
        tag="files",
        any_query=True,
        headers=headers or {},
    )


def send(call: Call[Any, Any, Any], folder: Path, name: str) -> Response:
    """A file of the folder, with ETag and the right media type. Raises NotFound."""
    joined = safe_join(str(folder), name)
    path = Path(joined).resolve() if joined else None
    if path is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise NotFound(N_("There is no such file."))
    media_type = MEDIA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0]
    response = send_file(path, mimetype=media_type or "application/octet-stream", conditional=False, etag=True)
    response.headers["Cache-Control"] = FOR_GOOD if "v" in call.http.args else ASK_EACH_TIME
    response.headers.pop("Content-Disposition", None)
    # Whole files only: Orthanc's older plugins cannot answer 206 with bytes.
    response.make_conditional(call.http.environ, accept_ranges=False)
    return response


def send_viewer(call: Call[Any, Any, Any], folder: Path, name: str) -> Response:
    """A file of OHIF; an address that is a place inside its application gets the application."""
    if not (folder / "index.html").is_file():
        raise NotFound(N_("The viewer is not installed. Run the installation again; it says what is missing."))
    try:
        return send(call, folder, name)
    except NotFound:
        if Path(name).suffix:
            raise
        return send(call, folder, "index.html")
