"""The dose list: by modality and by every quantity, the columns of each kind, and studies whose objects are gone."""

from __future__ import annotations

import csv
import re
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, insert, select, update

from tests.database.test_dose_pages import API, NOON, uids, write_report
from tests.dose_registry_support import Instance
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.registry.service import follow_indexed
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.modalities import note_modalities
from treegarth.features.dose.registry.tables import administration, dose_report, dose_study
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


def test_an_exam_of_a_report_alone_is_of_the_modality_that_the_report_tells(
    client: FlaskClient, engine: Engine
) -> None:
    for number, kind in enumerate(("ct", "mammography", "projection"), start=1):
        write_report(engine, number, kind=kind)
        set_row(engine, number, modalities=["SR"])
    assert uids(client.get(f"{API}/studies?modality=CT").get_json()) == ["1"]
    assert uids(client.get(f"{API}/studies?modality=MG,CT").get_json()) == ["2", "1"]
    assert uids(client.get(f"{API}/studies?modality=XA").get_json()) == []  # it may be RF or DX
    assert uids(client.get(f"{API}/studies?modality=SR").get_json()) == ["3", "2", "1"]


def test_limits_that_are_no_numbers_are_refused(client: FlaskClient) -> None:
    for query in ("events_from=-1", "events_from=1.5", "activity_to_mbq=nan", "not_patient_rule=99999999999"):
        assert client.get(f"{API}/studies?{query}").status_code == 400


def test_one_column_shows_the_dose_that_each_exam_is_known_by_and_a_kind_has_its_own(
    client: FlaskClient, engine: Engine
) -> None:
    for number, kind in enumerate(("ct", "mammography", "radiopharmaceutical", "projection"), start=1):
        write_report(engine, number, kind=kind)
    set_row(engine, 1, best_dlp_mgy_cm=512.0, best_ctdi_vol_max_mgy=12.5)
    set_row(engine, 2, best_glandular_dose_right_mgy=1.25)
    nuclide = {"radionuclide": "^18^Fluorine", "administered_activity_mbq": 370.0}
    set_row(engine, 3, activities=[nuclide], kinds=["ct", "radiopharmaceutical"], best_dlp_head_mgy_cm=80.0)
    set_row(engine, 4, best_dose_area_product_gy_m2=0.0002, best_dose_rp_gy=0.06)
    assert {"Dose"} < heads(client, "dose")
    assert not {"DLP", "DAP", "Activity"} & heads(client, "dose")
    assert shown_doses(client) == [
        "DAP 2.00 Gy·cm² Dose (RP) 60.0 mGy",
        "DLP, head 16 cm 80.0 mGy·cm Activity ¹⁸Fluorine 370 MBq",
        "AGD left / right – / 1.25 mGy",
        "DLP 512 mGy·cm CTDIvol 12.5 mGy",
    ]
    assert "≥ 0.5<" in client.get("/treegarth/dose?dlp_from_mgy_cm=0.50").text
    assert {"CTDIvol, greatest", "DLP", "DLP, head 16 cm"} <= heads(client, "dose?kind=ct")
    assert {"DAP", "Fluoroscopy time"} <= heads(client, "dose?kind=projection")
    given = heads(client, "dose?kind=radiopharmaceutical")
    assert "Effective dose of the administration, as reported" in given
    assert "Dose" not in given


def shown_doses(client: FlaskClient, path: str = "dose") -> list[str]:
    """What each row of the list says in its column of doses, in words."""
    rows = client.get(f"/treegarth/{path}").text.split("<tbody>")[1].split("<tr")[1:]
    cells = ["".join(re.findall(r'<div class="leading">.*?</div>', row, re.DOTALL)) for row in rows]
    return [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in cells]


def test_a_doubt_stands_at_its_number_and_what_is_doubted_is_not_complete(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1)
    set_row(engine, 1, best_dlp_mgy_cm=512.0, best_ctdi_vol_max_mgy=12.5, doubts=["dlp_mgy_cm:partial_total"])
    for path in ("dose", "dose?kind=ct"):
        page = client.get(f"/treegarth/{path}").text
        assert page.count('class="doubted" title="perhaps not all"') == 1
        assert re.search(r">512</span>(?:(?!12\.5).)*class=\"doubted\"", page, re.DOTALL)
        assert ">doubted<" in page
        assert ">complete<" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("description=ABDOMEN", ["1"]),
        ("description=%25", []),
        ("procedure=ct of", ["1"]),
        ("procedure=ctabd", ["1"]),
        ("procedure=requested", ["2"]),
        ("institution=west", ["2"]),
        ("patient_sex=F", ["1"]),
        ("age_from_years=18", ["1"]),
        ("age_to_years=17", ["2"]),
        ("age_to_years=17.2", []),
        ("age_from_years=17.5&age_to_years=17", ["2"]),
        ("source=header", ["3"]),
        ("source=report", ["2", "1"]),
        ("doubtful=true", ["2", "1"]),
        ("doubtful=false", ["3"]),
        ("doubt=sampled", ["2"]),
        ("doubt_quantity=dlp_mgy_cm", ["2", "1"]),
        ("doubt_quantity=dlp_mgy_cm&doubt=partial_total", ["1"]),
        ("doubt_quantity=dose_rp_gy", []),
        ("issues=true", ["3"]),
        ("issues=false", ["2", "1"]),
        ("dlp_head_from_mgy_cm=100", ["1"]),
        ("dlp_body_to_mgy_cm=30", ["2"]),
        ("fluoro_time_from_s=60&fluoro_time_to_s=60", ["2"]),
    ],
)
def test_studies_are_found_by_what_was_asked_of_whom_and_by_what_is_doubted(
    client: FlaskClient, engine: Engine, query: str, found: list[str]
) -> None:
    code = {"code": "CTABD", "scheme": "99LOCAL", "meaning": "CT of the abdomen"}
    born = {"patient_birth_date": date(2009, 4, 1), "requested_procedure_description": "As requested"}
    write_report(engine, 1, study_description="CT Abdomen", procedure_codes=[code], patient_sex="F", patient_age="063Y")
    write_report(engine, 2, **born, institution_name="West Hospital", patient_sex="M")
    write_report(engine, 3, source="header", issue_count=2)
    set_row(engine, 1, doubts=["dlp_mgy_cm:partial_total"], best_dlp_head_mgy_cm=120.0)
    set_row(engine, 2, doubts=["dlp_mgy_cm:sampled"], best_dlp_body_mgy_cm=25.0, best_total_fluoro_time_s=60.0)
    assert uids(client.get(f"{API}/studies?{query}").get_json()) == found


def test_a_file_has_age_size_weight_procedure_institution_doubts_and_source(
    client: FlaskClient, engine: Engine
) -> None:
    code = {"code": "CTABD", "scheme": "99LOCAL", "meaning": "CT of the abdomen"}
    about = {"patient_size_m": 1.72, "patient_weight_kg": 70.5, "patient_age": "018M", "institution_name": "West"}
    write_report(engine, 1, procedure_codes=[code], source="header", **about)
    set_row(engine, 1, doubts=["dlp_mgy_cm:partial_total"])
    (row,) = csv.DictReader(StringIO(client.get(f"{API}/studies/export/csv").text))
    said = ("patient_age_years", "patient_size_m", "patient_weight_kg", "procedure_codes", "institution_name", "source")
    assert [row[name] for name in said] == ["1.5", "1.72", "70.5", "CTABD^CT of the abdomen^99LOCAL", "West", "header"]
    assert row["doubts"] == "dlp_mgy_cm:partial_total"


ABDOMEN = {"acquisition_protocol": "Abdomen Routine", "irradiation_event_type": "Spiral Acquisition"}
HEAD = {"acquisition_protocol": "Head", "irradiation_event_type": "Spiral Acquisition"}
SCOUT = {"acquisition_protocol": "Scout", "irradiation_event_type": "Constant Angle Acquisition"}


@pytest.mark.parametrize(
    ("query", "exams", "events"),
    [
        ("protocol=abdomen&event_dlp_from_mgy_cm=500", ["1"], 1),
        ("protocol=abdomen&event_dlp_to_mgy_cm=500", ["2"], 1),
        ("protocol=abdomen", ["2", "1"], 2),
        ("protocol=ÁBDOMEN", ["2", "1"], 2),
        ("protocol=abd*routine", ["2", "1"], 2),
        ("protocol=abd*men", [], 0),
        ("event_dlp_from_mgy_cm=500", ["2", "1"], 2),
        ("event_dlp_from_mgy_cm=500&event_ctdi_vol_from_mgy=10", ["1"], 1),
        ("event_dap_from_gy_cm2=1.9&event_dap_to_gy_cm2=2.1", ["3"], 1),
        ("event_dose_rp_from_mgy=60", ["3"], 1),
        ("event_agd_from_mgy=1", [], 0),
    ],
)
def test_a_protocol_is_asked_for_together_with_the_dose_of_an_event_of_its_own(
    client: FlaskClient, engine: Engine, query: str, exams: list[str], events: int
) -> None:
    first = ABDOMEN | {"dlp_mgy_cm": 600.0, "mean_ctdi_vol_mgy": 12.0}
    write_report(engine, 1, events=(first, HEAD | {"dlp_mgy_cm": 20.0, "mean_ctdi_vol_mgy": 3.0}))
    second = ABDOMEN | {"dlp_mgy_cm": 30.0, "mean_ctdi_vol_mgy": 12.0}
    write_report(engine, 2, events=(second, HEAD | {"dlp_mgy_cm": 700.0, "mean_ctdi_vol_mgy": 5.0}))
    write_report(engine, 3, kind="projection", events=({"dose_area_product_gy_m2": 0.0002, "dose_rp_gy": 0.06},))
    assert uids(client.get(f"{API}/studies?{query}").get_json()) == exams
    assert len(client.get(f"{API}/events?{query}").get_json()["items"]) == events


def test_an_event_of_a_source_that_repeats_others_finds_no_exam_and_is_listed_once(
    client: FlaskClient, engine: Engine
) -> None:
    """Two reports overlap: the second says the first event again and adds its own."""
    events = [{"irradiation_event_uid": f"1.9.{n}", "dlp_mgy_cm": 100.0 * n, **ABDOMEN} for n in (1, 2, 3)]
    write_report(engine, 1, events=(events[0], events[1]))
    write_report(
        engine, 2, events=(events[1], events[2]), orthanc_study_id="study-00001", study_instance_uid="1.2.840.99999.1.1"
    )
    superseded = ABDOMEN | {"irradiation_event_uid": "1.9.3", "dlp_mgy_cm": 5000.0}
    write_report(
        engine, 3, events=(superseded,), source="header", orthanc_study_id="study-00001",
        study_instance_uid="1.2.840.99999.1.1",
    )  # fmt: skip
    found = client.get(f"{API}/events").get_json()["items"]
    assert sorted(one["irradiation_event_uid"] for one in found) == ["1.9.1", "1.9.2", "1.9.3"]
    assert client.get(f"{API}/studies?event_dlp_from_mgy_cm=4000").get_json()["items"] == []
    with engine.begin() as connection:  # as before it was decided again
        connection.execute(update(dose_study).values(event_report_ids=None, repeated_events=None))
    found = client.get(f"{API}/events").get_json()["items"]
    assert {one["irradiation_event_uid"] for one in found} == {"1.9.1", "1.9.2", "1.9.3"}


def test_events_tell_their_exam_and_what_each_kind_has(client: FlaskClient, engine: Engine) -> None:
    two_tubes = ABDOMEN | {"dlp_mgy_cm": 600.0, "kvp": [100.0, 140.0], "x_ray_tube_current_ma": [None, 90.0]}
    region = {"target_region_code": {"code": "1", "scheme": "SCT", "meaning": "Abdomen"}}
    write_report(engine, 1, events=(two_tubes | region,), patient_size_m=1.8, patient_age="063Y", patient_sex="M")
    pulses = {"dose_area_product_gy_m2": 0.0002, "kvp": 70.0, "date_time_started": "20261120101500"}
    write_report(engine, 2, kind="projection", events=(pulses,))
    write_report(engine, 3, kind="radiopharmaceutical")
    given = {"start": "20261120090000", "route_of_administration_code": {"code": "1", "meaning": "Intravenous"}}
    with engine.begin() as connection:
        connection.execute(
            insert(administration).values(
                orthanc_instance_id="instance-3", position=1, irradiation_event_uid="1.8", radionuclide="^18^Fluorine",
                administered_activity_mbq=370.0, effective_dose_msv=7.03, values=given,
            )
        )  # fmt: skip
        refresh_study(connection, "study-00003", NOON)
    injected, exposed, scanned = client.get(f"{API}/events").get_json()["items"]
    assert (scanned["kvp"], scanned["x_ray_tube_current_ma"], scanned["patient_size_m"]) == (100.0, None, 1.8)
    assert (scanned["patient_age_years"], scanned["patient_sex"], scanned["kind"]) == (63.0, "M", "ct")
    assert (exposed["kvp"], exposed["dose_area_product_gy_m2"]) == (70.0, 0.0002)
    assert exposed["date_time_started"] == "20261120101500"
    assert (injected["date_time_started"], injected["route_of_administration"]) == ("20261120090000", "Intravenous")
    assert (injected["administered_activity_mbq"], injected["effective_dose_msv"]) == (370.0, 7.03)
    assert {one["kind"] for one in client.get(f"{API}/events?kind=ct").get_json()["items"]} == {"ct"}
    book = sheets_of(client.get("/treegarth/dose/events.xlsx").data)
    assert [name for name, _ in book] == ["ct", "projection", "mammography", "radiopharmaceutical"]
    assert [len(rows) - 1 for _, rows in book] == [1, 1, 0, 1]
    of_ct, of_projection = book[0][1][0], book[1][1][0]
    assert "dlp_mgy_cm" in of_ct
    assert "dose_area_product_gy_m2" not in of_ct
    assert "dose_area_product_gy_m2" in of_projection
    assert "dlp_mgy_cm" not in of_projection
    page = client.get("/treegarth/dose/events").text
    assert "600" in page
    assert "370" in page


def sheets_of(content: bytes) -> list[tuple[str, list[list[str]]]]:
    """The sheets of a workbook by name, each row as the texts of its cells."""
    with ZipFile(BytesIO(content)) as archive:
        names = re.findall(r'<sheet name="([^"]*)"', archive.read("xl/workbook.xml").decode())
        sheets = [archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in range(1, len(names) + 1)]
    rows = [[re.findall(r"<t[^>]*>([^<]*)</t>", row) for row in re.findall(r"<row.*?</row>", one)] for one in sheets]
    return list(zip(names, rows, strict=True))


def test_links_between_exams_and_events_keep_the_filters(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, events=(ABDOMEN | {"dlp_mgy_cm": 600.0},))
    asked = "kind=ct&protocol=abdomen&period=this_year"
    assert f'href="/treegarth/dose/events?{asked.replace("&", "&amp;")}"' in (
        client.get(f"/treegarth/dose?{asked}&sort=best_dlp_mgy_cm").text
    )
    assert f'href="/treegarth/dose?{asked.replace("&", "&amp;")}"' in client.get(f"/treegarth/dose/events?{asked}").text


def test_a_protocol_that_only_localizers_have_is_named_only_where_there_is_no_other(engine: Engine) -> None:
    write_report(engine, 1, events=(SCOUT, ABDOMEN, SCOUT))
    write_report(engine, 2, events=(SCOUT,))
    with engine.connect() as connection:
        found = connection.execute(select(dose_study.c.protocols).order_by(dose_study.c.orthanc_study_id)).scalars()
        assert list(found) == [["Abdomen Routine"], ["Scout"]]


def test_days_are_links_that_stay_true_when_they_are_saved(client: FlaskClient, engine: Engine) -> None:
    write_report(engine, 1, study_date=date(2000, 1, 1))
    page = client.get("/treegarth/dose?study_date_from=1999-01-01").text
    assert 'href="/treegarth/dose?period=last_month"' in page
    assert client.get(f"{API}/studies?period=this_year").get_json()["items"] == []
    held = client.get("/treegarth/dose?period=this_year").text
    assert 'type="hidden" form="filters" name="period" value="this_year"' in held
    assert "This year" in held.split('class="held"')[1]


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
