"""Wherever a study is shown it is shown by its patient; wherever one is asked for, a patient's name will do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from tests.databases import made_database
from tests.full_lists import fill_lists
from tests.lists import address, lists_of
from tests.places import HERE
from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import DatabaseAddress, create_engine
from treegarth.index.names import OfNamedStudy
from treegarth.web.listing import Listing

WEB = Path(__file__).resolve().parents[2] / "web"
LISTS = [one for one in lists_of(house(HERE)) if one.name not in ("deliveries.deliveries", "deliveries.objects")]
NAMED = [one for one in LISTS if issubclass(one.record, OfNamedStudy)]
BARE_UID = re.compile(r"…?(?:1\.2\.840\.99999\.)?7777\.[0-9]+|[…0-9a-f]*[0-9a-f]{20,}")
"""The Study Instance UIDs of these tests, whole or their ends, and Orthanc's identifiers."""
RULE = {"name": "r", "why": "", "when": "by hand", "if": "Modality = CT", "do": [{"label": "x"}]}
POLICY = "name: old\nwhy: space\nkeep: nothing\nafter: 1 days since received\nproof: none\n"
STUDY = {"study_instance_uid": "1.2.840.99999.7777.9"}


class Texts(HTMLParser):
    """What stands in a page, each text by itself; not what only a screen reader hears, nor what can be copied."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within: list[tuple[str, bool]] = []
        self.feed(page.partition("<main")[2] or page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("input", "br", "img", "meta", "link", "use", "path"):
            return
        classes = (dict(attrs).get("class") or "").split()
        told = tag in ("script", "option", "code") or "visually-hidden" in classes or "id" in classes
        self._within.append((tag, told or any(skipped for _, skipped in self._within[-1:])))

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self._within and self._within[-1][1]):
            self.found.append(data.strip())


def bare_uids(page: str) -> list[str]:
    return [one for one in Texts(page).found if BARE_UID.fullmatch(one)]


@pytest.fixture(scope="module")
def filled(server_address: DatabaseAddress, migrated_template: str) -> Iterator[Engine]:
    """Every list with rows, of studies whose UIDs look like UIDs."""
    for database in made_database(server_address, migrated_template):
        engine = create_engine(database, application_name="test")
        with engine.begin() as connection:
            fill_lists(connection, 70)
            for table in ("rule", "retention_policy"):
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100)"))
            tables = connection.execute(
                text(
                    "SELECT table_name FROM information_schema.columns JOIN information_schema.tables"
                    " USING (table_schema, table_name) WHERE column_name = 'study_instance_uid'"
                    " AND table_schema = current_schema() AND table_type = 'BASE TABLE'"
                )
            ).scalars()
            for table in tables:
                connection.execute(
                    text(
                        f"UPDATE {table} SET study_instance_uid ="  # noqa: S608 - names of our own tables
                        " '1.2.840.99999.7777.' || substr(study_instance_uid, 5) WHERE study_instance_uid LIKE '1.2.%'"
                    )
                )
        yield engine
        engine.dispose()


@pytest.fixture
def client(filled: Engine) -> FlaskClient:
    services = make_services(WEB, settings=HERE, engine=lambda: filled)
    made: FlaskClient = make_application(services).test_client()
    return made


def test_what_is_looked_for_is_found() -> None:
    assert bare_uids("<main><td><a href='x'>1.2.840.99999.7777.5</a></td><td>…7777.5</td></main>") != []
    assert (
        bare_uids("<main><td title='1.2.840.99999.7777.5'>Kim</td><span class='id'>1.2.840.99999.7777.5</span>") == []
    )


@pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)
def test_no_list_shows_a_study_by_its_uid_alone(listing: Listing[Any, Any], client: FlaskClient) -> None:
    place = address(listing.path).replace("1.2.9", STUDY["study_instance_uid"])
    page = client.get(f"/treegarth/{place}?lang=en")
    assert page.status_code == 200
    assert bare_uids(page.text) == []


@pytest.mark.parametrize("listing", NAMED, ids=lambda one: one.name)
def test_page_endpoint_and_file_say_whose_the_studies_are(listing: Listing[Any, Any], client: FlaskClient) -> None:
    rows = client.get(f"/treegarth/api/v1/{address(listing.api_path)}").get_json()["items"]
    assert any(one["patient_id"] and one["study_date"] for one in rows)
    named = next(one for one in rows if one["patient_name"])
    family, _, given = named["patient_name"].partition("^")
    page, file = (client.get(f"/treegarth/{address(listing.path)}{ending}").text for ending in ("?lang=en", ".csv"))
    for text_of in (page, file):
        assert f"{family}, {given}" in text_of
        assert named["patient_id"] in text_of


def test_no_other_page_shows_a_study_by_its_uid_alone(client: FlaskClient, filled: Engine) -> None:
    api = "/treegarth/api/v1"
    assert client.post(f"{api}/rules", json={"document": RULE}).status_code == 201
    assert client.put(f"{api}/retention/policies/text", json={"text": POLICY}).status_code == 200
    rule = client.get(f"{api}/rules").get_json()["items"][-1]["id"]
    policy = client.get(f"{api}/retention/policies").get_json()["items"][-1]["id"]
    alert = client.get(f"{api}/dose/alerts").get_json()["items"][0]["id"]
    uid = STUDY["study_instance_uid"]
    with filled.begin() as connection:
        connection.execute(text("UPDATE rule_outcome SET rule_id = :rule WHERE id < 9"), {"rule": rule})
    for path in (
        *("", "system", "dose/not-patients", "retention/ledger/4", "retention/marked/objects"),
        *(f"rules/{rule}", f"rules/{rule}/try", f"rules/{rule}/explain/{uid}"),
        *(f"retention/policies/{policy}/preview", f"retention/policies/{policy}/explain?study_instance_uid={uid}"),
        *(f"retention/ledger/objects?study_instance_uid={uid}", f"dose/studies/{uid}", f"studies/{uid}"),
        f"dose/alerts/{alert}",
    ):
        page = client.get(f"/treegarth/{path}")
        assert page.status_code == 200, path
        assert bare_uids(page.text) == [], path


def test_a_list_is_filtered_by_a_patients_name(client: FlaskClient) -> None:
    for listing in NAMED:
        if "study" not in listing.asked.model_fields:
            continue
        rows = client.get(f"/treegarth/api/v1/{address(listing.api_path)}").get_json()["items"]
        wanted = next(one for one in rows if one["patient_name"])
        name = wanted["patient_name"].replace("^", " ")
        api = client.get(f"/treegarth/api/v1/{address(listing.api_path)}", query_string={"study": name})
        found = api.get_json()["items"]
        assert found
        assert {one["patient_name"] for one in found} == {wanted["patient_name"]}, listing.name


def test_a_form_offers_what_fits_and_takes_what_is_clear(client: FlaskClient) -> None:
    api = "/treegarth/api/v1/retention/holds"
    hold = {"kind": "legal", "reason": "a court asks"}
    studies = client.get("/treegarth/api/v1/studies?limit=100").get_json()["items"]
    one = next(study for study in studies if study["accession_number"])
    several = client.post("/treegarth/retention/holds", data={**hold, "study": "family"})
    assert 'name="chosen_study"' in several.text
    assert 'id="wrong-study"' in several.text
    assert "a court asks" in several.text  # what was typed stays
    nobody = client.post("/treegarth/retention/holds", data={**hold, "study": "nobody at all"})
    assert "No study of the archive has all of this." in nobody.text
    typed = f"{one['accession_number']} {one['patient_id']}"
    fitting = [each for each in studies if each["accession_number"] == one["accession_number"]]
    chosen = {"chosen_study": one["orthanc_study_id"]} if len(fitting) > 1 else {}
    taken = client.post("/treegarth/retention/holds", data={**hold, "study": typed, **chosen})
    if taken.status_code != 303:  # others have it as a part of theirs: one of them is chosen
        taken = client.post(
            "/treegarth/retention/holds", data={**hold, "study": typed, "chosen_study": one["orthanc_study_id"]}
        )
    assert taken.status_code == 303
    held = client.get(api, query_string={"study_instance_uid": one["study_instance_uid"], "kind": "legal"}).get_json()
    assert "a court asks" in [each["reason"] for each in held["items"]]
    other = client.post("/treegarth/retention/holds", data={**hold, "study": typed, "chosen_study": "another"})
    assert 'id="wrong-study"' in other.text  # never another study than the one that was chosen
    choices = client.get("/treegarth/study-choices", query_string={"study": "family"}).text
    assert choices.count('name="chosen_study"') == 8
    assert "There are more" in choices
    assert "<main" not in choices
