"""Phantoms, quality assurance and service are marked by rules, left out by a filter, and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, ct_dose_report
from tests.dose_registry_support import Archive, Instance, list_doses, note
from treegarth.database.engine import connect, transaction
from treegarth.errors import InvalidRequest
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.store.filters import DoseStudyFilter
from treegarth.features.dose.registry.store.not_patients import (
    NotPatientPatterns,
    add_not_patient_rule,
    count_not_patients,
    list_not_patient_rules,
    remove_not_patient_rule,
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
        return add_not_patient_rule(
            connection, meaning=meaning, patterns=NotPatientPatterns(**patterns), by="anna", now=NOW
        )


def test_a_rule_marks_studies_that_are_there_and_those_that_come(engine: Engine) -> None:
    scan(engine, 1, "PHANTOM_1")
    rule = add(engine, "phantom", patient_id="phantom?*")
    scan(engine, 2, "Phantom-2")
    scan(engine, 3, "4711")
    assert patients(engine) == {"PHANTOM_1": "phantom", "Phantom-2": "phantom", "4711": None}
    assert patients(engine, not_patient=False) == {"4711": None}
    assert set(patients(engine, not_patient=True)) == {"PHANTOM_1", "Phantom-2"}
    with connect(engine) as connection:
        (made,) = list_not_patient_rules(connection)
        assert (made.study_count, made.created_by, made.created_at) == (2, "anna", NOW)
    with transaction(engine) as connection:
        assert remove_not_patient_rule(connection, rule, by="bert", now=NOW)
        assert not remove_not_patient_rule(connection, rule, by="bert", now=NOW)
    assert set(patients(engine).values()) == {None}
    with connect(engine) as connection:
        assert list_not_patient_rules(connection) == []
        assert list_not_patient_rules(connection, with_removed=True)[0].removed_by == "bert"


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
            count_not_patients(connection, NotPatientPatterns(patient_id=pattern))
            for pattern in ("PHANTOM_1", "PHANTOM%", "phantom?1", "PHANTOM!1")
        ]
    assert counts == [0, 0, 1, 0]
    add(engine, "phantom", patient_id="PHANTOM_1")
    assert patients(engine) == {"PHANTOM-1": None}


@pytest.mark.parametrize("patterns", [{}, {"patient_id": ""}, {"patient_id": "*", "equipment": "**"}])
def test_a_rule_that_would_mark_everything_is_refused(engine: Engine, patterns: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        add(engine, "phantom", **patterns)
