"""No page and no call asks Orthanc to read an object but by `web/orthanc_views.py`, which knows the object's depth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.web.web_support import make_site, web_folder
from treegarth.web.orthanc_views import picture_address, tags_address, viewer_address

ROOT = Path(__file__).resolve().parents[3]
DOOR = ROOT / "plugin/treegarth/web/orthanc_views.py"
RESOURCE = re.compile(r"""["'=](/(?:patients|studies|series|instances)/\{[^"'?]*)""")
# Orthanc answers these of an object with 3,000 levels: from its database, or the file as it is.
ANSWERED_OF_ANY_OBJECT = {"", "archive", "attachments", "file", "labels", "metadata", "series", "study", "instances"}
READ_BY_ORTHANC = re.compile(
    r"/dicom-web|/wado|/ohif/viewer|/app/explorer\.html#instance|/rendered|simplified-tags|[\"']web\.ohif[\"']"
)
# The viewer's own configuration, what serves it, where DICOMweb is, and what stands for its address in a form.
ELSEWHERE = {
    "web/ohif/app-config.js",
    "plugin/treegarth/web/viewer.py",
    "plugin/treegarth/reach.py",
    "plugin/treegarth/access/gate.py",  # which names what it lets through
    "plugin/treegarth/features/deliveries/addresses.py",
}


def sources() -> Iterator[tuple[str, str]]:
    for folder, pattern in (
        ("plugin/treegarth", "**/*.py"),
        ("web/templates", "**/*.*"),
        ("web/static", "*.js"),
        ("web/ohif", "*.js"),
    ):
        for path in sorted((ROOT / folder).glob(pattern)):
            if path != DOOR:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_what_is_asked_of_a_resource_is_known_to_be_harmless() -> None:
    asked = {}
    for name, text in sources():
        for address in RESOURCE.findall(text):
            part = re.sub(r"^/\w+/\{+[^}]*\}+/?", "", address).split("/")[0]
            asked.setdefault(part, name)
    assert asked.keys() - {""} <= ANSWERED_OF_ANY_OBJECT, asked
    assert "file" in asked  # else nothing was found at all


def test_no_other_place_names_an_address_at_which_orthanc_reads_objects() -> None:
    found = {name for name, text in sources() if READ_BY_ORTHANC.search(text)}
    assert found - ELSEWHERE == set()


def test_there_is_no_address_of_what_is_nested_too_deep(tmp_path: Path) -> None:
    site = make_site(web_folder(tmp_path), []).extensions["treegarth"]
    assert picture_address(site, "abc", None, pixels=9) == "/instances/abc/rendered?width=9&height=9"
    assert picture_address(site, "abc", 33, pixels=9) is None
    assert tags_address(site, "abc", None) == "/instances/abc/simplified-tags"
    assert tags_address(site, "abc", 33) is None
    assert viewer_address(site, "1.2", is_shown=True) == "/treegarth/ohif/viewer?StudyInstanceUIDs=1.2"
    assert viewer_address(site, "1.2", is_shown=False) is None
