"""Deciding every dose anew, on its page, the system page, as CSV and from the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text, update

from tests.database.test_dose_pages import NOON, write_report
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from tests.works import dose_runner, latest_of
from treegarth.bootstrap import make_application
from treegarth.commands import reread
from treegarth.database.engine import transaction
from treegarth.features.dose.registry.pages.redecision import CHANGES
from treegarth.features.dose.registry.store import redecision
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.features.dose.registry.tables import dose_study
from treegarth.features.dose.registry.works import REDECIDING
from treegarth.work.store import LongWork
from treegarth.work.tables import long_work

ROOT = Path(__file__).resolve().parents[2]
PAGE = "/treegarth/dose/redeciding"
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def in_language(client: FlaskClient, language: str, path: str = PAGE) -> str:
    client.set_cookie("treegarth_language", language, path="/treegarth/")
    return client.get(path).text


def redecide(engine: Engine, at: datetime = NOON) -> None:
    dose_runner(engine, lambda: at).work()


def decided_otherwise_before(engine: Engine) -> None:
    """Three exams, of which another decider thought otherwise of two: one counted, one had another DLP."""
    for number in (1, 2, 3):
        write_report(engine, number, dlp_total_mgy_cm=100.0 * number)
    with transaction(engine) as connection:
        write_study(connection, 1)
        row = update(dose_study)
        connection.execute(row.where(dose_study.c.orthanc_study_id == "study-00001").values(best_dlp_mgy_cm=55.5))
        connection.execute(row.where(dose_study.c.orthanc_study_id == "study-00002").values(replaced_by="study-00003"))


def test_before_the_first_one_the_page_says_what_will_stand_there_and_what_it_would_take(
    client: FlaskClient, engine: Engine
) -> None:
    assert "The doses were never decided anew" in in_language(client, "en")
    assert "The latest run" not in in_language(client, "en")  # there was none
    assert 'id="dose-redeciding-start" disabled' in in_language(client, "en")  # nothing is there to decide
    assert client.get(f"{PAGE}.csv").text.splitlines()[1:] == []
    write_report(engine, 1)
    page = in_language(client, "en")
    assert "1 study: about 1 second." in page
    assert 'id="dose-redeciding-start">' in page
    assert "검사 1건: 약 1초." in in_language(client, "ko")


def test_of_very_many_studies_it_says_about_how_many_there_are(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE pg_class SET reltuples = 1003799 WHERE oid = 'dose_study'::regclass"))
    assert "1,000,000 studies: about 1 hour." in in_language(client, "en")


def test_the_button_starts_one_and_the_page_asks_again_only_while_it_runs(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=100.0)
    for _ in range(2):
        answer = client.post(PAGE, headers=FROM_HERE)
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    for path in (PAGE, "/treegarth/system"):
        page = in_language(client, "en", path)
        assert page.count('<progress max="1" value="0" aria-label="Deciding every dose anew">') == 1
        assert 'id="dose-redeciding-start"' not in page
        assert "someone without a login" in page
        assert "a worker begins within seconds" in page
    assert 'hx-trigger="every 3s"' in in_language(client, "en")
    redecide(engine, datetime.now(UTC))
    page = in_language(client, "en")
    assert 'hx-trigger="every 3s"' not in page
    assert "<progress" not in page
    assert "1 of 1 study" in page
    assert "with another dose or doubt: 0" in page
    assert "No dose has changed" in page


def test_each_dose_that_is_another_one_stands_with_its_study_and_why(client: FlaskClient, engine: Engine) -> None:
    decided_otherwise_before(engine)
    with transaction(engine) as connection:
        connection.execute(update(dose_study).values(decider_version=1))
    redecide(engine)
    page = in_language(client, "en")
    assert "with another dose or doubt: 2" in page
    assert "Began by itself" in page
    assert ">55.5<" in page
    assert ">100<" in page
    assert "the only source; as reported" in page
    assert page.index("does not count</td>") < page.index("counts</td>")
    korean = in_language(client, "ko")
    assert "선량이나 의심이 바뀜: 2" in korean
    assert "보고된 값" in korean
    assert "as reported" not in korean
    lines = client.get(f"{PAGE}.csv").text.lstrip("\ufeff").splitlines()
    whose = "patient_name,patient_name_readable,patient_id,study_date,study_description,found_in"
    assert lines[0] == f"{whose},study_instance_uid,orthanc_study_id,quantity,before,after,why"
    (line,) = [one for one in lines if ",study-00001," in one]
    assert ",1.2.840.99999.1.1,study-00001," in line
    assert line.endswith(",dlp_mgy_cm,55.5,100.0,single; reported")
    changes = "/treegarth/api/v1/dose/redeciding/changes"
    assert client.get(f"{changes}/export/csv").text.splitlines() == lines
    for sort in CHANGES.sorts:
        items = client.get(changes, query_string={"sort": sort}).get_json()["items"]
        assert len(items) == len(lines) - 1, sort


def test_many_changes_are_shown_page_by_page(client: FlaskClient, engine: Engine) -> None:
    for number in range(1, 54):
        write_report(engine, number, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        connection.execute(update(dose_study).values(best_dlp_mgy_cm=2.0))
        start_redeciding(connection, "anna", NOON)
    redecide(engine)
    first = in_language(client, "en")
    (following,) = [part.split('"')[0] for part in first.split('rel="next" href="')[1:]]
    second = client.get(following.replace("&amp;", "&")).text
    assert (first.count("<tr data-row"), second.count("<tr data-row")) == (50, 3)
    assert "anna" in first


def test_no_more_studies_are_decided_than_there_are_though_some_arrive_meanwhile(
    client: FlaskClient, engine: Engine
) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        start_redeciding(connection, None, NOON)
        connection.execute(update(long_work).values(total=1))
    write_report(engine, 2, dlp_total_mgy_cm=1.0)
    write_report(engine, 3, dlp_total_mgy_cm=1.0)
    for done in ((2, 2), (3, 3)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redecision.decide_on, "__kwdefaults__", {"count": 2})
            dose_runner(engine, lambda: NOON).block()
        told = client.get("/treegarth/api/v1/work", query_string={"kind": "dose.redeciding"}).get_json()["items"]
        assert [(one["done"], one["total"]) for one in told] == [done]
    assert latest_of(engine, REDECIDING).state == "done"


def test_studies_that_leave_meanwhile_are_not_missed_at_the_end(engine: Engine) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        start_redeciding(connection, None, NOON)
        connection.execute(update(long_work).values(total=5))
    redecide(engine)
    assert (latest_of(engine, REDECIDING).done, latest_of(engine, REDECIDING).total) == (1, 1)


def test_hours_that_one_waited_are_no_time_of_deciding(client: FlaskClient, engine: Engine) -> None:
    for number in (1, 2, 3):
        write_report(engine, number, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        start_redeciding(connection, None, NOON)
    for hours in (5, 12):  # it gave way, then the server was off over night
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redecision.decide_on, "__kwdefaults__", {"count": 2})
            dose_runner(engine, lambda hours=hours: NOON + timedelta(hours=hours)).block()  # type: ignore[misc]
    pace = latest_of(engine, REDECIDING).per_second
    assert pace is not None
    assert pace > 1.0
    assert "hour" not in in_language(client, "en").split("3 studies: about")[1][:30]


def test_what_is_left_follows_from_the_time_spent(engine: Engine) -> None:
    with transaction(engine) as connection:
        work = start_redeciding(connection, None, NOON)

    def left(**given: object) -> float | None:
        values = {**dict(work), "total": 1000, "done": 200, "working_s": 10.0, **given}
        return LongWork.model_validate(values).seconds_left

    assert left() == pytest.approx(40.0)
    assert left(done=0) is None
    assert left(working_s=0.0) is None
    assert left(done=1000) is None
    assert left(total=None) is None
    assert left(state="stopped") is None


def test_the_command_says_how_far_it_is_and_when_it_is_done(engine: Engine) -> None:
    look = partial(reread.look_at, REDECIDING)
    assert look(engine) == ("Nothing was asked for.", True)
    decided_otherwise_before(engine)
    with transaction(engine) as connection:
        start_redeciding(connection, "anna", NOON)
    assert look(engine) == ("No. 1, running: 0 of 3 studies, with another dose or doubt: 0.", False)
    redecide(engine)
    output = StringIO()
    reread.follow(engine, look, output, wait=True)
    assert output.getvalue() == "No. 1, done: 3 of 3 studies, with another dose or doubt: 2.\n"
