"""The list of keys names every key of the script and every place of the navigation, and so does docs/pages.md."""

from __future__ import annotations

import re
from pathlib import Path

from treegarth.assembly import house
from treegarth.settings import Settings
from treegarth.web.documentation import documentation_routes

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = (ROOT / "web/static/treegarth.js").read_text(encoding="utf-8")
LIST = re.search(r"macro keys\(\).*?endmacro", (ROOT / "web/templates/macros.html").read_text("utf-8"), re.DOTALL)


def keys_of_the_script() -> set[str]:
    found = re.search(r"const acts = \{(.*?)\n  \};", SCRIPT, re.DOTALL)
    assert found
    return set(re.findall(r"^    \"?([^\s\"]+?)\"?: \(\) =>", found[1], re.MULTILINE)) | {"Esc"}  # onKey asks it first


def places() -> dict[str, str]:
    """Every place of the navigation, by the key that follows g."""
    table = [*house(Settings()).routes(), *documentation_routes()]
    return {one.navigation.key: one.navigation.label for one in table if one.navigation is not None}


def test_every_key_is_listed() -> None:
    assert LIST
    listed = set(re.findall(r"<kbd>([^<]+)</kbd>", LIST[0]))
    assert listed - {"{{ entry.key }}"} == keys_of_the_script()


def test_the_list_and_the_script_take_the_places_from_the_navigation() -> None:
    assert LIST
    assert "for entry in navigation" in LIST[0]
    assert "link.dataset.key === event.key" in SCRIPT
    assert len(places()) > 7


def test_the_document_names_the_same_places() -> None:
    text = (ROOT / "docs/pages.md").read_text(encoding="utf-8")
    found = re.search(r"`g` and then `([^`]+)`", text)
    assert found
    assert set(found[1].split()) == set(places())
