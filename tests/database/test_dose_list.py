"""The dose list: by modality and by every quantity, the columns of each kind, and studies whose objects are gone."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, select, update

from tests.database.test_dose_pages import API, NOON, uids, write_report
from tests.dose_registry_support import Instance
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.registry.service import follow_indexed
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.modalities import note_modalities
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index import tables as archive

ROOT = Path(__file__).resolve().parents[2]
GONE = datetime(2026, 11, 20, 4, tzinfo=UTC)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def set_row(engine: Engine, number: int, **values: object) -> None:
    with engine.begin() as connection:
        key = dose_study.c.orthanc_study_id == f"study-{number:05}"
        connection.execute(update(dose_study).where(key).values(**values))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ctdi_vol_from_mgy=10", ["1"]),
        ("ctdi_vol_to_mgy=10", []),
        ("dose_rp_from_mgy=50&dose_rp_to_mgy=70", ["2"]),
        ("agd_from_mgy=2", ["3"]),
        ("agd_from_mgy=1.5&agd_to_mgy=1.7", []),
        ("agd_to_mgy=1.3", ["3"]),
        ("activity_from_mbq=300&activity_to_mbq=400", ["4"]),
        ("events_from=5&events_to=5", ["2"]),
        ("events_from=6", []),
        ("modality=CT", ["4", "1"]),
        ("modality=MG,PT", ["4", "3"]),
        ("modality=US", []),
    ],
)
def test_the_list_and_its_exports_are_restricted_by_modality_and_every_quantity(
    client: FlaskClient, engine: Engine, query: str, found: list[str]
) -> None:
    for number, kind in enumerate(("ct", "projection", "mammography", "radiopharmaceutical"), start=1):
        write_report(engine, number, kind=kind)
    set_row(engine, 1, best_ctdi_vol_max_mgy=12.5, modalities=["CT", "SR"])
    set_row(engine, 2, best_dose_rp_gy=0.06, irradiation_event_count=5, modalities=["XA"])
    set_row(engine, 3, best_glandular_dose_left_mgy=1.2, best_glandular_dose_right_mgy=2.1, modalities=["MG"])
    set_row(engine, 4, best_administered_activity_mbq=370.0, modalities=["CT", "PT"])
    assert uids(client.get(f"{API}/studies?{query}").get_json()) == found
    rows = csv.DictReader(StringIO(client.get(f"{API}/studies/export/csv?{query}").text))
    assert [row["study_instance_uid"].rsplit(".")[-1] for row in rows] == found
    page = client.get(f"/treegarth/dose?{query}").text
    assert [number for number in ("4", "3", "2", "1") if f'data-row="1.2.840.99999.1.{number}"' in page] == found


def test_limits_that_are_no_numbers_are_refused(client: FlaskClient) -> None:
    for query in ("events_from=-1", "events_from=1.5", "activity_to_mbq=nan", "not_patient_rule=99999999999"):
        assert client.get(f"{API}/studies?{query}").status_code == 400


def test_columns_of_a_kind_are_shown_where_it_is(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    assert not {"AGD left / right", "Activity"} & heads(client, "dose")
    write_report(engine, 2, kind="mammography")
    write_report(engine, 3, kind="radiopharmaceutical")
    set_row(engine, 2, best_glandular_dose_left_mgy=1.25)
    set_row(engine, 3, best_administered_activity_mbq=370.0)
    assert {"AGD left / right", "Activity", "DAP"} <= heads(client, "dose")
    assert ">1.25<" in client.get("/treegarth/dose").text
    assert "≥ 0.5<" in client.get("/treegarth/dose?dlp_from_mgy_cm=0.50").text
    of_ct = heads(client, "dose?kind=ct")
    assert "CTDIvol, greatest" in of_ct
    assert not {"AGD, left", "DAP"} & of_ct


def heads(client: FlaskClient, path: str) -> set[str]:
    """What the columns are called, without their units."""
    head = client.get(f"/treegarth/{path}").text.split("<thead>")[1].split("</thead>")[0]
    return {re.sub("<[^>]*>", "", re.sub(r"<span.*?</span>", "", one)).strip() for one in head.split("</th>")}


def modalities(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(dose_study.c.modalities)).scalar_one())


def test_a_study_keeps_the_modalities_of_its_series_when_they_are_gone(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, modalities=["SR"])
    write_report(engine, 1)
    assert modalities(engine) == ["SR"]
    with engine.begin() as connection:
        key = archive.study.c.orthanc_study_id == "study-00001"
        connection.execute(update(archive.study).where(key).values(modalities=["CT", "SR"]))
        late = Instance("late", "1.2.3.4.9", study_instance_uid="00001")
        assert late.orthanc_study_id == "study 00001"  # another study: nothing changes
        note_modalities(connection, [late])
    assert modalities(engine) == ["SR"]
    with engine.begin() as connection:
        note_modalities(connection, [_Indexed()])
    assert modalities(engine) == ["CT", "SR"]
    remove_from_archive(engine)
    with engine.begin() as connection:
        refresh_study(connection, "study-00001", NOON)
    assert modalities(engine) == ["CT", "SR"]


def test_a_study_forgets_the_modality_that_its_objects_stored_again_do_not_say_any_more(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, modalities=["CT", "SR"])
    write_report(engine, 1)
    assert modalities(engine) == ["CT", "SR"]
    with engine.begin() as connection:
        key = archive.study.c.orthanc_study_id == "study-00001"
        connection.execute(update(archive.study).where(key).values(modalities=["MR"]))
        follow_indexed(connection, [_Indexed(is_stored_again=True)])
    assert modalities(engine) == ["MR"]
    with engine.begin() as connection:
        connection.execute(update(dose_report).values(modality="SR", source_deleted_at=NOON))
        follow_indexed(connection, [_Indexed(is_stored_again=True)])
    assert modalities(engine) == ["MR", "SR"]  # a source that left the archive is among them


class _Indexed(Instance):
    def __init__(self, *, is_stored_again: bool = False) -> None:
        super().__init__("late", "1.2.3.4.9", is_stored_again=is_stored_again)

    @property
    def orthanc_study_id(self) -> str:
        return "study-00001"


def remove_from_archive(engine: Engine) -> None:
    with engine.begin() as connection:
        for table in (archive.instance, archive.series, archive.study):
            connection.execute(delete(table))


def test_a_study_that_is_gone_has_a_page_with_its_dose_and_nothing_leads_to_a_404(
    client: FlaskClient, engine: Engine
) -> None:
    totals = {"dlp_total_mgy_cm": 512.0}
    write_report(engine, 1, totals=totals, dlp_total_mgy_cm=512.0, source_deleted_at=GONE, patient_name="TREE^Ash")
    address = "/treegarth/dose/studies/1.2.840.99999.1.1"
    for page in ("/treegarth/dose", "/treegarth/dose/patient?patient_id=P1"):
        shown = client.get(page).text
        assert f'href="{address}"' in shown
        assert "object gone" in shown
    answer = client.get("/treegarth/studies/1.2.840.99999.1.1")
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    page = client.get(address).text
    for expected in ("The source objects of this dose are gone.", "512", "TREE", "P1", "2026-11-20", "DLP"):
        assert expected in page
    assert "The study in the archive" not in page
    assert "/instances/instance-1/file" not in page
    content = client.get("/treegarth/dose/reports/instance-1/content").text
    assert f'href="{address}"' in content
    assert client.get("/treegarth/dose/studies/1.2.3").status_code == 404
    assert client.get("/treegarth/studies/1.2.3").status_code == 404


def test_a_study_of_which_only_the_dose_objects_are_gone_leads_to_both_pages(
    client: FlaskClient, engine: Engine
) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, modalities=["CT"], study_date=date(2026, 11, 20))
    write_report(engine, 1, source_deleted_at=GONE)
    page = client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text
    assert 'href="/treegarth/studies/1.2.840.99999.1.1"' in page
    assert client.get("/treegarth/studies/1.2.840.99999.1.1").status_code == 200


def test_what_was_refused_and_is_gone_leads_to_its_source_and_no_further(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, state="refused", kind=None, refused="It is a key object.", source_deleted_at=GONE)
    assert "/treegarth/dose/reports/instance-1/content" in client.get("/treegarth/dose/sources?state=refused").text
    content = client.get("/treegarth/dose/reports/instance-1/content")
    assert content.status_code == 200
    assert "/treegarth/studies/1.2" not in content.text
