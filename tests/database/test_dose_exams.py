"""Exams of several patients through the database: however they are written, corrected, sent again and deleted, each
patient's sums are the true ones, and a device counts each exam once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.engine import Engine

from tests.dose_exams.truth import BODY, HEAD, Drawing, TrueExam
from tests.dose_exams.writing import Writer, Written
from tests.works import dose_runner, latest_of
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.reading.model import DoseReading, Equipment, StudyContext
from treegarth.features.dose.registry.pages.equipment import EQUIPMENT
from treegarth.features.dose.registry.service import decide_undecided, follow_deleted
from treegarth.features.dose.registry.store import exams as exams_store
from treegarth.features.dose.registry.store import queue, readings, redecision
from treegarth.features.dose.registry.store.equipment import select_equipment
from treegarth.features.dose.registry.store.timeline import AmbiguousPatient, patient_timeline
from treegarth.features.dose.registry.tables import dose_report, dose_study, dose_undecided
from treegarth.features.dose.registry.works import REDECIDING
from treegarth.work.runner import GIVES_WAY

NOW = datetime(2026, 4, 1, tzinfo=UTC)
WORLDS = 60 if os.environ.get("TREEGARTH_SOAK") else 12
SR, DX = "1.2.840.10008.5.1.4.1.1.88.67", "1.2.840.10008.5.1.4.1.1.1.1"


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An object in the archive: what the index says of it, and what is read of it."""

    written: Written
    orthanc_instance_id: str
    orthanc_study_id: str
    study_instance_uid: str
    patient_id: str
    received_at: datetime
    sop_instance_uid: str
    modified_from: str | None = None
    modality: str | None = None
    size_bytes: int = 1000
    header_checksum: int | None = None

    @property
    def orthanc_series_id(self) -> str:
        return f"{self.written.series} of {self.orthanc_study_id}"

    @property
    def sop_class_uid(self) -> str:
        return SR if self.written.is_report else DX

    def reading(self) -> DoseReading:
        events = self.written.events
        is_given = self.written.kind == "radiopharmaceutical"
        return DoseReading(
            sop_class_uid=self.sop_class_uid,
            sop_instance_uid=self.sop_instance_uid,
            study_instance_uid=self.study_instance_uid,
            kind=self.written.kind,  # type: ignore[arg-type]
            totals=self.written.totals,
            irradiation_events=() if is_given else events,
            administrations=events if is_given else (),
            report=self.written.report,
            equipment=Equipment(manufacturer="Treebeard", device_serial_number=self.written.device),
            study=StudyContext(patient_id=self.patient_id),
        )


def stored(exam: list[Written], number: int, patient: str, *, of: str = "") -> list[Stored]:
    return [
        Stored(
            written=one,
            orthanc_instance_id=f"{of}{patient} {number} {one.name}",
            orthanc_study_id=f"{of}{patient} {number}",
            study_instance_uid=f"1.2.{number}",
            patient_id=patient,
            received_at=one.received_at,
            sop_instance_uid=one.sop_instance_uid,
        )
        for one in exam
    ]


def corrected(objects: list[Stored], patient: str, chance: Random, later: timedelta) -> list[Stored]:
    """The same exam under another patient: sent again, or modified by Orthanc with UIDs kept or new."""
    way = chance.choice(("sent again", "modified", "modified, new UIDs"))
    number = objects[0].study_instance_uid.rsplit(".")[-1]
    is_new = way == "modified, new UIDs"
    return [
        replace(
            one,
            orthanc_instance_id=f"{patient} of {one.orthanc_instance_id}",
            orthanc_study_id=f"{patient} {number} of {one.orthanc_study_id}",
            study_instance_uid=f"{one.study_instance_uid}.1" if is_new else one.study_instance_uid,
            sop_instance_uid=f"{one.sop_instance_uid}.1" if is_new else one.sop_instance_uid,
            patient_id=patient,
            received_at=one.received_at + later,
            modified_from=None if way == "sent again" else one.orthanc_instance_id,
        )
        for one in objects
    ]


def arrive(engine: Engine, objects: list[Stored], chance: Random) -> None:
    """Everything is noted and read, in any order; what has something in common is decided now and then."""
    order = list(objects)
    chance.shuffle(order)
    by_name = {one.orthanc_instance_id: one for one in order}
    with transaction(engine) as connection:
        queue.note_sources(connection, order)
    for _ in order:
        with transaction(engine) as connection:
            claim = queue.claim_next(connection, NOW + timedelta(days=36_500), timedelta(seconds=60))
            assert claim is not None
            one = by_name[claim.orthanc_instance_id]
            assert readings.write_reading(connection, claim, one.reading(), NOW, modified_from=one.modified_from)
        if chance.random() < 0.1:
            decide_undecided(engine, lambda: NOW)
    decide_undecided(engine, lambda: NOW)


def gone(engine: Engine, objects: list[Stored]) -> None:
    with transaction(engine) as connection:
        follow_deleted(connection, [one.orthanc_instance_id for one in objects], NOW)
    decide_undecided(engine, lambda: NOW)


def true_sums(exams: list[TrueExam]) -> dict[tuple[str, str | None], float]:
    sums: dict[tuple[str, str | None], float] = defaultdict(float)
    names = {
        "dose_area_product_gy_m2": ("dose_area_product_total_gy_m2", None),
        "dose_rp_gy": ("dose_rp_total_gy", None),
        "dlp_head_mgy_cm": ("dlp_total_mgy_cm", HEAD),
        "dlp_body_mgy_cm": ("dlp_total_mgy_cm", BODY),
        "glandular_dose_left_mgy": ("glandular_dose_left_mgy", None),
        "glandular_dose_right_mgy": ("glandular_dose_right_mgy", None),
    }
    for exam in exams:
        best = exam.best()
        for quantity, name in names.items():
            if quantity in best:
                sums[name] += best[quantity]
        for nuclide, activity in exam.activities().items():
            sums["administered_activity_mbq", nuclide] += activity
    return dict(sums)


def sums_of(engine: Engine, patient: str) -> dict[tuple[str, str | None], float]:
    with connect(engine) as connection:
        return {(one.name, one.of): one.value for one in patient_timeline(connection, patient).cumulative}


def is_wholly_told(exam: TrueExam, objects: list[Written]) -> bool:
    """Images of a CT tell no DLP: of such an exam the sums cannot be the true ones."""
    told = {one.device for one in objects if one.is_report}
    return all(device.kind != "ct" or device.name in told for device in exam.devices)


def drawn(chance: Random, drawing: Drawing) -> Iterator[tuple[TrueExam, list[Written]]]:
    while True:
        exam = drawing.exam()
        objects = Writer(exam, drawing, is_clean=True).write()
        if is_wholly_told(exam, objects):
            yield exam, objects


def empty(engine: Engine) -> None:
    with transaction(engine) as connection:
        for table in (dose_undecided, dose_study, dose_report):
            connection.execute(delete(table))


def test_each_patients_sums_are_true_whatever_was_corrected_and_deleted(engine: Engine) -> None:
    for seed in range(WORLDS):
        empty(engine)
        chance = Random(seed)
        exams = drawn(chance, Drawing(chance))
        right: dict[str, list[TrueExam]] = {"Anna": [], "Berta": [], "Clara": []}
        objects: list[Stored] = []
        wrong: list[list[Stored]] = []
        for number in range(chance.randrange(2, 5)):
            exam, written = next(exams)
            owner = chance.choice(sorted(right))
            place = stored(written, number, chance.choice(sorted(right)) if chance.random() < 0.6 else owner)
            for step in range(1, 3):
                if place[0].patient_id == owner:
                    break
                patient = owner if step == 2 or chance.random() < 0.7 else "Dora"
                wrong.append(place)
                objects += place
                place = corrected(place, patient, chance, timedelta(days=step))
            objects += place
            right[owner].append(exam)
        arrive(engine, objects, chance)
        for place in wrong:
            if chance.random() < 0.6:
                gone(engine, place)
        for patient, owned in right.items():
            assert sums_of(engine, patient) == pytest.approx(true_sums(owned), rel=0.005), (seed, patient)
        assert sums_of(engine, "Dora") == {}, seed
        with connect(engine) as connection:
            counted = sum(device.study_count for device in EQUIPMENT.rows(connection, select_equipment()).items)
            standing = select(dose_study.c.doubts).where(dose_study.c.replaced_by.is_(None))
            doubts = connection.execute(standing).scalars()
            assert all(one.endswith("phantoms_mixed") for row in doubts for one in row), seed
        assert counted == sum(map(len, right.values())), seed


@pytest.mark.parametrize("seed", range(5))
def test_what_is_restored_after_a_correction_was_deleted_counts_again(engine: Engine, seed: int) -> None:
    chance = Random(seed)
    exam, written = next(drawn(chance, Drawing(chance)))
    first = stored(written, 1, "Anna")
    second = corrected(first, "Berta", chance, timedelta(days=1))
    arrive(engine, [*first, *second], chance)
    assert sums_of(engine, "Anna") == {}
    gone(engine, second)
    assert sums_of(engine, "Anna") == pytest.approx(true_sums([exam]), rel=0.005)
    assert sums_of(engine, "Berta") == {}


def test_a_copy_without_the_patients_identity_takes_nothing_away(engine: Engine) -> None:
    chance = Random(2)
    exam, written = next(drawn(chance, Drawing(chance)))
    first = stored(written, 1, "Anna")
    copies = [
        replace(one, written=replace(one.written, report=one.written.report | {"patient_identity_removed": True}))
        for one in corrected(first, "Subject 7", chance, timedelta(days=1))
    ]
    arrive(engine, [*first, *copies], chance)
    assert sums_of(engine, "Anna") == pytest.approx(true_sums([exam]), rel=0.005)
    assert sums_of(engine, "Subject 7") == {}


def test_one_event_in_two_studies_of_a_patient_counts_once_and_is_doubted(engine: Engine) -> None:
    def report(name: str, day: int, *events: dict[str, Any]) -> Written:
        total = sum(one["dlp_mgy_cm"] for one in events)
        totals = {"dlp_total_mgy_cm": total}
        return Written(
            name=name, sop_instance_uid=name, kind="ct", is_report=True, device="CT", series=name,
            received_at=NOW + timedelta(days=day), totals=totals, events=events,
        )  # fmt: skip

    one, two = (
        {"irradiation_event_uid": f"1.9.{n}", "dlp_mgy_cm": 100.0 * n, "ctdiw_phantom_type": BODY} for n in (1, 2)
    )
    objects = [*stored([report("a", 0, one, two)], 1, "Anna"), *stored([report("b", 1, two)], 2, "Anna")]
    arrive(engine, objects, Random(3))
    assert sums_of(engine, "Anna") == {("dlp_total_mgy_cm", BODY): 300.0}
    with connect(engine) as connection:
        rows = {row.study_instance_uid: row for row in connection.execute(select(dose_study))}
    assert (rows["1.2.1"].best_dlp_mgy_cm, rows["1.2.2"].best_dlp_mgy_cm) == (100.0, 200.0)
    assert "dlp_mgy_cm:in_another_study" in rows["1.2.1"].doubts


def test_an_issuer_makes_another_patient_and_none_is_one_too(engine: Engine) -> None:
    chance = Random(4)
    drawing = Drawing(chance)
    exams = [next(drawn(chance, drawing)) for _ in range(3)]
    objects = [stored(written, number, "4711") for number, (_, written) in enumerate(exams)]
    arrive(engine, [one for exam in objects for one in exam], chance)
    with transaction(engine) as connection:
        second = dose_study.c.orthanc_study_id == objects[2][0].orthanc_study_id
        connection.execute(dose_study.update().where(second).values(issuer_of_patient_id="West"))
    with connect(engine) as connection:
        with pytest.raises(AmbiguousPatient) as ambiguous:
            patient_timeline(connection, "4711")
        assert ambiguous.value.choices == ({"issuer_of_patient_id": ""}, {"issuer_of_patient_id": "West"})
        assert len(patient_timeline(connection, "4711", "").studies) == 2
        assert len(patient_timeline(connection, "4711", "West").studies) == 1


def test_an_archive_is_decided_anew_from_its_rows_and_says_what_changed(engine: Engine) -> None:
    chance = Random(5)
    drawing = Drawing(chance)
    exams = [next(drawn(chance, drawing)) for _ in range(5)]
    first, second, *others = (stored(written, number, f"P{number}") for number, (_, written) in enumerate(exams))
    again = corrected(first, "Right", chance, timedelta(days=1))
    arrive(engine, [*first, *again, *second, *(one for place in others for one in place)], chance)
    gone(engine, second)  # no object is needed
    with transaction(engine) as connection:
        quantity = dose_study.c.best_total_fluoro_time_s
        spoiled = {"decider_version": None, "replaced_by": None, "doubts": None, quantity.name: 12_345.0}
        connection.execute(dose_study.update().values(**spoiled))
    dose_runner(engine, lambda: NOW).work()
    progress = latest_of(engine, REDECIDING)
    assert (progress.state, progress.done, progress.total, progress.counts) == ("done", 6, 6, {"changed": 6})
    assert not progress.is_asked
    with connect(engine) as connection:
        changes = connection.execute(redecision.select_changes().order_by("orthanc_study_id")).all()
        assert not redecision.is_to_redecide(connection, NOW)
    times = [one for one in changes if one.quantity == "total_fluoro_time_s"]
    assert {one.before for one in times} == {12_345.0}
    assert [one.orthanc_study_id for one in changes if one.quantity == "study"] == [first[0].orthanc_study_id]
    for number, (exam, _) in list(enumerate(exams))[1:]:
        assert sums_of(engine, f"P{number}") == pytest.approx(true_sums([exam]), rel=0.005)
    assert sums_of(engine, "P0") == {}


def test_deciding_anew_gives_way_to_whoever_holds_a_study(engine: Engine) -> None:
    chance = Random(6)
    _, written = next(drawn(chance, Drawing(chance)))
    objects = stored(written, 1, "Anna")
    arrive(engine, objects, chance)
    with transaction(engine) as connection:
        connection.execute(dose_study.update().values(decider_version=None))
    with transaction(engine) as holding:
        exams_store.lock_studies(holding, [objects[0].orthanc_study_id])
        dose_runner(engine, lambda: NOW).work()
        assert (latest_of(engine, REDECIDING).done, latest_of(engine, REDECIDING).attempts) == (0, 0)
    dose_runner(engine, lambda: NOW + GIVES_WAY).work()
    assert latest_of(engine, REDECIDING).state == "done"
    with connect(engine) as connection:
        assert not redecision.is_to_redecide(connection, NOW)
