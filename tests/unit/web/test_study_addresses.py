"""Wherever a study is linked to: a UID that patients share would lead to another one's study, or to a question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "web" / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "plugin" / "treegarth").rglob("*.py"))
BY_UID = "'audit.events_page'"
"""A list of what was done with a UID, whosever it is: the trail keeps no other name of a study."""
ADDRESS = re.compile(r"(?:route_url|site\.url|redirect_to)\(")


def calls(text: str) -> Iterator[tuple[int, str]]:
    """Each call that makes an address, with the parentheses in it, and where it begins."""
    for found in ADDRESS.finditer(text):
        depth = 0
        for at in range(found.end() - 1, len(text)):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            if depth == 0:
                yield found.start(), text[found.start() : at + 1]
                break


@pytest.mark.parametrize("path", [*TEMPLATES, *MODULES], ids=lambda path: path.name)
def test_an_address_of_a_study_says_which_one_where_patients_share_its_uid(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for at, call in calls(text):
        if "study_instance_uid=" in call and "orthanc_study_id=" not in call and BY_UID not in call:
            form = text[at : text.find("</form>", at)]  # what a POST means stands in its body
            assert 'method="post"' in text[max(0, at - 60) : at], f"{path.name}: {call}"
            assert 'name="orthanc_study_id"' in form, f"{path.name}: {call}"


def test_there_are_addresses_of_studies_to_look_at() -> None:
    found = [call for path in TEMPLATES for _, call in calls(path.read_text(encoding="utf-8"))]
    assert sum("study_instance_uid=" in call for call in found) > 15
