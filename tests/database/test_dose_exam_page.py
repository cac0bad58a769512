"""The page of one exam: its dose, the exposures of a mammogram, its events, and why each source counts or not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.database.test_dose_pages import write_report
from tests.dose_builder import as_file
from tests.dose_page_exams import EVENTS_OF_BIPLANE, STUDIES, whole_exam
from tests.dose_registry_support import Archive, Instance, index, note, read
from tests.html_tables import HtmlTable, tables_of
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.registry.tables import dose_report, irradiation_event
from treegarth.index.tables import instance, study

ROOT = Path(__file__).resolve().parents[2]
LATER = datetime(2099, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def store(engine: Engine, name: str) -> None:
    """The objects of an exam are in the archive, and were read."""
    files, instances = {}, []
    for number, dataset in enumerate(whole_exam(name)):
        key = f"{name}-{number}"
        files[key] = as_file(dataset)
        instances.append(
            Instance(
                orthanc_instance_id=key,
                sop_instance_uid=str(dataset.SOPInstanceUID),
                study_instance_uid=STUDIES[name],
                sop_class_uid=str(dataset.SOPClassUID),
                modality=str(dataset.Modality),
            )
        )
    index(engine, *instances)
    note(engine, *instances)
    read(engine, Archive(**files), LATER)
    read(engine, Archive(**files), LATER)


def page_of(client: FlaskClient, name: str, query: str = "") -> str:
    answer = client.get(f"/treegarth/dose/studies/{STUDIES[name]}?{query}")
    assert answer.status_code == 200
    return str(answer.text)


def table(page: str, end: str) -> HtmlTable:
    """The first table whose place on the page ends so."""
    return next(one for place, one in tables_of(page).items() if place.endswith(end))


def doses(page: str) -> dict[str, list[str]]:
    """The rows of the exam's dose by quantity: best known, origin, reported, sum, difference."""
    found = next(one for one in tables_of(page).values() if one.heads[:1] == ["Quantity"])
    return {row[0]: row[1:] for row in found.rows}


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_kind_of_exam_has_a_page_whose_elements_are_closed(
    client: FlaskClient, engine: Engine, name: str, language: str
) -> None:
    store(engine, name)
    page = page_of(client, name, f"lang={language}")
    assert tables_of(page)
    assert 'id="dose-all-sources"' in page
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(set(identifiers)) == sorted(identifiers)


def test_best_known_reported_and_sum_stand_side_by_side_and_a_difference_with_both(
    client: FlaskClient, engine: Engine
) -> None:
    store(engine, "ct")
    found = doses(page_of(client, "ct"))
    assert found["DLP"] == [
        "1,040 mGy·cm", "as reported", "1,040 mGy·cm", "1,009 mGy·cm", "they differ by -3.0 %"
    ]  # fmt: skip
    assert found["DLP, head 16 cm"][:2] == ["690 mGy·cm", "sum of the events"]
    assert found["CTDIvol, greatest"][0] == "41.2 mGy"


@pytest.mark.parametrize(("total", "differs"), [(1.0e-4, False), (1.0045e-4, False), (1.006e-4, True), (1.2e-4, True)])
def test_the_page_and_the_list_call_the_same_totals_different(
    client: FlaskClient, engine: Engine, total: float, differs: bool
) -> None:
    event = {"irradiation_event_uid": "1.2.9.1", "dose_area_product_gy_m2": 1e-4}
    given = {"kind": "projection", "totals": {"dose_area_product_total_gy_m2": total}}
    write_report(engine, 1, events=(event,), dose_area_product_total_gy_m2=total, **given)
    page = client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text
    (row,) = client.get("/treegarth/api/v1/dose/studies").get_json()["items"]
    assert bool(row["differences"]) == differs
    assert ("they differ" in page) == differs
    assert ("The reported total and the sum of the events differ" in page) == differs


def test_a_mammogram_has_one_table_of_its_exposures_with_sums_by_breast(client: FlaskClient, engine: Engine) -> None:
    store(engine, "mammogram")
    page = page_of(client, "mammogram")
    found = tables_of(page)["exposures"]
    assert len(found.rows) == 9  # of the report: the images are of the same exposures
    assert found.column("Side") == ["Left"] * 4 + ["Right"] * 4 + ["Left"]
    assert found.column("View")[:3] == ["cranio-caudal (CC)", "cranio-caudal (CC)", "medio-lateral oblique (MLO)"]
    assert found.column("Anode / filter")[0] == "Tungsten / Rhodium"
    assert (found.column("AGD")[0], found.column("Compression mm")[0], found.column("Compression force")[0]) == (
        "1.42",
        "54.0",
        "98.5",
    )
    assert re.search(r"Left · 5 exposures.*?8\.89", page, re.DOTALL)
    assert re.search(r"Right · 4 exposures.*?6\.58", page, re.DOTALL)
    assert doses(page)["AGD, right"][2:] == ["6.70 mGy", "6.58 mGy", "they differ by -1.8 %"]
    korean = page_of(client, "mammogram", "lang=ko")
    assert "내외측 사방향(MLO)" in korean


def test_what_modifies_a_view_is_said_in_plain_words(client: FlaskClient, engine: Engine) -> None:
    store(engine, "mammogram")
    spot = {"code": "399055006", "scheme": "SCT", "meaning": "Spot Compression"}
    of_report = irradiation_event.c.orthanc_instance_id == "mammogram-0"
    with engine.begin() as connection:
        read_again = irradiation_event.c["values"].concat({"image_view_modifier_codes": [spot]})
        connection.execute(update(irradiation_event).where(of_report).values({"values": read_again}))
    assert set(tables_of(page_of(client, "mammogram"))["exposures"].column("View, modified")) == {"spot compression"}


def test_images_that_count_stand_together_and_not_one_by_one(client: FlaskClient, engine: Engine) -> None:
    store(engine, "mammogram_images")
    page = page_of(client, "mammogram_images")
    assert page.count("From the headers of images") == 1
    assert len(tables_of(page)["exposures"].rows) == 8
    assert set(tables_of(page)["exposures"].column("Source")) == {"image"}
    assert "8 × counts: it is of an exposure of its own" in page
    assert doses(page)["AGD, left"] == ["6.58 mGy", "from images", "–", "6.58 mGy", "–"]


def test_every_source_stands_with_its_time_its_verdict_and_what_counts_in_its_place(
    client: FlaskClient, engine: Engine
) -> None:
    store(engine, "mammogram")
    page = page_of(client, "mammogram")
    assert "8 × does not count: a better source has its dose" in page
    found = tables_of(page)["dose-sources"]
    assert len(found.rows) == 9
    assert found.rows[0][1:5] == [
        "2026-11-20 09:30:28",
        "header of an image",
        "does not count: a better source has its dose",
        "dose report of 2026-11-20 10:15:00",
    ]
    assert page.count('href="#source-mammogram-0"') == 8
    assert 'id="source-mammogram-0"' in page
    assert '<details class="details">\n      <summary>Each source' in page  # many: folded


def test_a_report_that_does_not_count_leads_to_the_later_one_and_is_folded(client: FlaskClient, engine: Engine) -> None:
    store(engine, "ct")
    page = page_of(client, "ct")
    assert page.index('id="source-ct-1"') < page.index('id="source-ct-0"')  # what counts stands first
    (article,) = re.findall(r'<article[^>]* id="source-ct-0">.*?</article>', page, re.DOTALL)
    assert "does not count: a later or fuller report has the same events" in article
    assert 'href="#source-ct-1"' in article
    assert "What it says" in article


def test_size_specific_doses_and_dose_checks_stand_with_method_and_reason(client: FlaskClient, engine: Engine) -> None:
    store(engine, "ct")
    person = {"name": "Kim^Minsu", "role_in_procedure": {"code": "1", "scheme": "L", "meaning": "Technologist"}}
    with engine.begin() as connection:
        for row in connection.execute(irradiation_event.select()).all():
            if "dose_check" in row._mapping["values"]:
                values = row._mapping["values"]
                values["dose_check"]["persons"] = [person]
                same = (irradiation_event.c.orthanc_instance_id == row.orthanc_instance_id) & (
                    irradiation_event.c.position == row.position
                )
                connection.execute(update(irradiation_event).where(same).values({"values": values}))
    page = page_of(client, "ct")
    assert table(page, "-ssde").rows == [["1", "2", "DE Thorax", "10.9", "AAPM 220", "285"]]
    assert table(page, "-check").rows == [
        ["1", "2", "DE Thorax", "Alert, DLP", "yes", "1,000 mGy·cm", "1,210 mGy·cm", "exceeded"],
        ["2", "2", "DE Thorax", "Alert, CTDIvol", "no", "–", "–", "–"],
        ["3", "2", "DE Thorax", "Notification, CTDIvol", "yes", "25.0 mGy", "8.40 mGy", "within it"],
    ]
    assert re.search(r"Trauma, whole body asked for · Kim, Minsu \(Technologist\)", page)


def test_organ_doses_and_what_an_effective_dose_is_of(client: FlaskClient, engine: Engine) -> None:
    store(engine, "pet_ct")
    page = page_of(client, "pet_ct")
    assert [row[2:] for row in table(page, "-organs").rows] == [
        ["Urinary bladder", "51.2"],
        ["Heart", "26.4"],
        ["Brain", "15.0"],
    ]
    said = "Effective dose of the administrations, as the report says, by ICRP Publication 128"
    assert doses(page)[said] == ["–", "–", "–", "7.49 mSv", "–"]
    assert "More of each administration" in page


def test_many_events_are_cut_with_a_link_to_all_of_them(client: FlaskClient, engine: Engine) -> None:
    store(engine, "biplane")
    page = page_of(client, "biplane")
    assert len(table(page, "-events").rows) == 100
    assert f"100 of {EVENTS_OF_BIPLANE} rows" in page
    (address,) = set(re.findall(r'href="([^"]*all_rows=true[^"]*-events)"', page))
    everything = client.get(address.replace("&amp;", "&")).text
    assert len(table(everything, "-events").rows) == len(table(everything, "-details").rows) == EVENTS_OF_BIPLANE
    assert "all_rows=true#" not in everything
    assert table(page, "-details").column("Filters")[0] == "Copper 0.1–0.3 mm"
    assert doses(page)["Plane A: Dose at reference point"][0] == "810 mGy"


def test_events_are_sorted_by_every_column_with_the_state_in_the_address(client: FlaskClient, engine: Engine) -> None:
    store(engine, "biplane")
    page = page_of(client, "biplane", "all_rows=true")
    heads = table(page, "-events").links
    assert all("all_rows=true" in address and address.endswith("-events") for address in heads.values())
    assert all(f"sort={name}" in " ".join(heads.values()) for name in ("kvp", "dose_rp_gy", "acquisition_plane"))
    down = page_of(client, "biplane", "sort=-dose_area_product_gy_m2&all_rows=true")
    values = [float(one) for one in table(down, "-events").column("DAP")]
    assert values == sorted(values, reverse=True)
    numbers = [row[0] for row in table(down, "-events").rows]
    assert numbers == [row[0] for row in table(down, "-details").rows]  # the same events side by side
    assert numbers != sorted(numbers, key=int)
    assert page_of(client, "biplane", "sort=nothing").count("<tr>") == page_of(client, "biplane").count("<tr>")


def test_what_has_no_value_stands_last_in_either_direction(client: FlaskClient, engine: Engine) -> None:
    store(engine, "ct")
    for direction in ("", "-"):
        page = page_of(client, "ct", f"sort={direction}size_specific_dose_estimate_mgy")
        assert table(page, "-events").column("SSDE") == ["10.9", "–", "–"]


def test_the_archives_page_sorts_them_alike_and_refuses_what_nobody_knows(client: FlaskClient, engine: Engine) -> None:
    store(engine, "ct")
    address = f"/treegarth/studies/{STUDIES['ct']}"
    page = client.get(f"{address}?sort=-dlp_mgy_cm").text
    assert table(page, "-events").column("DLP") == ["690", "312", "6.40"]
    assert f'href="{address}?sort=dlp_mgy_cm#source-ct-1-events"' in page
    assert client.get(f"{address}?order=dlp").status_code == 400


def test_ways_to_the_patient_the_viewer_and_orthanc(client: FlaskClient, engine: Engine) -> None:
    store(engine, "mammogram")
    viewer = f"/treegarth/ohif/viewer?StudyInstanceUIDs={STUDIES['mammogram']}"
    explorer = "/app/explorer.html#instance?uuid=mammogram-0"
    page = page_of(client, "mammogram")
    assert "/treegarth/dose/patient?patient_id=4711" in page
    assert explorer in page
    assert viewer not in page  # no image of it has pixels
    with engine.begin() as connection:
        connection.execute(update(instance).values(rows=40))
        connection.execute(update(study).values(instance_count=9))
    assert viewer in page_of(client, "mammogram")
    with engine.begin() as connection:
        connection.execute(update(instance).values(nesting_depth=40))
    page = page_of(client, "mammogram")
    assert viewer not in page
    assert explorer not in page  # Orthanc would die of it
    with engine.begin() as connection:
        connection.execute(update(dose_report).values(source_deleted_at=LATER))
    assert "/app/explorer.html#instance" not in page_of(client, "mammogram")


def test_an_acquisition_with_a_dose_for_each_phantom_and_estimates_of_organs(
    client: FlaskClient, engine: Engine
) -> None:
    doses_given = [
        {"mean_ctdi_vol_mgy": 20.0, "dlp_mgy_cm": 100.0, "ctdiw_phantom_type": "IEC Head Dosimetry Phantom"},
        {"mean_ctdi_vol_mgy": 10.0, "dlp_mgy_cm": 50.0, "ctdiw_phantom_type": "IEC Body Dosimetry Phantom"},
    ]
    liver = {"code": "10200004", "scheme": "SCT", "meaning": "Liver"}
    estimate = {
        "radiation_dose_estimate_name": "By the vendor",
        "doses": [{"absorbed_dose_mgy": 7.5, "finding_site_code": liver}],
    }
    of_study = {"orthanc_study_id": "study-00001", "study_instance_uid": "1.2.840.99999.1.1"}
    write_report(engine, 1, events=({"irradiation_event_uid": "1.2.9.1", "ct_doses": doses_given},), **of_study)
    write_report(engine, 2, kind=None, totals={"radiation_dose_estimates": [estimate]}, **of_study)
    page = client.get("/treegarth/dose/studies/1.2.840.99999.1.1").text
    (row,) = table(page, "instance-1-events").rows
    assert row == ["1", "20.0 / 10.0", "100 / 50.0", "Head 16 cm / Body 32 cm"]
    assert re.search(r"DLP, sum of the events</dt>\s*<dd title=\"150\">", page)
    (organ,) = table(page, "instance-2-organs").rows
    assert organ == ["1", "Liver", "7.50", "By the vendor"]
