"""Let the prebuilt OHIF viewer run under any path. Works on files only; no network, standard library only.

OHIF ships built for the root of a site. Its absolute paths are few and known: each is replaced, and counted, so that an
upgrade that changes them stops the installation with a sentence instead of showing an empty page later. Scripts and
styles then find each other from wherever they are; the page says BASE, which the server replaces by where it is reached
(treegarth/web/viewer.py), as it does in our configuration.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

VERSION = "3.12.10"
PACKAGE = f"@ohif/app@{VERSION}"
TARBALL = f"ohif-app-{VERSION}.tgz"
INTEGRITY = "sha512-0kuF66Mq9c9dMD++bUsTjMrJpXJwaZhz9B4uS244DawAjSkTwIYFU93pxPuRUQixaRi7QAHlF3Fe1qudBlZrmA=="
BASE = "/treegarth/ohif/"
OWN_FOLDER = 'new URL(".", globalThis.document?.currentScript?.src ?? globalThis.location.href).pathname'
"""Of a script or of a worker, as it begins to run."""


class PreparationFailed(Exception):
    """The browser packages are not as expected."""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """A text that stands exactly `times` times in the files that match `files`."""

    files: str
    old: str
    new: str
    times: int


REPLACEMENTS = (
    # where webpack looks for further bundles, in the application and in each web worker
    Replacement(files="*.js", old='__webpack_require__.p = "/"', new=f"__webpack_require__.p = {OWN_FOLDER}", times=7),
    Replacement(
        files="app.bundle.*.js",
        old="browserImportFunction('/dicom-microscopy-viewer/",
        new="browserImportFunction(__webpack_require__.p + 'dicom-microscopy-viewer/",
        times=1,
    ),
    Replacement(files="*.css", old="url(/", new="url(", times=5),
    Replacement(files="index.html", old="window.PUBLIC_URL = '/'", new=f"window.PUBLIC_URL = '{BASE}'", times=2),
    # It unregisters every service worker of the site, also those of other pages.
    Replacement(
        files="index.html",
        old='<script rel="preload" as="script" type="module" src="/init-service-worker.js"></script>',
        new="",
        times=1,
    ),
    Replacement(files="index.html", old='="/', new=f'="{BASE}', times=32),
    Replacement(files="manifest.json", old='"/assets/', new='"assets/', times=9),
    Replacement(files="assets/browserconfig.xml", old='"/assets/', new='"', times=4),
    # Orthanc 1.10.1 with DICOMweb 1.7 does not decode an escaped comma, and logs an error for each list of fields.
    Replacement(
        files="*.js",
        old='queryString += "".concat(key, "=").concat(encodeURIComponent(params[key]))',
        new='queryString += "".concat(key, "=").concat(encodeURIComponent(params[key]).replace(/%2C/g, ","))',
        times=1,
    ),
    # Models of an experimental tool, fetched from outside: a hospital's browser asks nobody but this server.
    Replacement(files="*.js", old="https://huggingface.co/schmuell/sam-b-fp16/", new="models/", times=6),
    # An object without an address would be this page, for which the policy of the page has no word.
    Replacement(
        files="*.js",
        old='/*#__PURE__*/react.createElement("object", {',
        new='url && /*#__PURE__*/react.createElement("object", {',
        times=1,
    ),
    # Names as the dashboard writes them, Korean first (web/ohif/app-config.js).
    Replacement(
        files="app.bundle.*.js",
        old="function formatPN(name) {",
        new="function formatPN(name) { return window.config.treegarth.personName(name);",
        times=1,
    ),
    # Dates in ISO form, in each of its languages.
    Replacement(files="app.bundle.*.js", old='"localDateFormat":', new='"notUsed":', times=5),
    Replacement(
        files="app.bundle.*.js",
        old="'Common:localDateFormat', 'DD-MMM-YYYY'",
        new="'Common:localDateFormat', 'YYYY-MM-DD'",
        times=1,
    ),
    Replacement(
        files="app.bundle.*.js",
        old="'Common:localDateFormat', 'MMM D, YYYY'",
        new="'Common:localDateFormat', 'YYYY-MM-DD'",
        times=1,
    ),
    # Structured reports of every class, not only the four that it knows: those of dose were an error.
    Replacement(
        files="*.js",
        old="const sopClassUids = [sopClassDictionary.BasicTextSR,",
        new="const sopClassUids = [...window.config.treegarth.reportClasses, sopClassDictionary.BasicTextSR,",
        times=1,
    ),
    # What it does not show of these is read as a tree in the dashboard (web/ohif/app-config.js).
    Replacement(
        files="*.js",
        old="react.createElement(OHIFCornerstoneSRContainer, {\n    container: instance\n  })",
        new="window.config.treegarth.readableReport(react, instance)",
        times=1,
    ),
)

LEFT_OUT = (
    "app-config.js",  # ours is web/ohif/app-config.js
    "_headers",  # for hosts of static sites
    "_redirects",
    "serve.json",
    "google.js",  # an example configuration
    "init-service-worker.js",  # see above
    "sw.js",  # the service worker itself: keeps old versions and loads code from outside
    "silent-refresh.html",  # for OpenID Connect inside the viewer: Orthanc does the login
    "es6-shim.min.js",
    "oidc-client.min.js",
    "polyfill.min.js",
    "ort",  # 140 MB for the experimental tool above
)


def check_integrity(tarball: Path) -> None:
    """Raise PreparationFailed unless the file is the pinned one."""
    if not tarball.is_file():
        raise PreparationFailed(f"npm did not deliver {tarball.name}.")
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    if (found := "sha512-" + base64.b64encode(digest).decode()) != INTEGRITY:
        raise PreparationFailed(f"{tarball.name} has the checksum {found}, not the pinned {INTEGRITY}; it was removed.")


def prepare(tarball: Path, target: Path) -> None:
    """Unpack the viewer into `target`, free of the root's path and of its own configuration.

    Raises PreparationFailed where the package is not as expected.
    """
    unpacked = target.with_name(target.name + "-package")
    with tarfile.open(tarball) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # absent in Debian 12's Python 3.11.2
        archive.extractall(unpacked)  # its checksum was compared: it is the pinned package
    leave_out(unpacked / "package" / "dist")
    free_of_root(unpacked / "package" / "dist")
    (unpacked / "package" / "dist").rename(target)
    (unpacked / "package" / "LICENSE").rename(target / "LICENSE")
    shutil.rmtree(unpacked)


def leave_out(dist: Path) -> None:
    for name in LEFT_OUT:
        path = dist / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
        else:
            raise PreparationFailed(f"OHIF {VERSION} has no {name}; check what took its place.")
    for source_map in dist.rglob("*.map"):
        source_map.unlink()


def free_of_root(dist: Path, replacements: tuple[Replacement, ...] = REPLACEMENTS) -> None:
    """Replace every absolute path. Raises PreparationFailed where one stands more or less often than expected."""
    for replacement in replacements:
        times = sum(_replace_in(file, replacement) for file in sorted(dist.glob(replacement.files)))
        if times != replacement.times:
            raise PreparationFailed(
                f"OHIF {VERSION} has {replacement.old!r} {times} times in {replacement.files}, not "
                f"{replacement.times}; check web/prepare_ohif.py against this version."
            )


def _replace_in(file: Path, replacement: Replacement) -> int:
    text = file.read_bytes()
    times = text.count(replacement.old.encode())
    if times:
        file.write_bytes(text.replace(replacement.old.encode(), replacement.new.encode()))
    return times
