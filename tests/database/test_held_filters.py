"""What a list is asked for is seen: each filter in words, with a way out, and none is lost when another is set."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy import Engine, text

from tests.full_lists import PLACE, fill_lists
from tests.lists import address, lists_of
from tests.places import HERE
from tests.unit.web.web_support import NOW, make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.web.paths import BASE_PATH

ROOT = Path(__file__).resolve().parents[2]
LISTS = lists_of(house(HERE))
OF_DAYS = [one for one in LISTS if "study_date_from" in one.asked.model_fields]
OF_STUDIES = [one for one in LISTS if one.beside]
CHIP = re.compile(r'<li><a href="([^"]*)"[^>]*>\s*<span class="quiet">([^<]*)</span> ([^<]*)<svg')
TODAY = (NOW + timedelta(hours=9)).date()  # of the site's zone


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def page(client: FlaskClient, path: str, **asked: str) -> str:
    answer = client.get(f"{BASE_PATH}/{address(path)}", query_string=asked)
    assert answer.status_code == 200
    return answer.text


def test_whatever_a_list_can_be_asked_for_it_says() -> None:
    for one in LISTS:
        said = {filter.name for filter in one.filters} | set(one.kept) | set(one.beside)
        assert set(one.asked.model_fields) <= said, one.name


@pytest.mark.parametrize("path", [one.path for one in OF_DAYS])
def test_today_7_days_and_30_days_are_one_click(client: FlaskClient, path: str) -> None:
    shown = page(client, path)
    assert shown.count("data-day") in (2, 4)  # the ledger: of the study, and of when it left
    links = dict(re.findall(r'<a href="([^"]*)"[^>]*>((?:Today|7 days|30 days))</a>', shown))
    offered = {words: url for url, words in links.items()}
    assert list(offered) == ["Today", "7 days", "30 days"]
    held = client.get(offered["7 days"].replace("&amp;", "&")).text
    assert re.findall(r'aria-current="true">(Today|7 days|30 days)<', held) == ["7 days"]
    assert str(TODAY - timedelta(days=6)) in held or "last_7_days" in offered["7 days"]


def test_a_device_is_said_by_its_name_and_stays(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        fill_lists(connection, 60)
        query = "SELECT device_key, manufacturer, manufacturer_model_name, station_name FROM dose_study LIMIT 1"
        key, *names = connection.execute(text(query)).one()
    shown = page(client, "dose", device=key)
    (chip,) = CHIP.findall(shown)
    assert chip[1:] == ("Device", str(escape(" ".join(name for name in names if name))))
    assert f'<input type="hidden" form="filters" name="device" value="{escape(key)}">' in shown
    assert "device=" not in chip[0]


def test_a_device_that_nobody_knows_is_said_as_it_was_asked_for(client: FlaskClient) -> None:
    assert CHIP.findall(page(client, "dose", device="nobody"))[0][1:] == ("Device", "nobody")


def test_which_of_several_studies_is_meant_is_seen_and_stays(client: FlaskClient, engine: Engine) -> None:
    uid = PLACE["study_instance_uid"]
    with engine.begin() as connection:
        fill_lists(connection, 60)
        named = text("SELECT orthanc_study_id FROM study WHERE study_instance_uid = :uid")
        which = str(connection.execute(named, {"uid": uid}).scalars().first())
    for one in OF_STUDIES:
        shown = page(client, one.path, study_instance_uid=uid, orthanc_study_id=which)
        chips = CHIP.findall(shown)
        (which_one,) = [url for url, _, words in chips if words == "one of several with this UID"]
        assert "orthanc_study_id" not in which_one
        assert any("study_instance_uid" not in url and "orthanc_study_id" not in url for url, _, _ in chips), chips
        assert f'<input type="hidden" form="filters" name="orthanc_study_id" value="{which}">' in shown
