"""OHIF runs under any path after the preparation, or the installation stops with a sentence."""

from __future__ import annotations

import io
import json
import re
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from treegarth.web import viewer

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
BASE = viewer.BASE


@pytest.fixture(scope="module")
def prepare_ohif() -> ModuleType:
    """The module beside the pages: it is part of the installation, not of the package."""
    sys.path.insert(0, str(WEB))
    try:
        import prepare_ohif
    finally:
        sys.path.remove(str(WEB))
    module: ModuleType = prepare_ohif
    return module


@pytest.fixture
def dist(tmp_path: Path, prepare_ohif: ModuleType) -> Path:
    """A folder in which each text that is replaced stands as often as in the real package."""
    folder = tmp_path / "dist"
    texts: dict[str, str] = {}
    for replacement in prepare_ohif.REPLACEMENTS:
        name = replacement.files.replace("*", "x")
        texts[name] = texts.get(name, "") + f"{replacement.old}\n" * replacement.times
    # the script tag of the service worker holds one more absolute path, but goes away before the others are counted
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in prepare_ohif.LEFT_OUT:
        (folder / name).write_text("not wanted", encoding="utf-8")
    return folder


def test_no_absolute_path_is_left_but_that_which_the_server_fills_in(dist: Path, prepare_ohif: ModuleType) -> None:
    assert prepare_ohif.BASE == viewer.BASE
    prepare_ohif.leave_out(dist)
    prepare_ohif.free_of_root(dist)
    for file in dist.rglob("*.*"):
        text = file.read_text(encoding="utf-8")
        kept = "treegarth/ohif/|%2C|\\*" if file.name == viewer.PAGE else "%2C|\\*"
        assert [line for line in text.splitlines() if re.search(rf"""["'(]/(?!{kept})""", line)] == []
        assert "https://" not in text


def test_an_upgrade_with_other_paths_stops_the_installation(dist: Path, prepare_ohif: ModuleType) -> None:
    page = dist / "manifest.json"
    page.write_text(page.read_text(encoding="utf-8") + '"/assets/', encoding="utf-8")
    prepare_ohif.leave_out(dist)
    with pytest.raises(prepare_ohif.PreparationFailed, match=r"10 times in manifest\.json, not 9"):
        prepare_ohif.free_of_root(dist)


def test_a_file_that_is_not_there_any_more_stops_the_installation(dist: Path, prepare_ohif: ModuleType) -> None:
    (dist / "sw.js").unlink()
    with pytest.raises(prepare_ohif.PreparationFailed, match=r"has no sw\.js"):
        prepare_ohif.leave_out(dist)


def test_a_wrong_or_missing_download_is_refused(tmp_path: Path, prepare_ohif: ModuleType) -> None:
    tarball = tmp_path / prepare_ohif.TARBALL
    with pytest.raises(prepare_ohif.PreparationFailed, match="did not deliver"):
        prepare_ohif.check_integrity(tarball)
    tarball.write_bytes(b"something else")
    with pytest.raises(prepare_ohif.PreparationFailed, match="has the checksum sha512-"):
        prepare_ohif.check_integrity(tarball)


def test_a_package_becomes_a_folder(dist: Path, tmp_path: Path, prepare_ohif: ModuleType) -> None:
    tarball = tmp_path / "ohif.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(dist, "package/dist")
        licence = tarfile.TarInfo("package/LICENSE")
        licence.size = 3
        archive.addfile(licence, io.BytesIO(b"MIT"))
    prepare_ohif.prepare(tarball, tmp_path / "vendor" / "ohif")
    prepared = tmp_path / "vendor" / "ohif"
    assert (prepared / "LICENSE").read_text(encoding="utf-8") == "MIT"
    assert [name for name in prepare_ohif.LEFT_OUT if (prepared / name).exists()] == []
    assert [path.name for path in prepared.parent.iterdir()] == ["ohif"]


def test_the_prepared_page_loads_nothing_from_elsewhere() -> None:
    page = (WEB / "vendor" / "ohif" / "index.html").read_text(encoding="utf-8")
    addresses = re.findall(r"""(?:src|href|content)="((?:/|https?:)[^"]*)""", page)
    assert addresses
    assert [address for address in addresses if not address.startswith(BASE)] == []
    assert "service-worker" not in page


def test_each_file_that_the_prepared_page_names_exists() -> None:
    folder = WEB / "vendor" / "ohif"
    page = (folder / "index.html").read_text(encoding="utf-8")
    named = re.findall(rf'(?:src|rel="stylesheet" href|href)="{BASE}([^"]*\.(?:js|css|json))"', page)
    assert {"app-config.js", "app.bundle.css"} <= set(named)
    wanted = [name for name in named if not name.startswith("assets/") and name != viewer.CONFIGURATION]
    assert [name for name in wanted if not (folder / name).is_file()] == []


def test_the_lock_file_pins_content_and_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []
