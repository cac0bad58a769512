"""Phantoms, quality assurance and service are marked by rules, left out by a filter, and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, ct_dose_report
from tests.dose_registry_support import Archive, Instance, list_doses, note
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.not_patients import (
    NOT_PATIENTS,
    NotPatientPatterns,
    count_marked,
    preview_not_patients,
)

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


def scan(engine: Engine, number: int, patient_id: str) -> None:
    uid = f"1.2.{number}"
    written = ct_dose_report(study_instance_uid=uid)
    written.PatientID, written.StudyDescription = patient_id, "QA 100% daily"
    note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
    read_waiting(engine, Archive(**{f"r{number}": as_file(written)}), limit=10, clock=lambda: NOW)


def patients(engine: Engine, **filters: bool) -> dict[str | None, str | None]:
    with connect(engine) as connection:
        found = list_doses(connection, DoseStudyFilter(**filters)).items
    return {study.patient_id: study.not_patient for study in found}


def add(engine: Engine, meaning: str, **patterns: str) -> int:
    with transaction(engine) as connection:
        document = {"name": f"{meaning} {patterns}", "meaning": meaning, **patterns}
        return NOT_PATIENTS.create(connection, document, Author(name="anna", now=NOW)).id


def test_a_rule_marks_studies_that_are_there_and_those_that_come(engine: Engine) -> None:
    scan(engine, 1, "PHANTOM_1")
    rule = add(engine, "phantom", patient_id="phantom?*")
    scan(engine, 2, "Phantom-2")
    scan(engine, 3, "4711")
    assert patients(engine) == {"PHANTOM_1": "phantom", "Phantom-2": "phantom", "4711": None}
    assert patients(engine, not_patient=False) == {"4711": None}
    assert set(patients(engine, not_patient=True)) == {"PHANTOM_1", "Phantom-2"}
    with connect(engine) as connection:
        (made,) = NOT_PATIENTS.all(connection)
        assert (count_marked(connection), made.changed_by, made.changed_at) == ({rule: 2}, "anna", NOW)
    bert = Author(name="bert", now=NOW)
    for is_on in (False, True):
        with transaction(engine) as connection:
            NOT_PATIENTS.switch(connection, rule, bert, is_on=is_on)
        assert set(patients(engine).values()) == ({"phantom", None} if is_on else {None})
    with transaction(engine) as connection:
        document = {**made.document, "meaning": "qa", "patient_id": "phantom_*"}
        NOT_PATIENTS.edit(connection, rule, document, bert, since=1)
    assert patients(engine) == {"PHANTOM_1": "qa", "Phantom-2": None, "4711": None}
    with transaction(engine) as connection:
        NOT_PATIENTS.remove(connection, rule, bert)
        with pytest.raises(NotFound):
            NOT_PATIENTS.remove(connection, rule, bert)
    assert set(patients(engine).values()) == {None}
    with connect(engine) as connection:
        assert NOT_PATIENTS.all(connection) == []
        assert NOT_PATIENTS.all(connection, removed=True)[0].changed_by == "bert"


def test_every_pattern_of_a_rule_must_match_and_the_first_rule_names_it(engine: Engine) -> None:
    scan(engine, 1, "PHANTOM_1")
    add(engine, "service", patient_id="PHANTOM*", equipment="Another")
    assert patients(engine) == {"PHANTOM_1": None}
    add(engine, "qa", study_description="qa 100% *", equipment="ent*")
    add(engine, "phantom", patient_id="PHANTOM*")
    assert patients(engine) == {"PHANTOM_1": "qa"}


def test_signs_of_sql_are_no_wildcards(engine: Engine) -> None:
    scan(engine, 1, "PHANTOM-1")
    with connect(engine) as connection:
        counts = [
            preview_not_patients(connection, NotPatientPatterns(patient_id=pattern)).study_count
            for pattern in ("PHANTOM_1", "PHANTOM%", "phantom?1", "PHANTOM!1")
        ]
    assert counts == [0, 0, 1, 0]
    add(engine, "phantom", patient_id="PHANTOM_1")
    assert patients(engine) == {"PHANTOM-1": None}


@pytest.mark.parametrize("patterns", [{}, {"patient_id": ""}, {"patient_id": "*", "equipment": "**"}])
def test_a_rule_that_would_mark_everything_is_refused(engine: Engine, patterns: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        add(engine, "phantom", **patterns)
