"""Each template lies in the folder of the feature whose page it is, and can be read in an editor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "web" / "templates"
FEATURES = ROOT / "plugin" / "treegarth" / "features"
TEMPLATES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file())
LONGEST_LINE = 160


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_line_is_too_long_to_read(name: str) -> None:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, start=1) if len(line) > LONGEST_LINE] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_lies_at_the_top_or_in_the_folder_of_a_feature_or_a_floor(name: str) -> None:
    match Path(name).parts:
        case (_,):
            pass
        case (feature, _):
            assert any((place / feature / "__init__.py").is_file() for place in (FEATURES, FEATURES.parent))
        case _:
            pytest.fail("a folder within the folder of a feature")


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_form_is_multipart(name: str) -> None:
    """Orthanc keeps multipart/form-data to itself, and answers nothing."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert re.findall(r"multipart|enctype|hx-encoding", text) == []
    assert re.findall(r"<input(?=[^>]*type=\"file\")[^>]* name=[^>]*>", text) == []


@pytest.mark.parametrize("name", ["rule_form.js", "treegarth.js", "charts.js"])
def test_no_script_sends_multipart(name: str) -> None:
    text = (FOLDER.parent / "static" / name).read_text(encoding="utf-8")
    assert re.findall(r"new FormData|multipart/form-data\"|encoding", text) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_explains_a_column_that_a_narrow_page_leaves_out_is_left_out_with_it(name: str) -> None:
    """In a line beneath the table, which is as wide."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for explained in re.finditer(r"95 %% interval: ", text):
        before = text[: explained.start()]
        assert before.endswith('<span class="c-1">{{ _("'), name
    for used in re.finditer(r"interval_explained\(\)(?! -%)", text):
        opened = text[: used.start()].rpartition("<p ")[2]
        assert opened.startswith('class="foot-note beneath"'), name
