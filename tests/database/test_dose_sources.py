"""Image headers as sources: what a study's dose is does not depend on what arrives when, or how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from sqlalchemy import delete, select
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, container, ct_acquisition, ct_dose_report, num, report, uidref
from tests.dose_image_builder import (
    DX_FOR_PRESENTATION,
    DX_FOR_PROCESSING,
    MG_FOR_PRESENTATION,
    MG_FOR_PROCESSING,
    NM,
    PET,
    SECONDARY_CAPTURE,
    XA,
    ct_image,
    image,
    nuclear_image,
    projection_image,
)
from tests.dose_registry_support import Archive, Instance, index, note, read
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry.candidates import SAMPLE, SECONDARY_CAPTURES
from treegarth.features.dose.registry.store.reports import reports_of_study
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index import tables

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


def arrive(engine: Engine, **objects: Dataset) -> None:
    """Objects of study 1.2.3 are indexed and read, one after the other."""
    for name, dataset in objects.items():
        modality = dataset.get("Modality", "CT") if dataset.SOPClassUID == SECONDARY_CAPTURE else None
        instance = Instance(name, dataset.SOPInstanceUID, sop_class_uid=dataset.SOPClassUID, modality=modality)
        index(engine, instance)
        note(engine, instance)
        read(engine, Archive(**{name: as_file(dataset)}), NOW)


def exam(engine: Engine) -> dict[str, Any]:
    with connect(engine) as connection:
        (row,) = connection.execute(select(dose_study)).all()
    return {name: value for name, value in row._mapping.items() if name != "changed_at"}


def fluoroscopy_report(sop_instance_uid: str, *events: str) -> Dataset:
    content = [container("113706", uidref("113769", event), num("122130", "0.00002", "Gy.m2")) for event in events]
    total = container("113702", num("113722", f"{0.00002 * len(events):.6f}", "Gy.m2"))
    return report(total, *content, sop_instance_uid=sop_instance_uid)


def capture(sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.CTDIvol, item.AcquisitionType = 7.5, "SPIRAL"
    return image(SECONDARY_CAPTURE, sop_instance_uid, ExposureDoseSequence=[item])


def test_an_image_is_a_source_and_its_pixels_are_not_fetched(engine: Engine) -> None:
    arrive(engine, a=projection_image(DX_FOR_PRESENTATION, "1.2.3.1"))
    found = exam(engine)
    assert (found["source"], found["rule"], found["irradiation_event_count"]) == ("header", "single", 1)
    assert found["dose_area_product_total_gy_m2"] is None
    assert found["dose_area_product_of_events_gy_m2"] == pytest.approx(2.5e-5)


def test_for_processing_and_for_presentation_are_one_exposure(engine: Engine) -> None:
    arrive(
        engine,
        a=projection_image(MG_FOR_PRESENTATION, "1.2.3.1", OrganDose="0.012"),
        b=projection_image(MG_FOR_PROCESSING, "1.2.3.2", IrradiationEventUID="1.9.1"),
        c=projection_image(MG_FOR_PRESENTATION, "1.2.3.3", began="20240229101600"),
    )
    found = exam(engine)
    assert (found["rule"], found["irradiation_event_count"]) == ("exposures+same_exposure", 2)
    superseded = [one for one in found["decisions"] if not one["counted"]]
    assert [(one["orthanc_instance_id"], one["because_of"]) for one in superseded] == [("a", "b")]


def test_a_report_supersedes_headers_of_its_kind(engine: Engine) -> None:
    arrive(
        engine,
        a=projection_image(DX_FOR_PRESENTATION, "1.2.3.1"),
        b=fluoroscopy_report("1.2.3.2", "1.9.1", "1.9.2"),
        c=nuclear_image(NM, "1.2.3.3", dose="600"),
    )
    found = exam(engine)
    assert (found["rule"], found["source"], found["irradiation_event_count"]) == ("superseded", "report", 2)
    assert found["dose_area_product_total_gy_m2"] == pytest.approx(4e-5)
    assert (found["administration_count"], found["administered_activity_mbq"]) == (1, 600)
    assert found["counted_report_ids"] == ["b", "c"]
    with connect(engine) as connection:
        shown = reports_of_study(connection, "study 1.2.3")
        assert [one.orthanc_instance_id for one in shown] == ["b", "c"]
        assert len(reports_of_study(connection, "study 1.2.3", all_images=True)) == 3


def test_however_many_images_tell_of_it_there_is_one_administration(engine: Engine) -> None:
    arrive(engine, **{f"n{number}": nuclear_image(NM, f"1.2.3.{number}", dose="600") for number in range(4)})
    found = exam(engine)
    assert (found["administration_count"], found["administered_activity_mbq"], found["rule"]) == (
        1, 600, "same_exposure",
    )  # fmt: skip


def test_a_second_administration_is_told_by_its_time(engine: Engine) -> None:
    arrive(
        engine,
        rest=nuclear_image(NM, "1.2.3.1", dose="300"),
        stress=nuclear_image(NM, "1.2.3.2", dose="900", start="141500"),
    )
    found = exam(engine)
    assert (found["administration_count"], found["administered_activity_mbq"]) == (2, 1200)


def test_of_a_ct_series_a_few_images_are_read_and_give_no_dlp(engine: Engine) -> None:
    files = {f"i{number}": ct_image(f"1.2.3.{number}") for number in range(9, 0, -1)}
    arrive(engine, **files)
    with connect(engine) as connection:
        assert set(connection.execute(select(dose_report.c.orthanc_instance_id)).scalars()) == {"i1", "i2"}
    found = exam(engine)
    assert (found["irradiation_event_count"], found["mean_ctdi_vol_max_mgy"], found["dlp_total_mgy_cm"]) == (
        1, 8.5, None,
    )  # fmt: skip
    assert SAMPLE == 2


def test_a_captured_page_goes_before_headers_and_after_a_report(engine: Engine) -> None:
    arrive(engine, a=ct_image("1.2.3.1"), b=capture("1.2.3.2"))
    assert (exam(engine)["source"], exam(engine)["mean_ctdi_vol_max_mgy"]) == ("capture", 7.5)
    arrive(engine, c=ct_dose_report(sop_instance_uid="1.2.3.3"))
    assert (exam(engine)["source"], exam(engine)["dlp_total_mgy_cm"]) == ("report", 310.5)
    assert SECONDARY_CAPTURE in SECONDARY_CAPTURES


def test_a_run_beside_a_report_of_its_device_adds_nothing(engine: Engine) -> None:
    arrive(engine, a=projection_image(XA, "1.2.3.1"))
    assert (exam(engine)["source"], exam(engine)["best_dose_area_product_gy_m2"]) == ("header", pytest.approx(2.5e-5))
    arrive(engine, b=fluoroscopy_report("1.2.3.2", "1.9.1", "1.9.2"))
    assert (exam(engine)["source"], exam(engine)["best_dose_area_product_gy_m2"]) == ("report", pytest.approx(4e-5))
    assert exam(engine)["rule"] == "superseded"


def test_an_x_ray_image_that_came_as_secondary_capture_is_a_header(engine: Engine) -> None:
    told = {"Modality": "MG", "KVP": "28", "OrganDose": "0.0026", "ImageLaterality": "L"}
    arrive(
        engine,
        a=image(SECONDARY_CAPTURE, "1.2.3.1", ImageType=["ORIGINAL", "PRIMARY"], **told),
        b=image(SECONDARY_CAPTURE, "1.2.3.2", ImageType=["DERIVED", "PRIMARY"], **told),
    )
    assert (exam(engine)["source"], exam(engine)["report_count"]) == ("header", 1)
    assert exam(engine)["best_glandular_dose_left_mgy"] == pytest.approx(0.26)
    with connect(engine) as connection:
        refused = select(dose_report.c.orthanc_instance_id).where(dose_report.c.refused.is_not(None))
        assert connection.execute(refused).scalars().all() == ["b"]
        assert len(reports_of_study(connection, "study 1.2.3")) == 1


def test_a_total_that_is_not_the_sum_is_flagged(engine: Engine) -> None:
    arrive(engine, a=ct_dose_report(ct_acquisition(dlp_mgy_cm="300"), dlp_total="310"))
    assert exam(engine)["differences"] == ["dlp_total_mgy_cm"]
    arrive(engine, a=ct_dose_report(ct_acquisition(dlp_mgy_cm="310.4"), dlp_total="310"))
    assert exam(engine)["differences"] == []


def ct_reports() -> dict[str, Dataset]:
    events = [ct_acquisition(f"1.9.{number}", dlp_mgy_cm="100") for number in (1, 2, 3)]
    return {
        "first": ct_dose_report(events[0], dlp_total="100", sop_instance_uid="1.2.3.1"),
        "larger": ct_dose_report(*events[:2], dlp_total="200", sop_instance_uid="1.2.3.2"),
        "again": ct_dose_report(*events[:2], dlp_total="200", sop_instance_uid="1.2.3.3"),
        "other": ct_dose_report(events[2], dlp_total="100", sop_instance_uid="1.2.3.4"),
    }


STUDIES = {
    "CT with reports": {**ct_reports(), **{f"i{n}": ct_image(f"1.2.3.5{n}") for n in range(4)}},
    "CT without": {f"i{n}": ct_image(f"1.2.3.5{n}", acquisition=n % 3, ctdi_vol=float(n + 1)) for n in range(6)},
    "PET-CT": {
        **{f"p{n}": nuclear_image(PET, f"1.2.3.6{n}") for n in range(4)},
        **{f"i{n}": ct_image(f"1.2.3.5{n}") for n in range(3)},
        "page": capture("1.2.3.7"),
    },
    "mammography": {
        f"m{n}": projection_image(
            MG_FOR_PRESENTATION if n % 2 else MG_FOR_PROCESSING,
            f"1.2.3.8{n}",
            began=f"2024022910150{n // 2}",
            **({"IrradiationEventUID": f"1.9.{n // 2}"} if n in (0, 1, 2) else {}),
        )
        for n in range(6)
    },
    "radiography": {
        **{f"d{n}": projection_image(DX_FOR_PROCESSING, f"1.2.3.9{n}") for n in range(2)},
        "overlapping": fluoroscopy_report("1.2.3.1", "1.9.1", "1.9.2"),
        "with it": fluoroscopy_report("1.2.3.2", "1.9.2", "1.9.3"),
    },
}


@pytest.mark.parametrize("name", STUDIES)
def test_any_order_and_repetition_of_arrival_gives_the_same_rows(engine: Engine, name: str) -> None:
    objects = {key: as_file(dataset) for key, dataset in STUDIES[name].items()}
    archive = Archive(**objects)
    instances = {
        key: Instance(
            key,
            dataset.SOPInstanceUID,
            sop_class_uid=dataset.SOPClassUID,
            modality="CT" if dataset.SOPClassUID == SECONDARY_CAPTURE else None,
        )
        for key, dataset in STUDIES[name].items()
    }
    rows: list[dict[str, Any]] = []

    @settings(max_examples=12, database=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(sorted(objects)), st.lists(st.sampled_from(sorted(objects)), max_size=4), st.data())
    def arrives(order: list[str], again: list[str], data: st.DataObject) -> None:
        with transaction(engine) as connection:
            connection.execute(delete(dose_report))
            connection.execute(delete(dose_study))
            connection.execute(delete(tables.instance))
        for key in [*order, *again]:
            index(engine, instances[key])
            note(engine, instances[key])
            if data.draw(st.booleans()):
                read(engine, archive, NOW)
        read(engine, archive, NOW)
        rows.append(exam(engine))
        assert rows[-1] == rows[0]

    arrives()
