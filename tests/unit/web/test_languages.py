"""Which language a request gets, and what is said in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.web.web_support import make_site, web_folder
from treegarth.access.actors import Permission
from treegarth.web.routes import Navigation, Route
from treegarth.web.templates import render_page

CATALOG = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

msgid "Studies of %(name)s"
msgstr "%(name)s의 검사"

msgid "%(num)s study"
msgid_plural "%(num)s studies"
msgstr[0] "검사 %(num)s건"

msgid "Studies"
msgstr "검사"

msgid "is not known here. Known: %(known)s."
msgstr "여기에 없는 이름입니다. 있는 이름: %(known)s."
"""
PAGE = (
    "{{ _('Studies of %(name)s', name='<Kim>') }}|{{ ngettext('%(num)s study', '%(num)s studies', 2) }}|"
    "{{ navigation[0].label }}|{{ 1234.5|number }}|{{ now|instant }}|{{ now|ago }}|{{ ''|or_dash }}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    web_folder(tmp_path, page=PAGE, odd="{{ nothing_of_this_name }}")
    (tmp_path / "locales/ko/LC_MESSAGES/treegarth.po").write_text(CATALOG, encoding="utf-8")
    return tmp_path


def page(name: str) -> Route:
    return Route(
        name=name,
        path=f"/treegarth/{name}",
        permission=Permission.SIGNED_IN,
        handler=lambda call: render_page(call, f"{name}.html"),
        summary="A page.",
        navigation=Navigation(label="Studies", icon="studies", order=1, key="s"),
    )


def test_a_page_speaks_the_language_that_is_asked_for(folder: Path) -> None:
    client = make_site(folder, [page("page")]).test_client()
    english = "Studies of &lt;Kim&gt;|2 studies|Studies|1,234.5|2026-11-20 14:05:09 KST|1 second ago|–"
    korean = "&lt;Kim&gt;의 검사|검사 2건|검사|1,234.5|2026-11-20 14:05:09 KST|1초 전|–"
    assert client.get("/treegarth/page").text.split("|")[:3] == english.split("|")[:3]
    assert client.get("/treegarth/page?lang=ko").text.split("|")[:5] == korean.split("|")[:5]
    assert client.get("/treegarth/page").text.startswith("&lt;Kim&gt;의 검사"), "the choice is remembered"


@pytest.mark.parametrize(
    ("header", "first"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "&lt;Kim&gt;의"),
        ("en-GB,en;q=0.9", "Studies"),
        ("fr,ko;q=0.5", "&lt;Kim&gt;의"),
        ("fr", "Studies"),
        ("", "Studies"),
        ("*", "Studies"),
        (";;;q=x", "Studies"),
    ],
)
def test_without_a_choice_the_browsers_language_counts(folder: Path, header: str, first: str) -> None:
    client = make_site(folder, [page("page")]).test_client()
    assert client.get("/treegarth/page", headers={"Accept-Language": header}).text.startswith(first)


def test_a_name_that_a_template_does_not_know_is_an_error(folder: Path) -> None:
    assert make_site(folder, [page("odd")]).test_client().get("/treegarth/odd").status_code == 500


def test_what_is_wrong_with_a_request_is_said_in_the_readers_language_on_a_page(folder: Path) -> None:
    (folder / "templates/error.html").write_text("{{ problem.errors[0].field }} {{ problem.errors[0].detail }}")
    client = make_site(folder, [page("page")]).test_client()
    assert client.get("/treegarth/page?x=1&lang=ko").text == "x 여기에 없는 이름입니다. 있는 이름: –."
    assert client.get("/treegarth/page?x=1&lang=en").text == "x is not known here. Known: –."
