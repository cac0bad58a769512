"""What each of Orthanc's addresses needs, and that no way of writing one needs less."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treegarth.access.actors import Permission
from treegarth.access.gate import FAMILIES, METHODS, Gate, HttpMethod, dicom_web_families

ID = "66c8e41e-ac3a9029-0b85e42a-8195ee0a-92c2e62e"
GATE = Gate("/dicom-web", "/wado", ("/treegarth", "/pacs/treegarth"))
STUDY, SERIES, INSTANCE = "1.2.3", "1.2.3.4", "1.2.3.4.5"
OBJECT = f"/dicom-web/studies/{STUDY}/series/{SERIES}/instances/{INSTANCE}"
WADO = {"requestType": "WADO", "studyUID": STUDY, "seriesUID": SERIES, "objectUID": INSTANCE}

NEEDED: list[tuple[HttpMethod, str, Permission]] = [
    ("GET", "/", Permission.PUBLIC),
    ("GET", "/app/explorer.html", Permission.PUBLIC),
    ("GET", "/plugins/explorer.js", Permission.PUBLIC),
    ("GET", "/ui/app/index.html", Permission.SIGNED_IN),
    ("GET", "/system", Permission.SIGNED_IN),
    ("GET", "/changes", Permission.SEE_STUDIES),
    ("GET", "/studies", Permission.SEE_STUDIES),
    ("GET", "/studies/", Permission.SEE_STUDIES),
    ("GET", f"/series/{ID}", Permission.SEE_STUDIES),
    ("GET", f"/instances/{ID}/content/0008-1140/0/0008-1155", Permission.SEE_STUDIES),
    ("GET", f"/instances/{ID}/frames/0/preview", Permission.SEE_STUDIES),
    ("GET", f"/instances/{ID}/file", Permission.DOWNLOAD),
    ("GET", f"/instances/{ID}/attachments/dicom/data", Permission.DOWNLOAD),
    ("GET", f"/studies/{ID}/archive", Permission.DOWNLOAD),
    ("POST", "/instances", Permission.UPLOAD),
    ("PUT", f"/studies/{ID}/labels/seen", Permission.ANNOTATE),
    ("DELETE", f"/patients/{ID}", Permission.ERASE),
    ("GET", "/dicom-web/studies", Permission.SEE_STUDIES),
    ("GET", f"/dicom-web/studies/{STUDY}/series", Permission.SEE_STUDIES),
    ("GET", f"{OBJECT}/frames/1", Permission.SEE_STUDIES),
    ("GET", f"/dicom-web/studies/{STUDY}/metadata", Permission.SEE_STUDIES),
    ("GET", f"/dicom-web/studies/{STUDY}", Permission.DOWNLOAD),
    ("GET", OBJECT, Permission.DOWNLOAD),
    ("POST", "/dicom-web/studies", Permission.UPLOAD),
    ("POST", f"/dicom-web/studies/{STUDY}", Permission.UPLOAD),
]


@pytest.mark.parametrize(("method", "path", "needs"), NEEDED)
def test_what_programs_ask_for_needs_what_it_shows_or_does(method: HttpMethod, path: str, needs: Permission) -> None:
    assert GATE.needs(method, path, {}) is needs


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tools/find"),
        ("POST", "/tools/lookup"),
        ("POST", "/tools/create-archive"),
        ("POST", "/tools/bulk-delete"),
        ("POST", "/tools/execute-script"),
        ("POST", "/modalities/x/store"),
        ("POST", "/modalities/x/move"),
        ("POST", "/peers/x/store"),
        ("POST", f"/studies/{ID}/merge"),
        ("POST", f"/studies/{ID}/anonymize"),
        ("POST", "/dicom-web/servers/x/stow"),
        ("GET", "/dicom-web/servers"),
        ("GET", "/webdav"),
        ("PUT", "/webdav/uploads/a.dcm"),
        ("GET", "/plugins"),
        ("GET", "/plugins/python"),
        ("GET", "/peers"),
        ("POST", "/transfers/push"),
        ("GET", "/jobs"),
        ("GET", "/a/route/of/a/script"),
        ("GET", "/STUDIES"),
        ("GET", f"/studies/{ID}x"),
        ("GET", f"/studies/{ID}/file/../archive"),
        ("GET", f"/studies/{ID}/metadata/.."),
        ("GET", f"/app/../studies/{ID}/archive"),
        ("GET", f"/ui/./../studies/{ID}/archive"),
        ("GET", "//studies"),
        ("GET", "/studies//"),
        ("GET", f"/studies/{ID};x=1"),
        ("GET", f"/studies/{ID}\n"),
        ("GET", f"/instances/{ID}/frames/٣/preview"),
        ("PUT", f"/studies/{ID}"),
        ("DELETE", "/studies"),
        ("DELETE", "/changes"),
    ],
)
def test_what_is_not_understood_or_names_its_object_in_a_body_is_for_administrators(
    method: HttpMethod, path: str
) -> None:
    assert GATE.needs(method, path, {}) is Permission.ADMINISTER


@pytest.mark.parametrize(
    ("arguments", "needs"),
    [
        (WADO, Permission.SEE_STUDIES),
        (WADO | {"contentType": "image/png", "rows": "64"}, Permission.SEE_STUDIES),
        (WADO | {"contentType": "application/dicom"}, Permission.DOWNLOAD),
        (WADO | {"contentType": "application/dicom", "transferSyntax": "*"}, Permission.DOWNLOAD),
        ({"objectUID": INSTANCE}, Permission.ADMINISTER),
        (WADO | {"objectUID": ""}, Permission.ADMINISTER),
        (WADO | {"studyUID": "1.2,1.3"}, Permission.ADMINISTER),
        (WADO | {"studyUID": "1.2\\1.3"}, Permission.ADMINISTER),
        (WADO | {"0020000D": "1.9"}, Permission.ADMINISTER),
        (WADO | {"StudyUID": "1.9"}, Permission.ADMINISTER),
    ],
)
def test_wado_by_uri_is_understood_in_one_spelling(arguments: dict[str, str], needs: Permission) -> None:
    assert GATE.needs("GET", "/wado", arguments) is needs
    assert GATE.needs("POST", "/wado", arguments) is Permission.ADMINISTER


def test_another_method_is_for_administrators() -> None:
    assert GATE.needs(None, "/studies", {}) is Permission.ADMINISTER


def test_addresses_of_ours_are_ours_and_nothing_that_begins_alike() -> None:
    for path in ("/treegarth", "/treegarth/", "/treegarth/studies", "/pacs/treegarth/api/v1/health"):
        assert GATE.is_own(path)
    for path in ("/treegarthen", "/pacs", "/studies", "/", "/treegarth-x/"):
        assert not GATE.is_own(path)


def test_the_roots_of_dicomweb_are_as_a_site_sets_them_and_may_be_away() -> None:
    other = Gate("/web", None, ("/treegarth",))
    assert other.needs("GET", "/web/studies", {}) is Permission.SEE_STUDIES
    for path in ("/dicom-web/studies", "/wado"):
        assert other.needs("GET", path, WADO) is Permission.ADMINISTER
    assert Gate(None, None, ()).needs("GET", "/web/studies", {}) is Permission.ADMINISTER


_PIECES = st.sampled_from(
    ["studies", "series", "instances", "patients", ID, "file", "archive", "metadata", "tools", "find", "app", "..", ".",
     "", "dicom-web", STUDY, "frames", "1", "wado", "labels", "x", "%2e%2e", "bulk", "ui", "content", "a b"]
)  # fmt: skip


@given(st.sampled_from([*METHODS.values()]), st.lists(_PIECES, max_size=8))
def test_no_address_needs_less_than_what_it_leads_to(method: HttpMethod, pieces: list[str]) -> None:
    """Whatever dots and slashes a path has: what lies below a level, or changes something, is never for everybody."""
    path = "/" + "/".join(pieces)
    needs = GATE.needs(method, path, {})
    if needs in (Permission.PUBLIC, Permission.SIGNED_IN):
        assert method == "GET"
        assert pieces[:1] in ([], [""], ["app"], ["ui"], ["system"], ["tools"], ["dicom-web"])
        assert ".." not in pieces
        assert "." not in pieces
    if method != "GET":
        assert needs in (Permission.UPLOAD, Permission.ANNOTATE, Permission.ERASE, Permission.ADMINISTER)
    if {"file", "archive"} & set(pieces[2:3]) and re.fullmatch(f"/(?:studies|instances)/{ID}/(?:file|archive)", path):
        assert needs in (Permission.DOWNLOAD, Permission.ADMINISTER)


def test_every_family_says_what_it_needs_and_no_two_patterns_fit_one_address() -> None:
    every = (*FAMILIES, *dicom_web_families("/dicom-web", "/wado"))
    for method, path, needs in NEEDED:
        fitting = [one for one in every if one.method == method and one.pattern.fullmatch(path.rstrip("/") or "/")]
        assert [one.needs for one in fitting] == [needs], path
