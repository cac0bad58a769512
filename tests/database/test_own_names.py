"""What a site calls something is never translated, also where a message of ours reads the same: on every page, in every
choice of every form and filter. A language is made for it that translates whatever holds the site's word."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from babel.support import Translations
from flask.testing import FlaskClient
from sqlalchemy import Engine, Table, text, update

from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, note
from tests.edited_kinds import KINDS
from tests.full_lists import fill_lists
from tests.lists import address, lists_of
from tests.places import HERE
from tests.unit.web.web_support import NOW, make_services
from treegarth.access.roles import BUILT_IN
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.database.metadata import metadata
from treegarth.features.dose.registry.service import read_waiting
from treegarth.web import app
from treegarth.web.languages import Language, read_languages
from treegarth.web.paths import BASE_PATH

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
KOREAN = read_languages(ROOT / "web" / "locales")["ko"]
OWN = "Sitesword"
SAID = "번역되었음"
MOST_PAGES = 200
COLUMNS = (
    "name",
    "study_description",
    "series_description",
    "requested_procedure_description",
    "manufacturer",
    "manufacturer_model_name",
    "station_name",
    "institution_name",
    "patient_name",
    "assignee",
    "asked_by",
    "set_by",
    "sent_by",
    "file_name",
    "reason",
    "title",
)
"""Of whatever table: what people and devices write."""


class Knowing(Translations):
    """A language in which the site's word is a message."""

    def ugettext(self, message: str) -> str:
        return SAID if OWN in message else super().ugettext(message)  # type: ignore[no-any-return]

    gettext = ugettext


class Messages(frozenset[str]):
    def __contains__(self, message: object) -> bool:
        return OWN in str(message) or super().__contains__(message)


def with_own_word(folder: Path) -> dict[str, Language]:
    languages = read_languages(folder)
    translations = Knowing.__new__(Knowing)
    translations.__dict__.update(languages["ko"].translations.__dict__)
    korean = replace(languages["ko"], translations=translations, messages=Messages(languages["ko"].messages))
    return {**languages, "ko": korean}


@pytest.fixture
def client(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr(app, "read_languages", with_own_word)
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def untranslated(client: FlaskClient, path: str) -> str | None:
    """The page, where it is one; it must not translate the site's word."""
    answer = client.get(path, headers={"Accept-Language": "ko"})
    if answer.mimetype != "text/html":
        return None
    assert answer.status_code < 500, (path, answer.text[:300])
    places = [answer.text[max(0, one.start() - 200) : one.end() + 50] for one in re.finditer(SAID, answer.text)]
    assert places == [], path
    left = [one for one in re.findall(r"<option[^>]*>([^<]+)</option>", answer.text) if is_left_over(unescape(one))]
    assert left == [], path
    return answer.text


def is_left_over(words: str) -> bool:
    """Whether a message of ours stands there as it is written in English: no name of a role, which is a site's own."""
    return OWN not in words and words not in BUILT_IN and KOREAN.gettext(words) != words


def test_the_language_of_these_tests_translates_the_word(client: FlaskClient) -> None:
    environment = client.application.extensions["treegarth"].environments["ko"]
    assert environment.from_string("{{ _(word) }}").render(word=f"a {OWN}") == SAID
    assert environment.from_string("{{ _('Median') }}").render() == "중앙값"


def test_no_page_of_documents_translates_what_a_site_calls_them(client: FlaskClient, engine: Engine) -> None:
    written = ct_dose_report(ct_acquisition("1.2.1.7"), study_instance_uid="1.2.1")
    for attribute in ("StudyDescription", "Manufacturer", "ManufacturerModelName", "StationName", "InstitutionName"):
        setattr(written, attribute, OWN)
    note(engine, Instance("r1", "1.2.1.1", study_instance_uid="1.2.1"))
    read_waiting(engine, Archive(r1=as_file(written)), limit=10, clock=lambda: NOW)
    more: dict[str, dict[str, Any]] = {
        "dose/standard-names": {"rules": [{"study_description": OWN}]},
        "dose/levels": {
            "place": OWN,
            "rows": [{"modality": "CT", "quantity": "dose_rp_gy", "standard_name": OWN, "level": 1.0}],
        },
        "dose/charts": {"standard_name": OWN},
        "dose/alert-levels": {"modality": "CT", "standard_name": OWN},
    }
    for kind in sorted(KINDS, key=lambda one: one.path != "dose/standard-names"):
        document = {**kind.document, **more.get(kind.path, {}), "name": OWN}
        answer = client.post(f"{API}/{kind.path}", json={"document": document})
        assert answer.status_code == 201, (kind.path, answer.text)
    waiting = [one.path for one in house(HERE).routes() if one.is_html and "{" not in one.path]
    seen: set[str] = set()
    showing, choosing = 0, 0
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        page = untranslated(client, path)
        if page is not None and OWN in page:
            showing += 1
            choosing += re.search(f"<option[^>]*>[^<]*{OWN}", page) is not None
            links = [unescape(one) for one in re.findall(r'href="(/treegarth/[^"#]+)', page)]
            waiting += [one for one in links if not re.search("[?&](lang|theme)=", one)]
    assert showing > 40
    assert choosing > 10


def test_no_list_translates_what_a_site_or_a_device_wrote(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        fill_lists(connection, 60)
        found = connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
                " USING (table_schema, table_name) WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
                " AND data_type = 'text' AND is_generated = 'NEVER' AND column_name = ANY(:names)"
                " AND table_name !~ '^(procrastinate|alembic|series_ssde)'"
            ),
            {"names": list(COLUMNS)},
        )
        for table, column in found.all():
            of = Table(table, metadata)
            connection.execute(update(of).values({column: OWN + of.c[column]}))
    paths = [f"{BASE_PATH}/{address(one.path)}" for one in lists_of(house(HERE))]
    shown = [path for path in paths if OWN in (untranslated(client, path) or "")]
    assert len(shown) > 15
