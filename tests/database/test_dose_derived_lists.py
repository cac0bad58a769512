"""Standard names and derived doses in the dose list, and the list of what was derived, with the reasons of the rest."""

from __future__ import annotations

import csv
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert

from tests.database.test_dose_pages import API
from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.tables import derived_dose, derived_missing
from treegarth.phrases import P_

ROOT = Path(__file__).resolve().parents[2]
CHEST = MadeExam(name="Thorax mit KM", doses={EVENT_COUNT: 2.0, "dlp_mgy_cm": 512.0}, orthanc_study_id="exam901")
HEAD = MadeExam(name="Kopf", doses={EVENT_COUNT: 1.0}, orthanc_study_id="exam902", study_date=date(2026, 10, 1))


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    with transaction(engine) as connection:
        name_of_exams(connection, CHEST.name, standard_name_id=standard(connection, "Chest CT"))
        keep(connection, [CHEST, HEAD])
        derived(connection, CHEST, effective_dose_ct_msv=7.168, ssde_mgy=11.5)
        reason = {"orthanc_study_id": HEAD.orthanc_study_id, "quantity": "effective_dose_ct_msv"}
        connection.execute(insert(derived_missing).values(**reason, reason=P_("The region is not known.")))
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def derived(connection: Any, exam: MadeExam, **values: float) -> None:
    for quantity, value in values.items():
        row = {"quantity": quantity, "value": value, "is_doubted": quantity == "ssde_mgy", "modality": "CT"}
        about = {"orthanc_study_id": exam.orthanc_study_id, "method": "by a formula", "details": {}}
        connection.execute(insert(derived_dose).values(**row, **about))


def rows_of(client: FlaskClient, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(client.get(f"{API}/{path}").text)))


def test_an_exam_has_its_standard_name_and_its_derived_doses_in_rows_and_files(client: FlaskClient) -> None:
    chest, head = client.get(f"{API}/studies").get_json()["items"]
    assert (chest["standard_names"], head["standard_names"]) == (["Chest CT"], [])
    assert (chest["effective_dose_ct_msv"], chest["ssde_mgy"], chest["derived_doubted"]) == (7.168, 11.5, ["ssde_mgy"])
    assert (head["effective_dose_ct_msv"], head["activity_at_scan_mbq"], head["derived_doubted"]) == (None, None, [])
    chest_row, head_row = rows_of(client, "studies/export/csv")
    assert (chest_row["standard_names"], chest_row["effective_dose_ct_msv"]) == ("Chest CT", "7.168")
    assert (head_row["standard_names"], head_row["ssde_mgy"], chest_row["derived_doubted"]) == ("", "", "ssde_mgy")
    for wanted in ("xlsx", "parquet"):
        assert client.get(f"{API}/studies/export/{wanted}").status_code == 200


@pytest.mark.parametrize(
    ("called", "found"), [("chest", ["exam901"]), ("Chest*", ["exam901"]), ("CT", ["exam901"]), ("head", []), ("?", [])]
)
def test_the_list_is_filtered_by_a_part_of_a_standard_name(client: FlaskClient, called: str, found: list[str]) -> None:
    items = client.get(f"{API}/studies?called={called}").get_json()["items"]
    assert [one["orthanc_study_id"] for one in items] == found
    page = client.get(f"/treegarth/dose?called={called}&lang=en").text
    assert ("Chest CT" in page) is bool(found)
    assert len(rows_of(client, f"studies/export/csv?called={called}")) == len(found)
    assert client.get(f"{API}/events?called={called}").status_code == 200


def test_the_page_of_ct_has_columns_of_what_is_derived_with_its_doubt_and_no_order_by_it(client: FlaskClient) -> None:
    page = client.get("/treegarth/dose?kind=ct&lang=en").text
    assert ">7.17</span>" in page
    assert 'class="doubted" title="of a doubted dose"' in page
    assert client.get(f"{API}/studies?sort=ssde_mgy").status_code == 400


def test_what_was_derived_is_a_list_with_the_reasons_of_what_was_not(client: FlaskClient) -> None:
    items = client.get(f"{API}/derived").get_json()["items"]
    assert [(one["orthanc_study_id"], one["quantity"], one["value"], one["reason"]) for one in items] == [
        ("exam901", "ssde_mgy", 11.5, None),
        ("exam901", "effective_dose_ct_msv", 7.168, None),
        ("exam902", "effective_dose_ct_msv", None, "The region is not known."),
    ]
    rows = rows_of(client, "derived/export/csv?derived=false")
    assert [(row["quantity"], row["value"], row["reason"]) for row in rows] == [
        ("effective_dose_ct_msv", "", "The region is not known.")
    ]
    for asked, count in (
        ("quantity=ssde_mgy", 1),
        ("derived=true", 2),
        ("doubtful=true", 1),
        ("doubtful=false", 1),
        ("study_date_to=2026-10-31", 1),
        ("study_date_from=2026-11-01", 2),
        ("quantity=activity_at_scan_mbq", 0),
    ):
        assert len(client.get(f"{API}/derived?{asked}").get_json()["items"]) == count, asked
    for language in ("en", "ko"):
        page = client.get(f"/treegarth/dose/derived?lang={language}").text
        assert page.count(" data-row=") == 3
