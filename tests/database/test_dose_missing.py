"""Studies that miss a dose: none of it or a part, what of it, for which device, and what is no reason to look."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, select, update

from tests.database.test_dose_pages import NOON, uids, write_report
from tests.dose_alerts import MISSING as LACKING
from tests.dose_alerts import TELLING, level
from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.documents.store import Author
from treegarth.features.dose.alerts.service import sweep_missing
from treegarth.features.dose.registry.store.exams import refresh_study
from treegarth.features.dose.registry.store.missing_dose import count_missing_by_month
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.tables import administration, dose_report, dose_study
from treegarth.index.tables import series
from treegarth.phrases import P_

ROOT = Path(__file__).resolve().parents[2]
MISSING = "/treegarth/api/v1/dose/missing"
PAGE = "/treegarth/dose/missing"
KEY = "study-00001"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def write_archived(engine: Engine, *modalities: str, number: int = 1, **given: Any) -> None:
    """A study of the index with one series of each modality, each of a device of its own."""
    with engine.begin() as connection:
        key = write_study(connection, number, modalities=list(modalities), **given)
        connection.execute(update(series).where(series.c.orthanc_study_id == key).values(station_name=modalities[0]))
        for place, modality in enumerate(modalities[1:], start=1):
            of_series = {
                "orthanc_series_id": f"series-{number}-{place}",
                "series_instance_uid": f"1.9.{number}.{place}",
            }
            connection.execute(
                insert(series).values(
                    **of_series, orthanc_study_id=key, modality=modality, station_name=modality, last_received_at=NOON
                )
            )


def write_header(engine: Engine, number: int, kind: str, study: int = 1, **event: Any) -> None:
    write_report(
        engine,
        number,
        kind=kind,
        orthanc_study_id=f"study-{study:05}",
        study_instance_uid=f"1.2.840.99999.1.{study}",
        source="header",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
        events=({"kvp": 70.0, **event},),
    )


def write_administration(engine: Engine, number: int, **values: Any) -> None:
    write_report(
        engine, number, kind="radiopharmaceutical", orthanc_study_id=KEY, study_instance_uid="1.2.840.99999.1.1"
    )
    with engine.begin() as connection:
        given = {"orthanc_instance_id": f"instance-{number}", "position": 1, "values": values}
        connection.execute(insert(administration).values(given))
        refresh_study(connection, KEY, NOON)


def of_ct(number: int, **given: Any) -> dict[str, Any]:
    return {"number": number, "orthanc_study_id": KEY, "study_instance_uid": "1.2.840.99999.1.1", **given}


def found(client: FlaskClient, query: str = "") -> list[tuple[str, list[str]]]:
    return [(one["dose"], one["lacks"]) for one in client.get(f"{MISSING}?{query}").get_json()["items"]]


FDG = {"radiopharmaceutical": "FDG", "radionuclide_code": {"code": "C-111A1", "scheme": "SRT", "meaning": "F-18"}}


@pytest.mark.parametrize(
    ("modalities", "lacks"),
    [
        (["CT"], ["ct_dose"]),
        (["CT", "PT"], ["ct_dose", "administered_activity"]),
        (["DX", "MG"], ["dose_area_product", "glandular_dose"]),
        (["NM"], ["administered_activity"]),
        *(([one], ["dose_area_product"]) for one in ("CR", "DX", "IO", "PX", "RF", "RG", "XA")),
    ],
)
def test_a_study_without_any_dose_lacks_all_that_its_modalities_demand(
    client: FlaskClient, engine: Engine, modalities: list[str], lacks: list[str]
) -> None:
    write_archived(engine, *modalities, "SR", "US")
    assert found(client) == [("none", lacks)]


def test_a_pet_ct_whose_ct_gave_no_dose_lacks_the_dose_of_the_ct(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, "CT", "PT")
    write_administration(engine, 1, **FDG, administered_activity_mbq=300.0)
    assert found(client) == [("partly", ["ct_dose"])]
    write_report(engine, **of_ct(2, dlp_total_mgy_cm=300.0))
    assert found(client) == []


def test_a_pet_ct_whose_administration_is_not_told_lacks_the_activity(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, "CT", "NM")
    write_report(engine, **of_ct(1, dlp_total_mgy_cm=300.0))
    assert found(client) == [("partly", ["administered_activity"])]
    write_administration(engine, 2, **FDG)
    assert found(client) == [("partly", ["administered_activity"])]


def test_activities_of_several_nuclides_are_known_though_they_have_no_sum(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, "NM")
    write_administration(engine, 1, **FDG, administered_activity_mbq=300.0)
    other = {"code": "C-163A8", "scheme": "SRT", "meaning": "Tc-99m"}
    write_administration(engine, 2, radionuclide_code=other, administered_activity_mbq=500.0)
    with engine.connect() as connection:
        assert connection.execute(select(dose_study.c.best_administered_activity_mbq)).scalar_one() is None
    assert found(client) == []


def test_a_ct_of_which_only_the_ctdi_vol_of_its_images_is_known_lacks_the_dlp(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "CT")
    write_header(engine, 1, "ct", mean_ctdi_vol_mgy=8.0)
    assert found(client) == [("partly", ["dlp"])]
    assert found(client, "lacks=dlp") == [("partly", ["dlp"])]
    assert found(client, "lacks=ct_dose") == []


def test_dlps_of_two_phantoms_are_known_though_they_have_no_sum(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, "CT")
    write_report(engine, **of_ct(1, dlp_total_mgy_cm=300.0))
    with engine.begin() as connection:
        connection.execute(update(dose_study).values(best_dlp_mgy_cm=None, best_dlp_head_mgy_cm=1.0))
    assert found(client) == []


@pytest.mark.parametrize("known", ["dose_area_product_gy_m2", "dose_rp_gy"])
def test_a_projection_of_which_only_the_exposure_is_known_lacks_its_dose(
    client: FlaskClient, engine: Engine, known: str
) -> None:
    write_archived(engine, "DX")
    write_header(engine, 1, "projection")
    assert found(client) == [("partly", ["dose_area_product"])]
    with engine.begin() as connection:
        connection.execute(update(dose_study).values({f"best_{known}": 1e-5}))
    assert found(client) == []


def test_a_mammography_with_a_dose_area_product_alone_lacks_the_glandular_dose(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "MG")
    write_report(engine, **of_ct(1, kind="mammography", dose_area_product_total_gy_m2=1e-5))
    assert found(client) == [("partly", ["glandular_dose"])]


@pytest.mark.parametrize(
    "values",
    [{"best_glandular_dose_right_mgy": 1.0}, {"unattributed": ["glandular_dose_left_mgy", "glandular_dose_right_mgy"]}],
)
def test_one_breast_or_a_breast_that_is_not_told_is_a_glandular_dose(
    client: FlaskClient, engine: Engine, values: dict[str, Any]
) -> None:
    write_archived(engine, "MG")
    write_header(engine, 1, "mammography")
    assert found(client) == [("partly", ["glandular_dose"])]
    with engine.begin() as connection:
        connection.execute(update(dose_study).values(values))
    assert found(client) == []


def test_beside_mammography_a_dose_area_product_is_the_projections_only_where_one_was_read(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "DX", "MG")
    write_header(engine, 1, "mammography", average_glandular_dose_mgy=1.5, laterality="L", dose_area_product_gy_m2=1e-5)
    assert found(client) == [("partly", ["dose_area_product"])]
    write_header(engine, 2, "projection", dose_area_product_gy_m2=2e-5, date_time_started="20261120120000")
    assert found(client) == []


def test_a_projection_with_glandular_doses_is_a_mammography_by_another_modality(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "DX")
    write_header(engine, 1, "mammography", average_glandular_dose_mgy=1.5, laterality="L")
    assert found(client) == []


def test_a_series_that_comes_later_is_missed_and_one_that_demands_nothing_is_not(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "CT", "MR", "SR", "OT")
    write_report(engine, **of_ct(1, dlp_total_mgy_cm=300.0))
    assert found(client) == []
    with engine.begin() as connection:
        connection.execute(update(dose_study).values(modalities=["CT", "PT", "SR"]))
    assert found(client) == [("partly", ["administered_activity"])]


def test_none_and_partly_are_filtered_and_counted_apart(client: FlaskClient, engine: Engine) -> None:
    days = {"study_date": date(2026, 11, 3)}
    for number in (1, 2, 3):
        write_archived(engine, "CT", number=number, **days)
    write_header(engine, 1, "ct", mean_ctdi_vol_mgy=8.0)
    write_report(engine, 3, dlp_total_mgy_cm=100.0)
    assert [found(client, f"dose={one}") for one in ("none", "partly")] == [
        [("none", ["ct_dose"])],
        [("partly", ["dlp"])],
    ]
    (month,) = client.get(f"{MISSING}/months").get_json()["items"]
    assert (month["study_count"], month["without_dose_count"], month["partial_dose_count"]) == (3, 1, 1)
    assert client.get(f"{PAGE}/months.csv").text.splitlines()[1].endswith("2026-11-01,3,1,1")
    page = client.get(f"{PAGE}?dose=partly").text
    assert 'data-row="1.2.840.99999.1.1"' in page
    assert 'data-row="1.2.840.99999.1.2"' not in page
    assert "in 12 months 1 without dose and 1 with a part of it, of 3" in client.get(PAGE).text


def test_what_lacks_is_counted_for_the_device_whose_series_demand_it(engine: Engine) -> None:
    write_archived(engine, "DX", "MG")
    write_header(engine, 1, "mammography", average_glandular_dose_mgy=1.5, laterality="L")
    with engine.connect() as connection:
        months = {one.station_name: one.partial_dose_count for one in count_missing_by_month(connection)}
    assert months == {"DX": 1, "MG": 0}


def write_refused(engine: Engine, number: int, reason: str, **report: Any) -> None:
    values = {"sop_instance_uid": f"1.7.{number}", "study_instance_uid": "1.2.840.99999.1.1", "orthanc_series_id": "s"}
    with engine.begin() as connection:
        connection.execute(
            insert(dose_report).values(
                orthanc_instance_id=f"refused-{number}", orthanc_study_id=KEY, state="refused", refused=reason,
                report=report, **values,
            )
        )  # fmt: skip


def test_each_row_says_how_many_objects_were_refused_and_why_with_a_link_to_them(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "CT")
    assert len(found(client, "refused=false")) == 1
    assert found(client, "refused=true") == []
    for number, reason in enumerate((P_("Nothing of dose."), "seen elsewhere", P_("Nothing of dose."))):
        write_refused(engine, number, reason)
    assert found(client, "refused=false") == []
    (study,) = client.get(f"{MISSING}?refused=true").get_json()["items"]
    assert study["refused_count"] == 3
    assert study["refusals"] == [{"reason": "Nothing of dose.", "count": 2}, {"reason": "seen elsewhere", "count": 1}]
    page = client.get(PAGE).text
    assert "<li>Nothing of dose. (2)</li>" in page
    assert "/treegarth/studies/1.2.840.99999.1.1#dose" in page
    assert "seen elsewhere" in client.get(f"{PAGE}.csv").text
    assert "seen elsewhere" in client.get("/treegarth/studies/1.2.840.99999.1.1").text


def test_a_study_without_any_object_of_dose_shows_the_alert_of_it(client: FlaskClient, engine: Engine) -> None:
    write_archived(engine, "CT")
    address = "/treegarth/studies/1.2.840.99999.1.1"
    assert 'id="dose"' not in client.get(address).text
    level(engine, LACKING, name="no dose", exams_from="2000-01-01")
    sweep_missing(engine, TELLING, NOON + timedelta(days=2))
    page = client.get(address).text
    assert ('id="dose"' in page, "1 dose alert" in page, "no dose</a>" in page) == (True,) * 3


def test_a_study_that_another_replaces_or_that_is_no_patients_misses_nothing(
    client: FlaskClient, engine: Engine
) -> None:
    write_archived(engine, "CT")
    write_header(engine, 1, "ct", mean_ctdi_vol_mgy=8.0)
    for values in ({"replaced_by": "study-2"}, {"not_patient": "qa"}):
        with engine.begin() as connection:
            connection.execute(update(dose_study).values(replaced_by=None, not_patient=None))
            assert len(count_missing_by_month(connection)) == 1
        assert len(found(client)) == 1
        with engine.begin() as connection:
            connection.execute(update(dose_study).values(values))
            assert count_missing_by_month(connection) == []
        assert found(client) == []


@pytest.mark.parametrize(
    "patterns",
    [
        {"patient_id": "p1"},
        {"patient_name": "doe*", "study_description": "weekly*"},
        {"equipment": "QC?"},
        {"institution_name": "work*"},
    ],
)
def test_of_a_study_without_dose_the_index_and_its_series_tell_whether_a_rule_fits(
    client: FlaskClient, engine: Engine, patterns: dict[str, str]
) -> None:
    for number in (1, 2):
        write_archived(engine, "CT", number=number, study_description="Weekly test" if number == 1 else "Chest")
    with engine.begin() as connection:
        first = update(series).where(series.c.orthanc_study_id == KEY)
        connection.execute(first.values(device_serial_number="QC1", institution_name="Workshop"))
        document = {"name": "weekly", "meaning": "qa", **patterns}
        rule = NOT_PATIENTS.create(connection, document, Author(name="anna", now=NOON))
    assert uids(client.get(MISSING).get_json()) == ["2"]
    with engine.begin() as connection:
        assert sum(month.study_count for month in count_missing_by_month(connection)) == 1
        NOT_PATIENTS.switch(connection, rule.id, Author(name="anna", now=NOON), is_on=False)
    assert len(found(client)) == 2


@pytest.mark.parametrize(
    "said",
    [
        {"quality_control_image": "YES"},
        {"quality_control_subject": "YES"},
        {"intent_code": {"code": "113680", "scheme": "DCM", "meaning": "Quality Control Intent"}},
    ],
)
def test_an_object_without_dose_that_is_for_quality_control_is_no_reason_to_look(
    client: FlaskClient, engine: Engine, said: dict[str, Any]
) -> None:
    write_archived(engine, "DX")
    write_refused(engine, 1, "no dose", quality_control_image="NO")
    assert len(found(client)) == 1
    write_refused(engine, 2, "no dose", **said)
    assert found(client) == []
