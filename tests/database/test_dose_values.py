"""The rows of statistics say what the registry says, at every moment: of exams, of their events, of no phantom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, note
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.analysis.tables import event_dose, exam_dose, exam_name, protocol_name
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.store.modalities import forget_modalities, note_modalities
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.tables import dose_study, irradiation_event
from treegarth.index.tables import patient, study

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


def scan(engine: Engine, number: int, patient_id: str = "4711") -> None:
    uid = f"1.2.{number}"
    written = ct_dose_report(ct_acquisition(f"{uid}.7"), study_instance_uid=uid)
    written.PatientID, written.StudyDescription = patient_id, "Thorax"
    note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
    read_waiting(engine, Archive(**{f"r{number}": as_file(written)}), limit=10, clock=lambda: NOW)


def exams(engine: Engine) -> dict[tuple[str, str, str], float]:
    with connect(engine) as connection:
        rows = connection.execute(select(exam_dose)).all()
    return {(one.orthanc_study_id, one.modality, one.quantity): one.value for one in rows}


def test_a_study_has_a_row_for_each_quantity_that_is_known(engine: Engine) -> None:
    scan(engine, 1)
    with connect(engine) as connection:
        exam = connection.execute(select(dose_study)).one()
        events = connection.execute(select(irradiation_event)).all()
        named = connection.execute(select(exam_name)).one()
        protocols = connection.execute(select(protocol_name.c.name, protocol_name.c.modality)).all()
        of_events = connection.execute(select(event_dose)).all()
    key = exam.orthanc_study_id
    found = exams(engine)
    assert found[key, "CT", "dlp_mgy_cm"] == exam.best_dlp_mgy_cm
    assert found[key, "CT", "ctdi_vol_max_mgy"] == exam.best_ctdi_vol_max_mgy
    assert found[key, "CT", "irradiation_event_count"] == exam.irradiation_event_count
    assert not [one for one in found if one[2].startswith(("glandular", "dose_area"))]
    assert (named.modality, named.study_description, named.protocols) == ("CT", "Thorax", exam.protocols)
    with_dose = {(one.position, one.dlp_mgy_cm, one.mean_ctdi_vol_mgy) for one in events if one.dlp_mgy_cm is not None}
    assert {(one.position, one.dlp_mgy_cm, one.mean_ctdi_vol_mgy) for one in of_events} == with_dose
    assert {one.acquisition_protocol for one in events} >= {name for name, _ in protocols}
    assert {modality for _, modality in protocols} == {"CT"}


def test_two_exams_that_are_called_the_same_share_a_name(engine: Engine) -> None:
    scan(engine, 1)
    scan(engine, 2)
    with connect(engine) as connection:
        assert len(connection.execute(select(exam_name)).all()) == 1
        assert len({one.orthanc_study_id for one in connection.execute(select(exam_dose))}) == 2


def test_what_is_no_patient_leaves_and_comes_back(engine: Engine) -> None:
    scan(engine, 1)
    scan(engine, 2, "PHANTOM")
    before = exams(engine)
    bert = Author(name="bert", now=NOW)
    with transaction(engine) as connection:
        document = {"name": "phantoms", "meaning": "phantom", "patient_id": "PHANTOM"}
        rule = NOT_PATIENTS.create(connection, document, bert)
    left = exams(engine)
    assert {one[0] for one in left} < {one[0] for one in before}
    with transaction(engine) as connection:
        NOT_PATIENTS.switch(connection, rule.id, bert, is_on=False)
    assert exams(engine) == before


def test_a_study_that_is_decided_again_has_its_rows_once(engine: Engine) -> None:
    scan(engine, 1)
    before = exams(engine)
    with transaction(engine) as connection:
        key = connection.execute(select(dose_study.c.orthanc_study_id)).scalar_one()
        decide_studies(connection, [key, key], NOW)
    assert exams(engine) == before


@dataclass(frozen=True)
class Indexed:
    orthanc_study_id: str


def test_the_modality_of_a_projection_is_that_of_images_which_come_later(engine: Engine) -> None:
    scan(engine, 1)
    with transaction(engine) as connection:
        key = connection.execute(select(dose_study.c.orthanc_study_id)).scalar_one()
        told = {"kinds": ["projection"], "modalities": ["SR"], "best_dose_area_product_gy_m2": 0.001}
        connection.execute(update(dose_study).values(**told))
        refresh_values(connection, [key])
    assert exams(engine)[key, "OT", "dose_area_product_gy_m2"] == 0.001
    with transaction(engine) as connection:
        connection.execute(insert(patient).values(orthanc_patient_id="p"))
        stored = {"orthanc_study_id": key, "orthanc_patient_id": "p", "study_instance_uid": "1.2.1"}
        connection.execute(insert(study).values(**stored, modalities=["RF", "SR", "XA"]))
        note_modalities(connection, [Indexed(key)])  # type: ignore[list-item]
    assert exams(engine)[key, "XA", "dose_area_product_gy_m2"] == 0.001
    assert not [one for one in exams(engine) if one[1] == "OT"]
    with transaction(engine) as connection:  # what was X-ray angiography is stored again as something else
        connection.execute(update(study).values(modalities=["CR"]))
        forget_modalities(connection, [Indexed(key)])  # type: ignore[list-item]
        assert connection.execute(select(dose_study.c.modalities)).scalar_one() == ["CR"]
    assert [one[1] for one in exams(engine) if one[2] == "dose_area_product_gy_m2"] == ["CR"]


def test_of_two_that_make_the_rows_of_one_study_the_later_one_waits(engine: Engine) -> None:
    scan(engine, 1)
    (key,) = {one[0] for one in exams(engine)}
    with transaction(engine) as first:
        refresh_values(first, [key])
        with engine.connect() as second:
            second.execute(text("SET LOCAL lock_timeout = '200ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                refresh_values(second, [key])


@pytest.mark.parametrize(
    ("head", "body", "unattributed", "doubts", "phantom"),
    [
        (None, 500.0, [], [], "body"),
        (None, 500.0, ["dlp_mgy_cm"], [], "unknown"),
        (500.0, None, ["dlp_mgy_cm"], [], "unknown"),
        (500.0, None, None, [], "head"),
        (500.0, 400.0, ["dlp_mgy_cm"], [], "both"),
        (500.0, 400.0, None, ["dlp_mgy_cm:phantoms_mixed"], "both"),
        (500.0, 4.0, None, [], "head"),  # the localizers are of the other
        (4.0, 500.0, None, ["dlp_mgy_cm:rounded"], "body"),
        (None, None, None, None, "unknown"),
    ],
)
def test_a_dlp_of_which_a_part_is_of_no_phantom_is_of_none(
    engine: Engine,
    head: float | None,
    body: float | None,
    unattributed: list[str] | None,
    doubts: list[str] | None,
    phantom: str,
) -> None:
    scan(engine, 1)
    with transaction(engine) as connection:
        key = connection.execute(select(dose_study.c.orthanc_study_id)).scalar_one()
        told = {"best_dlp_mgy_cm": 1450.0, "best_dlp_head_mgy_cm": head, "best_dlp_body_mgy_cm": body}
        connection.execute(update(dose_study).values(**told, unattributed=unattributed, doubts=doubts))
        refresh_values(connection, [key])
        of_dlp = select(exam_dose.c.phantom).where(exam_dose.c.quantity == "dlp_mgy_cm")
        assert connection.execute(of_dlp).scalar_one() == phantom


@pytest.mark.parametrize(
    ("kinds", "modalities", "modality"),
    [
        (["mammography"], ["MG", "SR"], "MG"),
        (["mammography"], ["SR"], "MG"),
        (["mammography", "projection"], ["DX", "MG"], "DX"),
        (["projection"], ["SR"], "OT"),
    ],
)
def test_the_dose_area_product_of_mammograms_is_theirs(
    engine: Engine, kinds: list[str], modalities: list[str], modality: str
) -> None:
    scan(engine, 1)
    with transaction(engine) as connection:
        key = connection.execute(select(dose_study.c.orthanc_study_id)).scalar_one()
        told = {"kinds": kinds, "modalities": modalities, "best_dose_area_product_gy_m2": 0.001}
        connection.execute(update(dose_study).values(**told))
        refresh_values(connection, [key])
    assert exams(engine)[key, modality, "dose_area_product_gy_m2"] == 0.001
