"""Deciding every dose anew, on its page, the system page, as CSV and from the command line."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text, update

from tests.database.test_dose_pages import NOON, write_report
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.commands import reread
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry import service
from treegarth.features.dose.registry.pages.redecision import CHANGES
from treegarth.features.dose.registry.store import redecision
from treegarth.features.dose.registry.store.redecision import RedecidingProgress, start_redeciding
from treegarth.features.dose.registry.tables import dose_redeciding, dose_study

ROOT = Path(__file__).resolve().parents[2]
PAGE = "/treegarth/dose/redeciding"
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def in_language(client: FlaskClient, language: str, path: str = PAGE) -> str:
    client.set_cookie("treegarth_language", language, path="/treegarth/")
    return client.get(path).text


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
    assert 'id="redecide-all" disabled' in in_language(client, "en")  # nothing is there to decide
    assert client.get(f"{PAGE}.csv").text.splitlines()[1:] == []
    write_report(engine, 1)
    page = in_language(client, "en")
    assert "1 study takes about 1 second." in page
    assert 'id="redecide-all">' in page
    assert "검사 1건에 약 1초 걸립니다." in in_language(client, "ko")


def test_of_very_many_studies_it_says_about_how_many_there_are(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    with transaction(engine) as connection:
        connection.execute(text("UPDATE pg_class SET reltuples = 1003799 WHERE oid = 'dose_study'::regclass"))
    assert "1,000,000 studies take about 1 hour." in in_language(client, "en")


def test_the_button_starts_one_and_the_page_asks_again_only_while_it_runs(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=100.0)
    for _ in range(2):
        answer = client.post(PAGE, headers=FROM_HERE)
        assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    for path in (PAGE, "/treegarth/system"):
        page = in_language(client, "en", path)
        assert page.count('<progress max="1" value="0" aria-labelledby="redeciding">') == 1
        assert 'id="redecide-all"' not in page
        assert "someone without a login" in page
        assert "a worker begins within 20 seconds" in page
    assert 'hx-trigger="every 3s"' in in_language(client, "en")
    service.redecide(engine, lambda: NOON)
    page = in_language(client, "en")
    assert 'hx-trigger="every 3s"' not in page
    assert "<progress" not in page
    assert "1 study decided, and it has the dose that it had" in page
    assert "No dose has changed" in page


def test_each_dose_that_is_another_one_stands_with_its_study_and_why(client: FlaskClient, engine: Engine) -> None:
    decided_otherwise_before(engine)
    with transaction(engine) as connection:
        start_redeciding(connection, None, NOON)
    service.redecide(engine, lambda: NOON)
    page = in_language(client, "en")
    assert "2 of 3 studies have another dose" in page
    assert "by itself, after an upgrade" in page
    assert ">55.5<" in page
    assert ">100<" in page
    assert "the only source; as reported" in page
    assert page.index("does not count</td>") < page.index("counts</td>")
    assert f'href="{PAGE}#changed"' in in_language(client, "en", "/treegarth/system")
    korean = in_language(client, "ko")
    assert "검사 3건 중 2건의 선량이 달라짐" in korean
    assert "보고된 값" in korean
    assert "as reported" not in korean
    lines = client.get(f"{PAGE}.csv").text.lstrip("\ufeff").splitlines()
    assert lines[0] == "study_instance_uid,orthanc_study_id,patient_id,study_date,quantity,before,after,why"
    (line,) = [one for one in lines if ",study-00001," in one]
    assert line.startswith("1.2.840.99999.1.1,study-00001,")
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
    service.redecide(engine, lambda: NOON)
    first = in_language(client, "en")
    (following,) = [part.split('"')[0] for part in first.split('rel="next" href="')[1:]]
    second = client.get(following.replace("&amp;", "&")).text
    assert (first.count("<tr data-row"), second.count("<tr data-row")) == (50, 3)
    assert "anna" in first


def progress_of(engine: Engine) -> RedecidingProgress:
    with connect(engine) as connection:
        progress = redecision.redeciding_progress(connection)
    assert progress is not None
    return progress


def test_no_more_studies_are_decided_than_there_are_though_some_arrive_meanwhile(
    client: FlaskClient, engine: Engine
) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        running = start_redeciding(connection, None, NOON)
    write_report(engine, 2, dlp_total_mgy_cm=1.0)
    write_report(engine, 3, dlp_total_mgy_cm=1.0)
    for count, done in ((2, False), (2, True)):
        with transaction(engine) as connection:
            assert redecision.decide_on(connection, running, NOON, count=count) is not done
        progress = progress_of(engine)
        assert (progress.decided, progress.study_count) == ((3, 3) if done else (2, 2))
    with transaction(engine) as connection:  # as one that an earlier version has left
        connection.execute(update(dose_redeciding).values(study_count=1))
    assert reread.look_at_redeciding(engine)[0].startswith("3 of 3 studies decided")
    told = client.get("/treegarth/api/v1/dose/redeciding").get_json()["redeciding"]
    assert (told["decided"], told["study_count"]) == (3, 3)


def test_studies_that_leave_meanwhile_are_not_missed_at_the_end(engine: Engine) -> None:
    write_report(engine, 1, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        start_redeciding(connection, None, NOON)
        connection.execute(update(dose_redeciding).values(study_count=5))
    service.redecide(engine, lambda: NOON)
    assert (progress_of(engine).decided, progress_of(engine).study_count) == (1, 1)


def test_hours_that_one_waited_are_no_time_of_deciding(client: FlaskClient, engine: Engine) -> None:
    for number in (1, 2, 3):
        write_report(engine, number, dlp_total_mgy_cm=1.0)
    with transaction(engine) as connection:
        running = start_redeciding(connection, None, NOON)
    for hours, count in ((5, 2), (12, 2)):  # it gave way, then the server was off over night
        with transaction(engine) as connection:
            redecision.decide_on(connection, running, NOON + timedelta(hours=hours), count=count)
    pace = progress_of(engine).pace
    assert pace is not None
    assert pace > 1.0
    assert "3 studies take about" in in_language(client, "en")
    assert "hour" not in in_language(client, "en").split("3 studies take about")[1][:30]


def test_what_is_left_follows_from_the_time_spent_deciding() -> None:
    def left(**given: float | None) -> float | None:
        values = {"study_count": 1000, "decided": 200, "deciding_s": 10.0, **given}
        return RedecidingProgress(
            id=1, decider_version=1, started_by=None, started_at=NOON, finished_at=None, changed=0,
            **values,  # type: ignore[arg-type]
        ).seconds_left  # fmt: skip

    assert left() == pytest.approx(40.0)
    assert left(decided=0) is None
    assert left(deciding_s=None) is None  # begun before it was measured
    assert left(decided=1000) is None


def test_the_command_says_how_far_it_is_and_when_it_is_done(engine: Engine) -> None:
    assert reread.look_at_redeciding(engine) == ("Nothing was decided anew yet.", True)
    decided_otherwise_before(engine)
    with transaction(engine) as connection:
        start_redeciding(connection, "anna", NOON)
    line, is_done = reread.look_at_redeciding(engine)
    assert line.startswith("0 of 3 studies decided")
    assert not is_done
    service.redecide(engine, lambda: NOON)
    output = StringIO()
    reread.follow(engine, reread.look_at_redeciding, output, wait=True)
    assert output.getvalue().startswith("3 of 3 studies decided")
    assert output.getvalue().endswith("2 of them have another dose.\n")
