"""Sizes and weights out of files: what a file would do is said before it holds, it holds for what arrives later too, is
undone as a whole, and both what it says and what objects say stay in sight."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, select, update

from tests.database.test_dose_acts import ct_report
from tests.database.test_dose_exams import NOW, arrive, stored
from tests.database.test_dose_pages import API, write_report
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from tests.works import dose_runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.tables import exam_dose
from treegarth.features.dose.registry.service import decide_undecided
from treegarth.features.dose.registry.size_matching import GivenLine, NamedStudy, match, told
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.tables import dose_report, dose_study, dose_undecided, size_line
from treegarth.web.routes import LARGEST_BODY_BYTES

ROOT = Path(__file__).resolve().parents[2]
SIZES = f"{API}/sizes"
HEAD = "accession_number,patient_size_cm,patient_weight_kg\n"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    write_report(
        engine,
        1,
        accession_number="A1",
        patient_size_m=1.8,
        patient_weight_kg=80.0,
        dlp_total_mgy_cm=100.0,
        events=({},),
    )
    write_report(engine, 2, accession_number="A2", patient_id="P2", dlp_total_mgy_cm=100.0, events=({},))
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def send(client: FlaskClient, text: str, **more: Any) -> dict[str, Any]:
    answer = client.post(SIZES, json={"text": text, "file_name": "his.csv", **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def apply(client: FlaskClient, text: str, **more: Any) -> int:
    number: int = send(client, text, **more)["file"]["id"]
    assert client.post(f"{SIZES}/{number}/apply", json={"reason": "of the ward"}).status_code == 200
    return number


def known(engine: Engine, number: int) -> tuple[float | None, float | None]:
    """Size and weight of an exam, as the registry and every row of statistics have them."""
    study = f"study-{number:05}"
    with connect(engine) as connection:
        row = connection.execute(
            select(dose_study.c.patient_size_m, dose_study.c.patient_weight_kg).where(
                dose_study.c.orthanc_study_id == study
            )
        ).one()
        narrow = connection.execute(
            select(exam_dose.c.patient_size_m, exam_dose.c.patient_weight_kg).where(
                exam_dose.c.orthanc_study_id == study
            )
        ).all()
    assert {tuple(one) for one in narrow} == {tuple(row)}
    return row.patient_size_m, row.patient_weight_kg


def lines(client: FlaskClient, number: int, **asked: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{SIZES}/{number}/lines", query_string=asked).get_json()["items"]
    return found


def test_what_a_file_would_do_is_said_line_by_line_and_nothing_holds_yet(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 77, study_instance_uid="1.2.77", accession_number="A77")
    write_report(engine, 3, accession_number="A3", patient_id="P3")
    write_report(engine, 4, accession_number="A3", patient_id="P4")
    text = HEAD + "A1,170,80\nA2,160,55\nA77,150,50\nA9,150,50\nA3,150,50\nA5,1700,50\n"
    sent = send(client, text)
    assert sent["outcomes"] == {
        "found": 2,
        "no_dose": 1,
        "waits": 1,
        "ambiguous": 1,
        "refused": 1,
        "differs": 1,
    }
    found = lines(client, sent["file"]["id"])
    assert [(one["line"], one["outcome"], one["differs"]) for one in found] == [
        (2, "found", True),
        (3, "found", False),
        (4, "no dose", False),
        (5, "waits", False),
        (6, "ambiguous", False),
        (7, "refused", False),
    ]
    assert (found[0]["told_size_m"], found[0]["told_weight_kg"]) == (1.8, 80.0)
    assert "17 m is not believed: from 0.2 to 2.8 m" in found[5]["problem"]
    assert [one["line"] for one in lines(client, sent["file"]["id"], differs="true")] == [2]
    assert [one["line"] for one in lines(client, sent["file"]["id"], outcome="waits")] == [5]
    assert known(engine, 1) == (1.8, 80.0)


def test_a_file_that_is_applied_wins_over_objects_and_is_undone_as_a_whole(client: FlaskClient, engine: Engine) -> None:
    number = apply(client, HEAD + "A1,170,\nA2,160,55\n")
    assert (known(engine, 1), known(engine, 2)) == ((1.7, 80.0), (1.6, 55.0))
    exam = client.get(f"{API}/studies?patient_id=P1").get_json()["items"][0]
    assert (exam["size_import_id"], exam["weight_import_id"], exam["told_size_m"]) == (number, None, 1.8)
    undone = client.post(f"{SIZES}/{number}/undo", json={"reason": "wrong ward"})
    assert undone.get_json()["file"]["state"] == "undone"
    assert (known(engine, 1), known(engine, 2)) == ((1.8, 80.0), (None, None))


def test_of_several_files_the_one_applied_last_tells_each_value_by_itself(client: FlaskClient, engine: Engine) -> None:
    first = apply(client, HEAD + "A1,170,70\n")
    second = apply(client, HEAD + "A1,,71\n")
    assert known(engine, 1) == (1.7, 71.0)
    client.post(f"{SIZES}/{second}/undo", json={"reason": "x"})
    assert known(engine, 1) == (1.7, 70.0)
    client.post(f"{SIZES}/{first}/undo", json={"reason": "x"})
    assert known(engine, 1) == (1.8, 80.0)


def test_a_study_that_arrives_later_has_what_a_file_said(client: FlaskClient, engine: Engine) -> None:
    number = apply(client, HEAD + "A7,150,50\n")
    assert lines(client, number)[0]["outcome"] == "waits"
    write_report(engine, 7, accession_number="A7", patient_weight_kg=49.0, dlp_total_mgy_cm=1.0, events=({},))
    assert known(engine, 7) == (1.5, 50.0)
    (line,) = lines(client, number)
    assert (line["outcome"], line["orthanc_study_id"], line["differs"]) == ("found", "study-00007", True)
    with transaction(engine) as connection:
        decide_studies(connection, ["study-00007"], NOW)
    assert known(engine, 7) == (1.5, 50.0)


def test_an_accession_number_of_two_patients_tells_nothing_whichever_arrived_first(
    client: FlaskClient, engine: Engine
) -> None:
    number = apply(client, HEAD + "A1,170,70\n")
    write_report(engine, 8, accession_number="A1", patient_id="other", dlp_total_mgy_cm=1.0, events=({},))
    assert known(engine, 8) == (None, None)
    decide_undecided(engine, lambda: NOW)
    assert known(engine, 1) == (1.8, 80.0)
    assert lines(client, number)[0]["outcome"] == "ambiguous"
    decide_undecided(engine, lambda: NOW)  # and nothing is noted for ever
    with transaction(engine) as connection:
        connection.execute(update(dose_report).where(dose_report.c.orthanc_study_id == "study-00008").values(
            accession_number="A8"))  # fmt: skip
        decide_studies(connection, ["study-00008"], NOW)
        decide_studies(connection, ["study-00001"], NOW)
    assert known(engine, 1) == (1.7, 70.0)


def test_two_exams_do_not_have_each_other_decided_for_ever(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 8, accession_number="A1", patient_id="other", dlp_total_mgy_cm=1.0, events=({},))
    apply(client, HEAD + "A1,170,70\n")
    of_one = "study_instance_uid,patient_weight_kg\n"
    apply(client, of_one + "1.2.840.99999.1.1,61\n1.2.840.99999.1.8,62\n")
    for number in (1, 8):
        with transaction(engine) as connection:
            decide_studies(connection, [f"study-{number:05}"], NOW)
    with connect(engine) as connection:
        assert connection.execute(select(dose_undecided.c.orthanc_study_id)).all() == []
    assert (known(engine, 1)[1], known(engine, 8)[1]) == (61.0, 62.0)


def test_a_file_holds_for_a_study_that_is_being_decided_when_it_is_applied(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 7, accession_number="A7", dlp_total_mgy_cm=1.0, events=({},))
    with engine.begin() as connection:  # as one sees it that looks before its row is committed
        write_study(connection, 7, accession_number="A7")
        connection.execute(delete(dose_study).where(dose_study.c.orthanc_study_id == "study-00007"))
    apply(client, HEAD + "A7,150,50\n")
    assert known(engine, 7) == (1.5, 50.0)


def test_a_patient_id_says_which_of_two_patients_is_meant(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 8, accession_number="A1", patient_id="other", dlp_total_mgy_cm=1.0, events=({},))
    apply(client, "accession_number,patient_id,patient_weight_kg\nA1,other,60\n")
    assert (known(engine, 8), known(engine, 1)) == ((None, 60.0), (1.8, 80.0))


def test_a_study_instance_uid_is_enough(client: FlaskClient, engine: Engine) -> None:
    apply(client, "study_instance_uid,patient_weight_kg\n1.2.840.99999.1.2,61\n")
    assert known(engine, 2) == (None, 61.0)


def test_what_an_exam_is_told_stands_on_its_page_with_who_and_when(client: FlaskClient) -> None:
    number = apply(client, HEAD + "A1,170,\n")
    page = client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text
    assert ("Size and weight" in page, "his.csv" in page, "1.8" in page, f"/dose/sizes/{number}" in page) == (True,) * 4
    items = client.get(f"{API}/studies/1.2.840.99999.1.1/sizes").get_json()["items"]
    assert [(one["file_name"], one["line"], one["patient_size_m"], one["object_count"]) for one in items] == [
        ("his.csv", 2, 1.7, 0),
        (None, None, 1.8, 1),
    ]
    client.post(f"{SIZES}/{number}/undo", json={"reason": "x"})
    items = client.get(f"{API}/studies/1.2.840.99999.1.1/sizes").get_json()["items"]
    assert items[0]["undone_at"] is not None
    assert "undone" in client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text


def test_the_page_sends_applies_undoes_and_forgets_a_file(client: FlaskClient, engine: Engine) -> None:
    form = {"text": "접수번호,키,체중\nA1,171,70\n", "file_name": "병동.csv", "size_unit": "cm"}
    sent = client.post("/treegarth/dose/sizes", data=form)
    here = sent.headers["Location"]
    page = client.get(here).text
    assert ("병동.csv" in page, "of an exam" in page, "objects say otherwise" in page) == (True, True, True)
    assert "병동.csv" in client.get("/treegarth/dose/sizes").text
    without = client.post(here, data={"act": "apply", "reason": " "})
    assert "Say why" in client.get(without.headers["Location"]).text
    client.post(here, data={"act": "apply", "reason": "of the ward"})
    assert known(engine, 1) == (1.71, 70.0)
    again = client.post(here, data={"act": "discard"})
    assert "held once stays" in client.get(again.headers["Location"]).text
    client.post(here, data={"act": "undo", "reason": "no"})
    assert known(engine, 1) == (1.8, 80.0)
    other = client.post("/treegarth/dose/sizes", data=form).headers["Location"]
    client.post(other, data={"act": "discard"})
    assert client.get(other).status_code == 404
    wrong = client.post("/treegarth/dose/sizes", data={"text": "a,b\n1,2\n"})
    assert "which study" in client.get(wrong.headers["Location"]).text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"text": "x", "content_base64": "eA=="}, 400),
        ({"text": "accession_number,size\nA,1\n"}, 400),
        ({"content_base64": "no base64!"}, 400),
        ({"content_base64": b64encode(b"\xff\x80").decode()}, 400),
        ({"content_base64": b64encode("접수번호,체중\n가1,70\n".encode("cp949")).decode()}, 201),
        ({"content_base64": b64encode(HEAD.encode() + b"A\0,170,70\n").decode()}, 201),
        ({"text": "x" * 300_000}, 400),
        ({"text": HEAD + "A,170,70", "size_unit": "m"}, 400),
    ],
)
def test_what_is_no_such_file_is_refused_and_not_kept(client: FlaskClient, body: dict[str, str], status: int) -> None:
    assert client.post(SIZES, json=body).status_code == status
    assert len(client.get(SIZES).get_json()["items"]) == (status == 201)


def test_a_file_is_applied_and_undone_once(client: FlaskClient) -> None:
    number = apply(client, HEAD + "A1,170,70\n")
    assert client.post(f"{SIZES}/{number}/apply", json={"reason": "x"}).status_code == 409
    assert client.delete(f"{SIZES}/{number}").status_code == 409
    assert client.post(f"{SIZES}/{number}/undo", json={"reason": "x"}).status_code == 200
    assert client.post(f"{SIZES}/{number}/undo", json={"reason": "x"}).status_code == 409
    assert client.post(f"{SIZES}/{number + 9}/undo", json={"reason": "x"}).status_code == 404
    assert client.post(f"{SIZES}/{number}/undo", json={"reason": " "}).status_code == 400


def test_a_large_file_is_read_applied_and_undone_by_long_works(client: FlaskClient, engine: Engine) -> None:
    def work() -> None:
        dose_runner(engine, lambda: datetime.now(UTC)).work(seconds=120)

    text = HEAD + "A2,160,55\n" + "".join(f"later{n},170,{50 + n % 40}\n" for n in range(3000)) + "A1,170,70\n"
    sent = send(client, text)
    number = sent["file"]["id"]
    assert (sent["file"]["state"], sent["is_running"]) == ("reading", True)
    assert client.post(f"{SIZES}/{number}/apply", json={"reason": "x"}).status_code == 409
    assert client.get(f"/treegarth/dose/sizes/{number}").status_code == 200
    work()
    sent = client.get(f"{SIZES}/{number}").get_json()
    assert (sent["file"]["state"], sent["file"]["line_count"], sent["outcomes"]["waits"]) == ("checked", 3002, 3000)
    client.post(f"{SIZES}/{number}/apply", json={"reason": "x"})
    work()
    assert (known(engine, 1), known(engine, 2)) == ((1.7, 70.0), (1.6, 55.0))
    client.post(f"{SIZES}/{number}/undo", json={"reason": "x"})
    work()
    assert (known(engine, 1), known(engine, 2)) == ((1.8, 80.0), (None, None))


def test_a_file_may_be_larger_than_other_requests(client: FlaskClient) -> None:
    text = HEAD + "A1234567,170,70\n" * 90_000
    assert len(text) > LARGEST_BODY_BYTES
    assert send(client, text)["file"]["state"] == "reading"
    assert client.post("/treegarth/dose/sizes", data={"text": text, "file_name": "large.csv"}).status_code == 303
    too_large = client.post("/treegarth/api/v1/dose/equipment/0/name/take-back", json={"version": text})
    assert too_large.status_code == 413


def test_a_large_file_that_cannot_be_read_says_why(client: FlaskClient, engine: Engine) -> None:
    sent = send(client, HEAD + "\n" * 30_000)
    dose_runner(engine, lambda: datetime.now(UTC)).work()
    file = client.get(f"{SIZES}/{sent['file']['id']}").get_json()["file"]
    assert (file["state"], "no line" in file["problem"]) == ("failed", True)
    assert client.delete(f"{SIZES}/{file['id']}").status_code == 200


def test_an_exam_that_is_corrected_to_another_patient_keeps_what_a_file_says_of_its_accession_number(
    engine: Engine,
) -> None:
    client = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]
    objects = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    apply(client, "study_instance_uid,patient_weight_kg\n1.2.1,70\n")
    arrive(engine, objects, Random(1))
    with connect(engine) as connection:
        assert connection.execute(select(dose_study.c.patient_weight_kg)).scalars().all() == [70.0]
        assert connection.execute(select(size_line.c.outcome)).scalars().all() == ["found"]


def given(line: int = 2, **changed: Any) -> GivenLine:
    values = {
        "size_import_id": 1,
        "line": line,
        "study_instance_uid": None,
        "accession_number": "A",
        "patient_id": None,
        "patient_size_m": None,
        "patient_weight_kg": 70.0,
        "applied_at": NOW,
    }
    return GivenLine(**{**values, **changed})


def named(key: str, **changed: Any) -> NamedStudy:
    values = {"orthanc_study_id": key, "study_instance_uid": "1", "accession_number": "A", "patient_id": "P"}
    return NamedStudy(**{**values, **changed})


def test_a_line_means_a_study_by_all_that_it_names() -> None:
    assert match(given(), [named("a"), named("b")]).outcome == "found"
    assert match(given(), [named("a"), named("b", patient_id="Q")]).outcome == "ambiguous"
    assert match(given(), [named("a"), named("b", patient_id="Q", is_replaced=True)]).outcome == "found"
    assert match(given(patient_id="Q"), [named("a"), named("b", patient_id="Q")]).studies == (
        named("b", patient_id="Q"),
    )
    assert match(given(study_instance_uid="2"), [named("a")]).outcome == "waits"
    assert match(given(), [named("a", has_dose=False)]).outcome == "no dose"


def test_of_one_file_the_later_line_tells() -> None:
    one, two = given(2, patient_size_m=1.7), given(3, patient_weight_kg=71.0)
    assert (told([two, one]).size, told([one, two]).weight) == (one, two)
    assert not told([])
