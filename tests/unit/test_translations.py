"""Every message of the pages has a translation in every language, with its placeholders; none is left over."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from treegarth.web.problems import STATUSES

ROOT = Path(__file__).resolve().parents[2]
CODE = ROOT / "plugin" / "treegarth"
CATALOGS = sorted((ROOT / "web" / "locales").glob("*/LC_MESSAGES/treegarth.po"))
FUNCTIONS = {
    "_": None,
    "N_": None,
    "NN_": (1, 2),
    "gettext": None,
    "P_": None,  # treegarth.phrases
    "ngettext": (1, 2),
    "ngettext_for": (2, 3),  # treegarth.web.parts
}
Message = str | tuple[str, ...]
ONE_WORD = {
    "머리 ": "두부",  # the head phantom of 16 cm
    "몸통": "체부",  # the body phantom of 32 cm
    "작업자": "작업 프로세스",  # workers
    "아카이브": "보관소",
    "조사의 합": "이벤트 합계",
    "조사 합계": "이벤트 합계",
}
"""Korean words that would be the second for one thing, and the one that says it everywhere."""


def messages_of_the_code() -> dict[Message, str]:
    """Each message of templates and code with the place where it stands."""
    found: dict[Message, str] = {}
    for folder, method in ((ROOT / "web" / "templates", "jinja2"), (CODE, "python")):
        extracted = extract_from_dir(
            folder,
            method_map=[("**.html", "jinja2"), ("**.py", "python")],
            options_map={"**.html": {"trimmed": "false", "silent": "false"}},
            keywords=FUNCTIONS,
        )
        for name, line, message, _comments, _context in extracted:
            found.setdefault(message, f"{name}:{line} ({method})")
    for kind in STATUSES:  # an error's docstring is its message, and a page may show it
        found.setdefault((kind.__doc__ or "").strip(), f"{kind.__module__}.{kind.__name__}")
    return found


def calls_in(path: Path) -> list[Message]:
    """The messages of a module by Python's own grammar: of each call of an extraction function, texts written there."""
    found: list[Message] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and name in FUNCTIONS:
            places = FUNCTIONS[name] or (1,)
            given = [node.args[place - 1] for place in places if place <= len(node.args)]
            texts = tuple(one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))
            if len(texts) == len(places):
                found.append(texts if len(texts) > 1 else texts[0])
    return found


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def catalog_of(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parents[1].name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_extraction_function_has_a_name_that_no_variable_has(name: str) -> None:
    """Babel works on tokens: it takes `counted[0]` for a call of `counted`, and loses messages that follow."""
    assert "_" in name or name.endswith("gettext")


def test_the_extraction_finds_the_messages_that_python_finds() -> None:
    found = extract_from_dir(CODE, method_map=[("**.py", "python")], keywords=FUNCTIONS)
    extracted = Counter((name, message) for name, _line, message, _comments, _context in found)
    called = Counter(
        (str(path.relative_to(CODE)), message) for path in CODE.rglob("*.py") for message in calls_in(path)
    )
    assert sorted((called - extracted).elements(), key=repr) == []
    assert sorted((extracted - called).elements(), key=repr) == []


@pytest.mark.parametrize("other", ONE_WORD)
def test_one_thing_has_one_korean_word(other: str) -> None:
    (korean,) = [path for path in CATALOGS if path.parents[1].name == "ko"]
    said = [str(message.string) for message in catalog_of(korean) if message.id]
    assert [one for one in said if other in one] == []
    assert [one for one in said if ONE_WORD[other] in one] != []


def test_there_is_a_korean_catalog() -> None:
    assert [path.parents[1].name for path in CATALOGS] == ["ko"]


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parents[1].name)
def test_every_message_is_translated(path: Path) -> None:
    catalog = catalog_of(path)
    missing = []
    for message, place in messages_of_the_code().items():
        entry = catalog.get(message if isinstance(message, str) else message[0])
        if (
            entry is None
            or not entry.string
            or entry.fuzzy
            or (isinstance(entry.string, tuple) and not all(entry.string))
        ):
            missing.append(f"{place}: {message!r}")
    assert missing == []


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parents[1].name)
def test_every_translation_has_the_placeholders_of_its_message(path: Path) -> None:
    for entry in catalog_of(path):
        if not entry.id:
            continue
        source = entry.id if isinstance(entry.id, str) else entry.id[-1]
        texts = [entry.string] if isinstance(entry.string, str) else entry.string
        for text in texts:
            assert placeholders(text) == placeholders(source), f"{entry.id!r} → {text!r}"


@pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.parents[1].name)
def test_no_translation_is_left_over(path: Path) -> None:
    used = {message if isinstance(message, str) else message[0] for message in messages_of_the_code()}
    ids = (entry.id if isinstance(entry.id, str) else entry.id[0] for entry in catalog_of(path) if entry.id)
    assert sorted(set(ids) - used) == []
