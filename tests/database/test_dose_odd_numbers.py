"""One odd number in a report costs that number at most: no page, no list, no file, no other report; nor for good."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from math import isfinite
from pathlib import Path
from threading import Thread
from typing import Any
from zipfile import ZipFile

import pyarrow.parquet
import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from pydicom import Dataset
from sqlalchemy import Engine, text

from tests.dose_builder import as_file, code, coded, container, ct_acquisition, ct_dose_report, num, report, uidref
from tests.dose_image_builder import CT, ct_image, image
from tests.dose_registry_support import Archive, Instance, index, note, read, states
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.registry.service import follow_deleted
from treegarth.web.routes import Route

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # which doubts such numbers, too
ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
NOW = datetime(2100, 1, 1, tzinfo=UTC)  # whatever waits is due
KEPT = (
    "3.4028235E+38", "9.99e28", "1e308", "1.7976931348e308", "-1e30", "-1e308", "1e-320", "5e-324", "-0.0", "1e15",
)  # fmt: skip
"""What a float can hold; a study of its own for each."""
NOT_KEPT = ("1e309", "-1e400", "1e-400", "1e9999999", "nan")
SHOWN_BY = (
    "dose.", "archive.", "api.dose_", "api.not_patient", "api.preview_not", "api.list_studies", "api.read_study",
    "api.explain_rule", "api.preview_rule", "rules.explain_page", "rules.try_page", "system.",
)  # fmt: skip
"""How the names of the routes begin."""
LANGUAGES = ("en", "ko")
IS_SOAK = os.environ.get("TREEGARTH_SOAK") == "1"


def ct(value: str) -> Dataset:
    """Two scans, of which each has the value, and so has the total: their sum may be too large for a number."""
    scans = [
        ct_acquisition(f"1.2.3.4.{number}", mean_ctdi_vol_mgy=value, dlp_mgy_cm=value, sources=[]) for number in (1, 2)
    ]
    return ct_dose_report(*scans, dlp_total=value)


def projection(value: str) -> Dataset:
    """Two planes with two exposures."""
    planes = [
        container("113702", coded("113764", code(plane)), num("113722", value, "Gy.m2"), num("113725", value, "Gy"))
        for plane in ("113620", "113621")
    ]
    exposures = [
        container("113706", uidref("113769", f"1.2.3.5.{number}"), num("122130", value, "Gy.m2"),
                  num("113738", value, "Gy"), num("113733", (value, value, "80", "81", "82"), "kV"))
        for number in (1, 2)
    ]  # fmt: skip
    return report(*planes, *exposures)


def mammography(value: str) -> Dataset:
    breasts = [
        num("111637", value, "mGy", coded(code("G-C171", "SRT"), code(side, "SCT")))
        for side in ("80248007", "73056007")
    ]
    planes = [container("113702", coded("113764", code("113622")), *breasts) for _ in range(2)]
    return report(*planes, container("113706", uidref("113769", "1.2.3.6"), num("111631", value, "mGy")))


def administration(value: str) -> Dataset:
    agent = coded("113520", code("35321007", "SCT", "FDG"), coded("113521", code("77004003", "SCT", "F-18")))
    given = [
        container("113502", agent, uidref("113503", f"1.2.7.{number}"), num("113507", value, "MBq"),
                  num("113839", value, "mSv"))
        for number in (1, 2)
    ]  # fmt: skip
    return report(*given, title="113500", sop_class_uid="1.2.840.10008.5.1.4.1.1.88.68")


REDECIDED = [f"dose.redeciding_{kind}" for kind in ("csv", "xlsx", "parquet")]
WITHOUT_DOSES = ("archive.open_study", "api.dose_redeciding_changes", "api.dose_redeciding_changes_file", *REDECIDED)
"""One leads to a page, the others have nothing before an archive was decided anew."""
OF_ONE_RULE = ("api.not_patient_rule", "api.not_patient_rule_versions")
"""Of those for phantoms: there is none."""

KINDS = (ct, projection, mammography, administration)


def store(engine: Engine, datasets: list[Dataset], *, sop_class_uid: str | None = None) -> list[Instance]:
    """Each object in a study of its own, of one patient and one device, indexed and read."""
    files, instances = {}, []
    for number, dataset in enumerate(datasets, start=1):
        uid = f"1.2.840.99999.{len(datasets)}.{number}"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = uid, f"{uid}.1", f"{uid}.1.1"
        name = f"odd-{len(datasets)}-{number}"
        files[name] = as_file(dataset)
        instances.append(
            Instance(name, f"{uid}.1.1", study_instance_uid=uid, sop_class_uid=sop_class_uid or dataset.SOPClassUID)
        )
    index(engine, *instances)
    note(engine, *instances)
    read(engine, Archive(**files), NOW)
    return instances


class Refuses(BaseHTTPRequestHandler):
    """An Orthanc that can do nothing just now, and says so at once."""

    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, format: str, *values: object) -> None:
        pass


@pytest.fixture
def app(engine: Engine) -> Iterator[Flask]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as orthanc:
        Thread(target=orthanc.serve_forever).start()
        url = f"http://127.0.0.1:{orthanc.server_port}"
        yield make_application(make_services(ROOT / "web", engine=lambda: engine, orthanc_url=url))  # type: ignore[misc]
        orthanc.shutdown()


def addresses(app: Flask, instances: list[Instance], rule: int) -> Iterator[tuple[Route, str]]:
    """Whatever shows doses: each page, endpoint and file, for each of these studies and objects. The content of an
    object is not of the registry."""
    for route in app.extensions["treegarth"].routes.values():
        if route.method != "GET" or not route.name.startswith(SHOWN_BY) or "content" in route.name:
            continue
        if route.name in (*WITHOUT_DOSES, *OF_ONE_RULE):
            continue
        if route.name in ("api.preview_not_patient_rule", "api.dose_patient", "dose.patient_page"):
            yield route, f"{route.path}?patient_id=4711"
        elif route.name == "api.dose_report":
            yield route, f"{route.path}?year=2026"
        elif route.path.endswith("/export/{format}") and not set(route.path_names) - {"format"}:
            yield from ((route, route.path.format(format=one)) for one in ("csv", "xlsx", "parquet"))
        elif "{" not in route.path.replace("{rule_id}", ""):
            yield route, route.path.format(rule_id=rule)
        else:
            for one in instances:
                given = {
                    "study_instance_uid": one.study_instance_uid,
                    "series_instance_uid": "1.9",
                    "orthanc_instance_id": one.orthanc_instance_id,
                    "rule_id": rule,
                }
                if not set(route.path_names) <= given.keys():
                    continue  # of what nothing of a report stands in
                yield route, route.openapi_path.format(**given)


def check_answers(app: Flask, instances: list[Instance], rule: int, *, turn: int = 0) -> None:
    """Each address answers; JSON is JSON, and of its schema. Pages by turns in each language: the next turn asks in the
    other one. `make soak` asks in both each time."""
    client: FlaskClient = app.test_client()
    document = client.get(f"{API}/openapi.json").get_json()
    for number, (route, address) in enumerate(addresses(app, instances, rule)):
        both = LANGUAGES if IS_SOAK else LANGUAGES[(number + turn) % 2 :][:1]
        for language in LANGUAGES[:1] if route.is_api else both:
            answer = client.get(address, headers={"Accept-Language": language})
            assert answer.status_code == 200, (address, answer.text[:300])
            if answer.mimetype == "application/json":
                schema = document["paths"][route.openapi_path]["get"]["responses"]["200"]["content"]
                check_json(answer.text, {**schema["application/json"]["schema"], "components": document["components"]})


def check_json(answer: str, schema: dict[str, Any]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    found = json.loads(answer, parse_constant=refuse)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []


def a_rule(app: Flask) -> int:
    """A rule that looks at the doses, so that its pages show what it saw."""
    doses = ("dlp_total_mgy_cm", "dose_area_product_total_gy_m2", "glandular_dose_left_mgy", "effective_dose_msv")
    document = {
        "name": "doses",
        "why": "a test",
        "when": "by hand",
        "if": {"any": [f"dose.{name} > 1e100" for name in doses]},
        "do": [{"label": "large"}],
    }
    answer = app.test_client().post(f"{API}/rules", json={"document": document})
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


@pytest.mark.parametrize("make", KINDS)
def test_every_page_list_and_file_answers_whatever_a_report_says_also_when_the_object_is_gone(
    app: Flask, engine: Engine, make: Any
) -> None:
    instances = store(engine, [make(value) for value in KEPT])
    assert set(states(engine).values()) == {"read"}
    rule = a_rule(app)
    check_answers(app, instances, rule)
    with transaction(engine) as connection:
        follow_deleted(connection, [one.orthanc_instance_id for one in instances], NOW)
    check_answers(app, instances, rule, turn=1)


def test_infinities_that_an_earlier_version_has_stored_cost_no_page_either(app: Flask, engine: Engine) -> None:
    instances = store(engine, [ct("100"), projection("0.001"), mammography("2"), administration("300")])
    with engine.begin() as connection:
        for value, kind in (("Infinity", "ct"), ("-Infinity", "projection"), ("NaN", "mammography")):
            columns = (
                "dlp_total_mgy_cm", "dlp_of_events_mgy_cm", "dose_area_product_total_gy_m2", "dose_rp_total_gy",
                "mean_ctdi_vol_max_mgy", "glandular_dose_left_mgy", "administered_activity_mbq", "effective_dose_msv",
            )  # fmt: skip
            changes = ", ".join(f"{column} = '{value}'" for column in columns)
            connection.execute(text(f"UPDATE dose_study SET {changes} WHERE kinds = ARRAY['{kind}']"))  # noqa: S608
    check_answers(app, instances, a_rule(app))


def test_the_numbers_stand_on_pages_in_scientific_form_and_whole_in_answers_and_files(
    app: Flask, engine: Engine
) -> None:
    instances = store(engine, [ct(value) for value in KEPT])
    client = app.test_client()
    items = client.get(f"{API}/dose/studies?limit=1000").get_json()["items"]
    uids = [one.study_instance_uid for one in instances]
    assert {item["study_instance_uid"]: item["dlp_total_mgy_cm"] for item in items} == {
        uid: float(value) for uid, value in zip(uids, KEPT, strict=True)
    }
    exported = pyarrow.parquet.read_table(BytesIO(client.get(f"{API}/dose/studies/export/parquet").data)).to_pylist()
    assert {row["study_instance_uid"]: row["dlp_total_mgy_cm"] for row in exported} == {
        item["study_instance_uid"]: item["dlp_total_mgy_cm"] for item in items
    }
    sheet = ZipFile(BytesIO(client.get("/treegarth/dose.xlsx").data)).read("xl/worksheets/sheet1.xml").decode()
    assert "3.4028235E+38" in sheet
    page = client.get(f"/treegarth/studies/{uids[0]}").text
    assert "3.40×10³⁸" in page
    assert 'title="3.4028235×10³⁸"' in page
    sums = {item["study_instance_uid"]: item["dlp_of_events_mgy_cm"] for item in items}
    assert sums[uids[0]] == 6.805647e38
    assert sums[uids[2]] is None, "twice 1e308 is unknown: no number holds it"
    [found] = client.get(f"{API}/dose/studies/{uids[2]}").get_json()["reports"]
    too_large = {"path": "irradiation events/dlp_mgy_cm", "reason": "the sum of these numbers is too large to be kept"}
    assert found["issues"] == [too_large]
    assert "2.00×10³⁰⁸" in client.get(f"/treegarth/studies/{uids[2]}").text, "and still it can be shown"


def test_in_the_order_of_dlp_no_odd_number_ends_the_list(app: Flask, engine: Engine) -> None:
    store(engine, [ct(value) for value in KEPT])
    client, seen, cursor = app.test_client(), [], ""
    while cursor is not None:
        page = client.get(
            f"{API}/dose/studies",
            query_string={"sort": "-best_dlp_mgy_cm", "limit": 1} | ({"cursor": cursor} if cursor else {}),
        ).get_json()
        seen += page["items"]
        cursor = page["next"]
    assert sorted(item["dlp_total_mgy_cm"] for item in seen) == sorted(float(value) for value in KEPT)
    best = [item["best"]["dlp_mgy_cm"] for item in seen]  # a total below 0 is reported, and does not win
    known = [one for one in best if one is not None]
    assert best == [*sorted(known, reverse=True), *[None] * (len(best) - len(known))]
    assert max(known) == max(float(value) for value in KEPT)
    for value in (one for one in KEPT if 0 <= float(one) <= 1e15):  # what a filter takes
        found = client.get(f"{API}/dose/studies?dlp_from_mgy_cm={value.replace('+', '%2B')}&limit=1000").get_json()
        assert len(found["items"]) == sum(one >= float(value) for one in known), value


@pytest.mark.parametrize("make", KINDS)
def test_what_no_number_holds_is_an_issue_of_its_report_and_the_rest_is_kept(
    app: Flask, engine: Engine, make: Any
) -> None:
    good, odd = make("0.5"), [make(value) for value in NOT_KEPT]
    instances = store(engine, [good, *odd])
    assert set(states(engine).values()) == {"read"}, "nothing has failed, now or for good"
    client = app.test_client()
    for one, value in zip(instances[1:], NOT_KEPT, strict=True):
        [found] = client.get(f"{API}/dose/studies/{one.study_instance_uid}").get_json()["reports"]
        assert any(value in issue["reason"] for issue in found["issues"]), found["issues"]
        assert found["irradiation_events"] or found["administrations"]


def test_the_sum_over_the_planes_that_no_number_holds_is_an_issue(app: Flask, engine: Engine) -> None:
    [one] = store(engine, [projection("1.7e308")])
    [found] = app.test_client().get(f"{API}/dose/studies/{one.study_instance_uid}").get_json()["reports"]
    assert "dose_area_product_total_gy_m2" not in found["totals"]
    assert {"path": "totals/dose_area_product_total_gy_m2", "reason": "the number is too large to be kept"} in found[
        "issues"
    ]
    assert [float(plane["dose_area_product_total_gy_m2"]) for plane in found["totals"]["planes"]] == [1.7e308] * 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1.7e308, 5e-324])
def test_an_odd_number_in_an_images_header_is_read_or_an_issue(app: Flask, engine: Engine, value: float) -> None:
    header = ct_image("1.2.3", ctdi_vol=value, TotalCollimationWidth=value, KVP="1e309")
    [one] = store(engine, [header], sop_class_uid=CT)
    state = states(engine)[one.orthanc_instance_id]
    assert state == ("read" if isfinite(value) else "refused")
    check_answers(app, [one] if state == "read" else [], a_rule(app))


def test_a_day_before_spreadsheets_begin_is_written_as_it_is(app: Flask, engine: Engine) -> None:
    store(engine, [image(CT, "1.2.3", CTDIvol=1.0, StudyDate="08991231")], sop_class_uid=CT)
    strings = ZipFile(BytesIO(app.test_client().get("/treegarth/dose.xlsx").data))
    assert "0899-12-31" in strings.read("xl/worksheets/sheet1.xml").decode()


def test_an_odd_number_in_a_header_costs_no_condition(app: Flask, engine: Engine) -> None:
    """Conditions on the header of each series: one IS of 400 digits, and instance numbers of all 32 bits."""
    instances = store(engine, [ct("1")])
    header = json.dumps({"00181152": {"vr": "IS", "Value": [int("9" * 400), 5]}})
    with engine.begin() as connection:
        connection.execute(text("UPDATE series SET header = cast(:header AS jsonb)"), {"header": header})
        values = (
            "SELECT i.orthanc_instance_id || n, orthanc_series_id, sop_instance_uid || n, n, received_at, size_bytes"
        )
        rows = f"{values} FROM instance i, unnest(ARRAY[-2147483648, 2147483647]) AS n"
        names = "orthanc_instance_id, orthanc_series_id, sop_instance_uid, instance_number, received_at, size_bytes"
        connection.execute(text(f"INSERT INTO instance ({names}) {rows}"))
    for condition, count in (
        ("Exposure > 4", 1),
        ("Exposure > 5", 0),
        ("completeness.missing_instance_numbers > 4294967293", 1),
        ("completeness.missing_instance_numbers > 4294967294", 0),
    ):
        rule = {"name": "x", "why": "x", "when": "by hand", "if": condition, "do": [{"label": "x"}]}
        answer = app.test_client().post(f"{API}/rules/preview", json={"document": rule})
        assert answer.status_code == 200, answer.text
        assert answer.get_json()["study_count"] == count, condition
    assert len(instances) == 1
