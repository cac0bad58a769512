"""What is derived of an exam is written with its decision, counts in statistics, and follows what a site says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from tests.database.test_dose_exams import NOW, Stored, arrive, gone, stored
from tests.database.test_dose_limits import decide_anew
from tests.database.test_dose_pages import API
from tests.dose_exams.truth import BODY
from tests.dose_exams.writing import Written
from tests.unit.dose.test_dose_derived import CHEST, FDG
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.analysis.derived import shipped
from treegarth.features.dose.analysis.store.derived import derived_of_study, not_derived_of_study
from treegarth.features.dose.analysis.tables import derived_dose, exam_dose
from treegarth.features.dose.reading.model import DoseReading, StudyContext
from treegarth.features.dose.registry import acts
from treegarth.features.dose.registry.acts import Person
from treegarth.features.dose.registry.store.modalities import note_modalities
from treegarth.index.studies import StudyKey
from treegarth.index.tables import patient, study

ROOT = Path(__file__).resolve().parents[2]
OURS = {
    "name": "ours", "table": "radiopharmaceutical", "of": "SCT:35321007", "age_group": "adult", "value": 0.03,
    "source": "us, table 1",
}  # fmt: skip
F18 = {"code": "C-111A1", "scheme": "SRT", "meaning": "^18^Fluorine"}


@dataclass(frozen=True, kw_only=True)
class OfPatient(Stored):
    """An object that tells of the patient, too."""

    age: str | None = "063Y"
    weight: float | None = 80.0

    def reading(self) -> DoseReading:
        told = StudyContext(
            patient_id=self.patient_id, patient_age=self.age, patient_weight_kg=self.weight, study_date=date(2026, 3, 2)
        )
        return replace(super().reading(), study=told)


def written(name: str, kind: str, *events: dict[str, Any], is_report: bool = True) -> Written:
    return Written(
        name=name, sop_instance_uid=f"1.7.{name}", kind=kind, is_report=is_report, device="D", series=name,
        received_at=NOW, events=events,
    )  # fmt: skip


def scan(dlp: float, **more: Any) -> dict[str, Any]:
    told = {"irradiation_event_uid": f"1.9.{dlp}", "dlp_mgy_cm": dlp, "ctdiw_phantom_type": BODY}
    return told | {"target_region_code": CHEST} | more


def injection(activity: float) -> dict[str, Any]:
    return {
        "administered_activity_mbq": activity, "agent_code": FDG, "radionuclide_code": F18,
        "start": "20260302100000", "acquired": "20260302110000", "series_started": "20260302110000",
    }  # fmt: skip


def of_patient(one: Written, number: int = 1, **more: Any) -> list[Stored]:
    (told,) = stored([one], number, "P")
    names = ("written", "orthanc_instance_id", "orthanc_study_id", "study_instance_uid", "patient_id", "received_at")
    return [OfPatient(**{name: getattr(told, name) for name in names}, sop_instance_uid=told.sop_instance_uid, **more)]


def statistics(engine: Engine) -> dict[tuple[str, str], float]:
    with connect(engine) as connection:
        rows = connection.execute(select(exam_dose.c.quantity, exam_dose.c.modality, exam_dose.c.value)).all()
    return {(one.quantity, one.modality): one.value for one in rows}


def test_ct_and_pet_are_derived_with_the_decision_and_stand_in_statistics(engine: Engine) -> None:
    ct = of_patient(written("ct", "ct", scan(400.0)))
    pet = of_patient(written("pt", "radiopharmaceutical", injection(394.0), is_report=False))
    arrive(engine, [*ct, *pet], Random(1))
    found = statistics(engine)
    assert found["effective_dose_ct_msv", "CT"] == pytest.approx(5.6)
    assert found["effective_dose_nm_msv", "OT"] == pytest.approx(7.486)
    assert found["activity_at_scan_mbq", "OT"] == pytest.approx(394 * 2 ** (-3600 / 6586.2))
    assert found["activity_per_weight_mbq_per_kg", "OT"] == pytest.approx(394 / 80)
    with connect(engine) as connection:
        derived = derived_of_study(connection, "P 1")
        assert not_derived_of_study(connection, "P 1") == []
    assert [one.quantity for one in derived] == [
        "effective_dose_ct_msv", "effective_dose_nm_msv", "activity_at_scan_mbq", "activity_per_weight_mbq_per_kg",
    ]  # fmt: skip
    (line,) = derived[0].details["lines"]
    assert (line["of"], line["value"]) == ("1: Chest, 32 cm", pytest.approx(5.6))
    assert "AAPM Report 96" in line["source"]


def test_none_is_kept_with_its_reason_until_the_input_comes(engine: Engine) -> None:
    first = of_patient(written("ct", "ct", scan(400.0, target_region_code=None)))
    arrive(engine, first, Random(1))
    with connect(engine) as connection:
        (missing,) = not_derived_of_study(connection, "P 1")
    assert (missing.quantity, missing.reason) == (
        "effective_dose_ct_msv",
        "Event 1 tells no region of the body.",
    )
    assert ("effective_dose_ct_msv", "CT") not in statistics(engine)
    told = written("ct", "ct", scan(400.0))
    arrive(engine, [replace(one, written=told, orthanc_instance_id="again") for one in first], Random(1))
    with connect(engine) as connection:
        assert not_derived_of_study(connection, "P 1") == []
    assert statistics(engine)["effective_dose_ct_msv", "CT"] == pytest.approx(5.6)


def test_what_is_left_out_or_gone_has_nothing_derived(engine: Engine) -> None:
    objects = of_patient(written("ct", "ct", scan(400.0)))
    arrive(engine, objects, Random(1))
    key = StudyKey(orthanc_study_id="P 1", study_instance_uid="1.2.1")
    with transaction(engine) as connection:
        acts.void(connection, key, None, Person(name="p", now=NOW, reason="a phantom"))
    with connect(engine) as connection:
        assert connection.execute(select(derived_dose)).all() == []
    assert statistics(engine) == {}
    gone(engine, objects)


def test_the_modality_of_an_administration_is_that_of_images_which_come_later(engine: Engine) -> None:
    arrive(engine, of_patient(written("sr", "radiopharmaceutical", injection(100.0))), Random(1))
    with transaction(engine) as connection:
        connection.execute(patient.insert().values(orthanc_patient_id="p"))
        archived = {"orthanc_study_id": "P 1", "orthanc_patient_id": "p", "study_instance_uid": "1.2.1"}
        connection.execute(study.insert().values(**archived, modalities=["PT"]))
        note_modalities(connection, [_Instance()])  # type: ignore[list-item]
    assert statistics(engine)["effective_dose_nm_msv", "PT"] == pytest.approx(1.9)


class _Instance:
    orthanc_study_id = "P 1"


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    arrive(engine, of_patient(written("sr", "radiopharmaceutical", injection(100.0))), Random(1))
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def test_a_site_s_coefficient_has_every_dose_derived_anew_and_is_taken_back(
    client: FlaskClient, engine: Engine
) -> None:
    def value() -> float:
        return statistics(engine)["effective_dose_nm_msv", "OT"]

    assert value() == pytest.approx(1.9)
    made = client.post(f"{API}/coefficients", json={"document": OURS})
    assert made.status_code == 201
    again = client.post(f"{API}/coefficients", json={"document": OURS | {"name": "another"}})
    assert again.status_code == 409
    decide_anew(engine)
    assert value() == pytest.approx(3.0)
    answer = client.get(f"{API}/studies/1.2.1").get_json()
    told = {one["quantity"]: one for one in answer["derived"]}["effective_dose_nm_msv"]
    assert (told["value"], told["details"]["lines"][0]["is_site"]) == (pytest.approx(3.0), True)
    assert {one["quantity"] for one in answer["not_derived"]} == set()
    held = [one for one in client.get(f"{API}/coefficients/held").get_json()["items"] if not one["is_built_in"]]
    assert [(one["of"], one["value"], one["source"]) for one in held] == [("SCT:35321007", 0.03, "us, table 1")]
    assert client.delete(f"{API}/coefficients/{made.get_json()['id']}").status_code in (200, 204)
    decide_anew(engine)
    assert value() == pytest.approx(1.9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_group": None},
        {"phantom": "head"},
        {"of": "FDG"},
        {"value": 0},
        {"source": ""},
        {"table": "ct", "of": "somewhere", "phantom": "body"},
        {"table": "ct", "of": "chest", "phantom": "body", "value": 1.5},
        {"table": "half_life", "of": "FDG", "age_group": None},
    ],
)
def test_a_coefficient_that_says_too_little_is_refused(client: FlaskClient, wrong: dict[str, Any]) -> None:
    refused = client.post(f"{API}/coefficients", json={"document": OURS | wrong})
    assert refused.status_code == 400


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_pages_show_what_was_derived_and_by_which_source(client: FlaskClient, language: str) -> None:
    headers = {"Accept-Language": language}
    exam = client.get("/treegarth/dose/studies/1.2.1", headers=headers).text
    assert "7.486" not in exam
    assert "1.90" in exam
    assert "ICRP Publication 106" in exam
    page = client.get("/treegarth/dose/coefficients", headers=headers).text
    assert all(one.source.split(";")[0].split("'")[0] in page for one in shipped() if "&" not in one.source)
    client.post(f"{API}/coefficients", json={"document": OURS})
    assert "us, table 1" in client.get("/treegarth/dose/coefficients", headers=headers).text
