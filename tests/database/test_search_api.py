"""The REST API against a real database: what it answers, and that its OpenAPI document tells the truth."""

from __future__ import annotations

import dataclasses
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import Engine, text

from tests.api_document import check_document
from tests.index_support import KOREAN, NOON, write_study
from tests.unit.web.web_support import KnownHost, make_services, web_folder
from treegarth.bootstrap import make_application
from treegarth.features.archive.pages.studies import STUDIES
from treegarth.features.dose.registry.tables import dose_report, irradiation_event
from treegarth.features.system.queue import TASKS
from treegarth.web.paths import API_PATH
from treegarth.web.problems import PROBLEM_TYPE

WEB = Path(__file__).resolve().parents[2] / "web"
STUDY = "1.2.840.99999.1.1"
SERIES = "1.2.840.99999.2.1"


@pytest.fixture
def host() -> KnownHost:
    return KnownHost()


@pytest.fixture
def app(engine: Engine, host: KnownHost, tmp_path: Path) -> Flask:
    services = make_services(web_folder(tmp_path), engine=lambda: engine, host=host)
    return make_application(services)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def studies(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, patient_name=KOREAN, modalities=["CT", "SR"], study_date=date(2026, 11, 20))
        write_study(connection, 2, study_date=None, patient_name=None)


def write_dose(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, state in ((1, "read"), (2, "unread"), (3, "failed")):
            read = {"read_at": NOON, "kind": "ct", "totals": {"dlp_total_mgy_cm": 270.6}, "issues": [], "report": {}}
            connection.execute(
                dose_report.insert().values(
                    orthanc_instance_id=f"instance-{number}",
                    orthanc_series_id="s",
                    orthanc_study_id="study-00001",
                    sop_instance_uid=f"1.2.3.{number}",
                    study_instance_uid=STUDY,
                    state=state,
                    **(read if state == "read" else {}),
                )
            )
        values = {"mean_ctdi_vol_mgy": 8.2, "dlp_mgy_cm": 270.6}
        connection.execute(
            irradiation_event.insert().values(orthanc_instance_id="instance-1", position=1, values=values)
        )


def write_task(engine: Engine, status: str, queueing_lock: str | None = None) -> int:
    with engine.begin() as connection:
        statement = (
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, queueing_lock) "
            "VALUES ('default', 'treegarth:dose.read_waiting', CAST(:status AS procrastinate_job_status), 3, :lock) "
            "RETURNING id"
        )
        found = connection.execute(text(statement), {"status": status, "lock": queueing_lock})
        return int(found.scalar_one())


def test_a_study_has_the_fields_that_the_interface_promises(client: FlaskClient, studies: None) -> None:
    page = client.get(f"{API_PATH}/studies").get_json()
    assert page["next"] is None
    first, second = page["items"]
    assert first["study_instance_uid"] == STUDY
    assert first["patient_name"] == KOREAN
    assert first["study_date"] == "2026-11-20"
    assert first["modalities"] == ["CT", "SR"]
    assert (first["series_count"], first["instance_count"]) == (1, 2)
    assert first["orthanc_study_id"] == "study-00001"
    assert second["study_date"] is None
    assert second["patient_name"] is None
    assert second["accession_number"] is None


def test_pages_follow_each_other_by_their_cursor(client: FlaskClient, studies: None) -> None:
    first = client.get(f"{API_PATH}/studies?limit=1").get_json()
    second = client.get(f"{API_PATH}/studies", query_string={"limit": 1, "cursor": first["next"]}).get_json()
    assert [i["study_instance_uid"] for i in (*first["items"], *second["items"])] == [STUDY, "1.2.840.99999.1.2"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("patient_name=홍", 1),
        ("patient_name=HONG*", 1),
        ("patient_id=P1", 1),
        ("patient_id=", 2),
        ("modality=SR", 1),
        ("modality=MR,CT", 2),
        ("study_date_from=2026-11-20&study_date_to=2026-11-20", 1),
        ("study_date_from=2026-11-21", 0),
        ("q=길동", 1),
        (f"study_instance_uid={STUDY}", 1),
        ("sort=-last_received_at", 2),
    ],
)
def test_studies_are_filtered(client: FlaskClient, studies: None, query: str, count: int) -> None:
    assert len(client.get(f"{API_PATH}/studies?{query}").get_json()["items"]) == count


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("study_date_from=20261120", "study_date_from"),
        ("study_date_to=2026-02-30", "study_date_to"),
        ("sort=upwards", "sort"),
        ("patient=Hong", "patient"),
        ("patient_name=%00", "patient_name"),
    ],
)
def test_a_filter_that_is_not_right_is_named(client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"{API_PATH}/studies?{query}")
    assert (answer.status_code, answer.mimetype) == (400, PROBLEM_TYPE)
    assert [error["field"] for error in answer.get_json()["errors"]] == [field]


@pytest.mark.parametrize("query", ["cursor=x", "study_date_from=2026-02-01&study_date_to=2026-01-01"])
def test_what_does_not_fit_together_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"{API_PATH}/studies?{query}").status_code == 400


def test_no_value_is_read_as_sql(client: FlaskClient, studies: None) -> None:
    for value in ("'; DROP TABLE study; --", "%' OR 1=1 --", "\\", "%", "_", "a%%s", "{0}", ":x"):
        for name in ("q", "patient_name", "patient_id", "study_description", "accession_number", "modality"):
            answer = client.get(f"{API_PATH}/studies", query_string={name: value})
            assert answer.get_json()["items"] == [], (name, value)
    assert len(client.get(f"{API_PATH}/studies").get_json()["items"]) == 2


def test_whatever_is_asked_is_answered_or_refused_and_never_fails(client: FlaskClient, studies: None) -> None:
    chance = random.Random(7)
    letters = "aA1.^=*?%_\\'\"/:-+ \t\n\x00\x7f홍길é\u0308\u202e\U0001f9e0"
    names = [*STUDIES.list_query.model_fields, "unknown"]
    for _ in range(300):
        query = {
            chance.choice(names): "".join(chance.choices(letters, k=chance.choice([0, 1, 3, 12, 400])))
            for _ in range(chance.choice([1, 2, 3]))
        }
        answer = client.get(f"{API_PATH}/studies", query_string=query)
        assert answer.status_code in (200, 400), (query, answer.text)


def test_a_study_is_answered_with_its_series_and_their_instances(client: FlaskClient, studies: None) -> None:
    found = client.get(f"{API_PATH}/studies/{STUDY}").get_json()
    assert [s["series_instance_uid"] for s in found["series"]] == [SERIES]
    page = client.get(f"{API_PATH}/studies/{STUDY}/series/{SERIES}/instances?limit=1").get_json()
    assert page["items"][0]["instance_number"] == 1
    assert page["items"][0]["issues"] == []
    assert page["next"]
    address = f"{API_PATH}/studies/{STUDY}/series/{SERIES}/instances"
    back = client.get(address, query_string={"sort": "-instance_number"}).get_json()["items"]
    assert [one["instance_number"] for one in back] == [2, 1]
    assert client.get(address, query_string={"sop_instance_uid": back[0]["sop_instance_uid"]}).get_json()["items"] == [
        back[0]
    ]
    for nothing in ({"issues": "true"}, {"remote_ae_title": "NOBODY"}):
        assert client.get(address, query_string=nothing).get_json()["items"] == []
    file = client.get(f"{address}/export/csv").get_data(as_text=True).splitlines()
    assert file[0].startswith("orthanc_instance_id,sop_instance_uid,")
    assert len(file) == 3


def test_the_page_of_a_series_instances_leads_back_to_its_study(studies: None, engine: Engine) -> None:
    client = make_application(make_services(WEB, engine=lambda: engine)).test_client()
    address = f"/treegarth/studies/{STUDY}/series/{SERIES}/instances"
    assert f'href="{address}"' in client.get(f"/treegarth/studies/{STUDY}").text
    page = client.get(address)
    assert page.status_code == 200, page.text
    assert f'href="/treegarth/studies/{STUDY}"' in page.text
    assert "2 instances" in page.text
    assert f'href="{address}.csv"' in page.text
    assert client.get(f"/treegarth/studies/{STUDY}/series/1.2.3/instances").status_code == 404


@pytest.mark.parametrize("path", ["studies/1.2.3", f"studies/{STUDY}/series/1.2.3/instances", "dose/studies/1.2.3"])
def test_what_is_not_here_is_a_404(client: FlaskClient, studies: None, path: str) -> None:
    answer = client.get(f"{API_PATH}/{path}")
    assert (answer.status_code, answer.mimetype) == (404, PROBLEM_TYPE)


def test_a_study_without_dose_has_no_reports(client: FlaskClient, studies: None) -> None:
    found = client.get(f"{API_PATH}/dose/studies/{STUDY}").get_json()
    nothing = {"study_instance_uid": STUDY, "reports": [], "decisions": [], "waiting": 0, "failed": 0, "best": None}
    assert {name: found[name] for name in nothing} == nothing


def test_the_dose_of_a_study_is_what_the_command_prints(client: FlaskClient, studies: None, engine: Engine) -> None:
    write_dose(engine)
    found = client.get(f"{API_PATH}/dose/studies/{STUDY}").get_json()
    assert (found["waiting"], found["failed"]) == (1, 1)
    [report] = found["reports"]
    assert report == {
        "file": "instance-1.dcm",
        "sop_class_uid": None,
        "kind": "ct",
        "refused": None,
        "totals": {"dlp_total_mgy_cm": 270.6},
        "irradiation_events": [{"mean_ctdi_vol_mgy": 8.2, "dlp_mgy_cm": 270.6}],
        "administrations": [],
        "issues": [],
    }
    listed = client.get(f"{API_PATH}/dose/reports?state=failed").get_json()["items"]
    assert [item["sop_instance_uid"] for item in listed] == ["1.2.3.3"]


def test_health_is_503_while_a_part_is_down(client: FlaskClient, host: KnownHost, tmp_path: Path) -> None:
    assert client.get(f"{API_PATH}/health").status_code == 200
    host.status = dataclasses.replace(host.status, indexer_alive=False)
    answer = client.get(f"{API_PATH}/health")
    assert answer.status_code == 503
    assert answer.get_json() == {"healthy": False, "database": "up", "indexer": "down", "workers": "up"}
    services = make_services(web_folder(tmp_path / "other"))
    without = make_application(services).test_client()
    assert without.get(f"{API_PATH}/health").get_json()["database"] == "down"
    refused = without.get(f"{API_PATH}/status")
    assert (refused.status_code, refused.mimetype) == (503, PROBLEM_TYPE)
    assert refused.headers["Retry-After"]


def test_the_status_tells_what_is_still_to_do(client: FlaskClient, studies: None, engine: Engine) -> None:
    write_dose(engine)
    write_task(engine, "failed")
    status = client.get(f"{API_PATH}/status").get_json()
    assert status["orthanc_instances"] is None  # there is no Orthanc in this test
    assert status["indexed_instances"] == 4
    assert status["idle"] is False
    assert status["dose_waiting"] == 1
    assert status["tasks"] == {"todo": 0, "doing": 0, "failed": 1}


def test_a_failed_task_is_seen_and_repeated(client: FlaskClient, engine: Engine) -> None:
    failed = write_task(engine, "failed")
    [listed] = client.get(f"{API_PATH}/tasks?state=failed").get_json()["items"]
    assert (listed["task_id"], listed["task_name"], listed["attempts"]) == (failed, "dose.read_waiting", 3)
    retried = client.post(f"{API_PATH}/tasks/{failed}/retry")
    assert (retried.status_code, retried.get_json()["state"]) == (200, "todo")
    assert client.get(f"{API_PATH}/tasks?state=failed").get_json()["items"] == []
    assert [one["task_id"] for one in client.get(f"{API_PATH}/tasks").get_json()["items"]] == [failed]
    again = client.post(f"{API_PATH}/tasks/{failed}/retry")
    assert (again.status_code, again.get_json()["detail"]) == (409, "This task has not failed: it is waiting.")
    assert client.post(f"{API_PATH}/tasks/999999/retry").status_code == 404
    assert client.post(f"{API_PATH}/tasks/0/retry").status_code == 400


def test_a_task_whose_work_waits_already_is_not_repeated(client: FlaskClient, engine: Engine) -> None:
    failed = write_task(engine, "failed", "dose.read_waiting")
    write_task(engine, "todo", "dose.read_waiting")
    answer = client.post(f"{API_PATH}/tasks/{failed}/retry")
    assert answer.status_code == 409
    assert "waits in the queue already" in answer.get_json()["detail"]
    assert len(client.get(f"{API_PATH}/tasks?state=failed").get_json()["items"]) == 1


@pytest.mark.parametrize("sort", TASKS.sorts)
def test_tasks_are_listed_in_every_order_by_page(client: FlaskClient, engine: Engine, sort: str) -> None:
    written = [write_task(engine, status) for status in ("failed", "todo", "failed", "doing")]
    client.post(f"{API_PATH}/tasks/{written[0]}/retry")
    found, cursor = [], None
    while len(found) < len(written):
        page = client.get(
            f"{API_PATH}/tasks", query_string={"sort": sort, "limit": 1, "cursor": cursor or ""}
        ).get_json()
        found += [one["task_id"] for one in page["items"]]
        cursor = page["next"]
    assert (sorted(found), cursor) == (written, None)
    if sort.endswith("task_id"):
        assert found == sorted(written, reverse=sort.startswith("-"))
    assert client.get(f"{API_PATH}/tasks", query_string={"task_name": "dose.nothing"}).get_json()["items"] == []


def test_the_page_of_tasks_has_a_button_for_what_failed_and_leads_back(engine: Engine) -> None:
    client = make_application(make_services(WEB, engine=lambda: engine)).test_client()
    failed, waiting = write_task(engine, "failed"), write_task(engine, "todo")
    assert 'href="/treegarth/system/tasks"' in client.get("/treegarth/system").text
    page = client.get("/treegarth/system/tasks").text
    assert "2 tasks" in page
    assert f'action="/treegarth/system/tasks/{failed}/retry"' in page
    assert f'action="/treegarth/system/tasks/{waiting}/retry"' not in page
    pressed = client.post(f"/treegarth/system/tasks/{failed}/retry", data={"origin": "tasks"})
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/treegarth/system/tasks")
    assert "No task of this kind" in client.get("/treegarth/system/tasks?state=failed").text


def test_a_comparison_can_be_asked_for(client: FlaskClient, host: KnownHost) -> None:
    for comparisons in (1, 2):
        answer = client.post(f"{API_PATH}/reconcile")
        assert (answer.status_code, answer.get_json()["kind"], answer.get_json()["id"]) == (
            202,
            "archive.comparison",
            1,
        )
        assert host.comparisons == comparisons


def test_a_handler_that_reads_cannot_write(app: Flask, engine: Engine, tmp_path: Path) -> None:
    database = make_services(web_folder(tmp_path / "other"), engine=lambda: engine).database
    with database.connect() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("DELETE FROM study"))
    with engine.begin() as connection:  # and the pool's connection is as before
        connection.execute(text("DELETE FROM study"))


OF_DOCUMENTS = tuple(
    f"{API_PATH}/{one}"
    for one in (
        "dose/not-patients",
        "dose/limits",
        "dose/charts",
        "dose/coefficients",
        "dose/levels",
        "dose/alert-levels",
        "dose/standard-names",
        "dose/raw-names/suggestions",
        "dose/raw-names/assign",
        "character-sets",
    )
)
OF_ROWS = tuple(f"{API_PATH}/dose/{one}/{{" for one in ("sizes", "equipment", "alerts"))
"""Of something that this registry has none of: each with its own test."""
OF_EXAMS, OF_PEOPLE = f"{API_PATH}/dose/", ("/acts", "/undo", "/not-patient", "/take-back")
OF_THE_ARCHIVE = {"archive", "dose", "system", "documentation"}


def test_the_document_is_valid_and_every_endpoint_answers_as_it_says(
    client: FlaskClient, studies: None, engine: Engine
) -> None:
    write_dose(engine)
    failed = write_task(engine, "failed")
    document = client.get(f"{API_PATH}/openapi.json").get_json()
    check_document(document)
    given = {
        "study_instance_uid": STUDY,
        "series_instance_uid": SERIES,
        "task_id": failed,
        "format": "csv",
        "orthanc_instance_id": "instance-3",
    }
    korean = {"name": "k", "station_name": "CT1", "really": "ISO 2022 IR 149"}
    made = client.post(f"{API_PATH}/character-sets", json={"document": korean}).get_json()
    given["character_set_id"] = made["id"]
    body = {"meaning": "phantom", "patient_id": "PHANTOM*"}
    holds = {"action": "hold", "chosen": ["study-1", "gone"], "kind": "legal", "reason": "a court"}
    acts = dict.fromkeys([f"{API_PATH}/{one}/act" for one in ("studies", "dose/studies", "dose/missing")], holds)
    acts |= {f"{path}-on-all": {k: v for k, v in one.items() if k != "chosen"} for path, one in acts.items()}
    acts[f"{API_PATH}/tasks/act"] = {"action": "retry", "chosen": [10**9]}
    acts[f"{API_PATH}/dose/reports/act"] = {"action": "retry", "chosen": ["gone"]}
    acts |= {f"{API_PATH}/{one}/act-on-all": {"action": "retry"} for one in ("tasks", "dose/reports")}
    acts[f"{API_PATH}/dose/sizes"] = {"text": "accession_number,patient_weight_kg\nA1,70\n"}
    acts[f"{API_PATH}/dose/report"] = {"year": 2025, "language": "en"}
    acts[f"{API_PATH}/dose/analysis/workbook"] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["tags"][0] not in OF_THE_ARCHIVE or (  # the others need rows of their own
                path.startswith(OF_DOCUMENTS)
                and not path.endswith(("not-patients/preview", "/held"))  # all of one dialect, with its own test
            ):
                continue
            if method == "post" and path.startswith(OF_EXAMS) and path.endswith(OF_PEOPLE):
                continue  # each of its own shape, with its own test
            if path.startswith(OF_ROWS):
                continue
            query = {"patient_id": "P1"} if path.endswith(("/dose/patient", "/not-patients/preview")) else None
            query = {"year": "2025"} if (method, path) == ("get", f"{API_PATH}/dose/report") else query
            answer = client.open(
                path.format(**given),
                method=method.upper(),
                query_string=query,
                json=acts.get(path, {} if "/export/" in path else body) if "requestBody" in operation else None,
            )
            check_answer(document, operation, answer, f"{method} {path}")
            without_orthanc = path.endswith("/content")
            assert answer.status_code == 503 if without_orthanc else answer.status_code < 400, (path, answer.text)
            if method == "get":
                refused = client.open(path.format(**given), query_string={"no_such_parameter": 1})
                assert refused.status_code == 400, path
                check_answer(document, operation, refused, path)
    for path in (f"{API_PATH}/studies/1.2.3", f"{API_PATH}/tasks/1/retry"):
        assert path not in document["paths"]


def check_answer(document: dict[str, Any], operation: dict[str, Any], answer: Any, place: str) -> None:
    """The status is documented, and the body is of its media type and schema."""
    described = operation["responses"][str(answer.status_code)]
    content = described["content"][answer.mimetype]
    if not answer.mimetype.endswith("json"):
        return
    schema = {**content["schema"], "components": document["components"]}
    problems = [error.message for error in Draft202012Validator(schema).iter_errors(answer.get_json())]
    assert problems == [], place
