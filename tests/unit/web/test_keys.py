"""The list of keys names every key that the script knows, in every language, and docs/pages.md too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = (ROOT / "web/static/treegarth.js").read_text(encoding="utf-8")
LIST = re.search(r"macro keys\(\).*?endmacro", (ROOT / "web/templates/macros.html").read_text("utf-8"), re.DOTALL)


def keys_of_the_script() -> set[str]:
    found = re.search(r"const acts = \{(.*?)\n  \};", SCRIPT, re.DOTALL)
    assert found
    return set(re.findall(r"^    \"?([^\s\"]+?)\"?: \(\) =>", found[1], re.MULTILINE)) | {"Esc"}  # onKey asks it first


def places_of_the_script() -> set[str]:
    found = re.search(r"const places = \{(.*?)\}", SCRIPT)
    assert found
    return set(re.findall(r"(\w): ", found[1]))


def test_every_key_is_listed() -> None:
    assert LIST
    listed = set(re.findall(r"<kbd>([^<]+)</kbd>", LIST[0]))
    assert listed - {"t"} == keys_of_the_script()  # t follows g


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_place_is_listed(language: str) -> None:
    assert LIST
    sentence = next(one for one in re.findall(r'_\("([^"]+)"\)', LIST[0]) if "g s" in one)
    if language != "en":
        with (ROOT / f"web/locales/{language}/LC_MESSAGES/treegarth.po").open("rb") as file:
            sentence = str(read_po(file)[sentence].string)
    assert {"t", *re.findall(r"\bg (\w)\b", sentence)} == places_of_the_script()


def test_the_document_names_the_same_places() -> None:
    text = (ROOT / "docs/pages.md").read_text(encoding="utf-8")
    found = re.search(r"`g` and then `([^`]+)`", text)
    assert found
    assert set(found[1].split()) == places_of_the_script()
