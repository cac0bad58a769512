"""The OHIF viewer: its prepared files. Two of them say where this server is, and are filled in as they are served.

The others find each other from wherever they are, so that one preparation serves every `PublicUrl`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from flask import Response

from treegarth.access.actors import Permission
from treegarth.audit.model import What
from treegarth.errors import NotFound
from treegarth.phrases import N_
from treegarth.reach import Reach
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.files import FilePath, file_route, send, send_text
from treegarth.web.paths import BASE_PATH
from treegarth.web.routes import Route

BASE = f"{BASE_PATH}/ohif/"
"""Where the viewer is, and what the prepared page has in front of each address (web/prepare_ohif.py)."""
PAGE = "index.html"
CONFIGURATION = "app-config.js"
PLACE_OF_REACH = "REACH_OF_THIS_SERVER"
"""What stands in the configuration (web/ohif/app-config.js) until it is served."""
FIRST_SERIES = "initialSeriesInstanceUID"
CHOSEN_ALREADY = frozenset({FIRST_SERIES.lower(), "initialsopinstanceuid", "seriesinstanceuids"})
"""Arguments of an address that says itself what is shown first. OHIF reads them in small and capital letters."""
OWN_FILES = ("local", "localbasic")
"""Places inside the viewer that show files of the reader's own disk, without a study of this server."""
MOST_OPENED = 10
"""Studies of one link to the viewer that are noted as opened."""
WORDS = {
    "back": N_("Back to the study"),
    "report": N_("A structured report"),
    "readReport": N_("Read it as a tree"),
}
"""What our part of OHIF's pages says."""
HEADERS = {
    # OHIF compiles WebAssembly, starts workers from blobs and styles elements by script. A PDF is an object whose data
    # are a blob; Chromium shows it in a frame, and asks for that as well.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' "
    "blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self' data: blob:; object-src blob:; frame-src blob:; base-uri 'self'; "
    "frame-ancestors 'self'",
}


InsteadOfViewer: TypeAlias = Callable[[AnyCall, Sequence[str]], Response | None]
"""What is answered in the viewer's place when it is opened with these studies, or with none."""
FirstSeries: TypeAlias = Callable[[AnyCall, Sequence[str]], str | None]
"""The Series Instance UID of what is to be shown first of these studies; None leaves it to OHIF."""


def viewer_routes(
    web_directory: Path,
    opened_in_viewer: Callable[[str], None] = lambda uid: None,
    instead_of_viewer: InsteadOfViewer = lambda call, uids: None,
    first_series: FirstSeries = lambda call, uids: None,
) -> list[Route]:
    """`opened_in_viewer` is told the Study Instance UID of each study that is opened."""
    files = web_directory / "vendor" / "ohif"

    def file(call: Call[None, None, FilePath]) -> Response:
        name = call.path.path
        call.noted.is_let_go = True  # a file of the application
        if name == CONFIGURATION:
            words = call.site.languages[call.language].gettext
            text = configuration(web_directory / "ohif", call.services.reach, words)
            return send_text(call, text, "text/javascript")
        if name != PAGE:
            try:
                return send(call, files, name)
            except NotFound:
                if Path(name).suffix:
                    raise
        return page(call, name)  # of a place inside the application

    def start(call: Call[None, None, None]) -> Response:
        return page(call, "viewer")

    def page(call: AnyCall, place: str) -> Response:
        uids = studies_asked_for(call)
        call.noted.is_let_go = not uids or not call.actor.may(Permission.SEE_STUDIES)
        if place not in OWN_FILES and (other := instead_of_viewer(call, uids)) is not None:
            return other
        if not CHOSEN_ALREADY & {key.lower() for key in call.http.args} and (first := first_series(call, uids)):
            asked = call.http.query_string.decode("ascii", errors="replace")
            address = f"{call.site.url('web.ohif', path=place)}?{asked}&{FIRST_SERIES}={first}"
            return Response(status=302, headers={"Location": address})
        for uid in uids[:MOST_OPENED]:
            opened_in_viewer(uid)
        if not (files / PAGE).is_file():
            raise NotFound(N_("The viewer is not installed. Run the installation again; it says what is missing."))
        _check_dicomweb(call)
        prepared = (files / PAGE).read_text(encoding="utf-8")
        return send_text(call, prepared.replace(BASE, call.services.reach.path(BASE)), "text/html")

    return [
        replace(file_route("web.ohif", f"{BASE}{{path:path}}", file, "The OHIF viewer.", HEADERS), audit=What.IMAGES),
        route(
            name="web.ohif_start",
            path=BASE,
            permission=Permission.SEE_STUDIES,
            handler=start,
            audit=What.IMAGES,
            summary="The OHIF viewer.",
            tag="files",
            any_query=True,
            headers=HEADERS,
        ),
    ]


def studies_asked_for(call: AnyCall) -> list[str]:
    """The Study Instance UIDs of an address as OHIF reads them: in any letters, several divided by commas."""
    given = [value for key, value in call.http.args.items(multi=True) if key.lower() == "studyinstanceuids"]
    return [uid for value in given for uid in value.split(",") if uid]


def configuration(folder: Path, reach: Reach, gettext: Callable[[str], str] = lambda message: message) -> str:
    """OHIF's configuration for this server and reader. Raises ValueError where the file has no place for it."""
    text = (folder / CONFIGURATION).read_text(encoding="utf-8")
    if text.count(PLACE_OF_REACH) != 1:
        raise ValueError(f"{CONFIGURATION} has {PLACE_OF_REACH} {text.count(PLACE_OF_REACH)} times, not once")
    here = {
        "base": reach.path(BASE),
        "dicomWeb": reach.path(reach.dicom_web or ""),
        "wado": reach.path(reach.wado) if reach.wado else None,
        "treegarth": reach.path(BASE_PATH),
        "words": {name: gettext(sentence) for name, sentence in WORDS.items()},
    }
    return text.replace(PLACE_OF_REACH, json.dumps(here))


def _check_dicomweb(call: AnyCall) -> None:
    """Raises NotFound where no image can come; where Orthanc does not say, the viewer tries."""
    services = call.services
    if services.reach.dicom_web is None:
        raise NotFound(
            N_(
                "The viewer gets its images by Orthanc's DICOMweb, which is switched off. "
                'Set "DicomWeb": {"Enable": true}.'
            )
        )
    if services.orthanc.has_plugin("dicom-web") is False:
        raise NotFound(
            N_("The viewer gets its images by Orthanc's DICOMweb, and this Orthanc runs without that plugin.")
        )
