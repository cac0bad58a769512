"""CT series are measured by workers, once; estimates follow from diameters and registry, whichever comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import exp
from typing import Any

import pytest
from pydicom import Dataset
from sqlalchemy import Row, insert, select, update
from sqlalchemy.engine import Engine

from tests.ct_phantoms import CT, Ellipse, ct_slice, drawn, file_of, water_equivalent
from tests.dose_builder import as_file, code, coded, ct_acquisition, ct_dose_report
from tests.dose_registry_support import Archive, Instance, index, note, read
from tests.works import runner
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.errors import OrthancUnavailable
from treegarth.features.dose.analysis.size import service
from treegarth.features.dose.analysis.size.follower import follow_stable
from treegarth.features.dose.analysis.size.service import evenly, measure_waiting
from treegarth.features.dose.analysis.size.store import queue
from treegarth.features.dose.analysis.size.store.walk import start_measuring
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.features.dose.analysis.size.version import MOST_SLICES
from treegarth.features.dose.analysis.size.works import MEASURING, carries
from treegarth.features.dose.analysis.tables import derived_dose, exam_dose
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.tables import dose_report, irradiation_event
from treegarth.index.tables import instance
from treegarth.index.tables import series as archived_series
from treegarth.phrases import P_
from treegarth.work.store import latest, stop

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)
BODY = Ellipse(half_width=150, half_height=110, hu=20)
STUDY, SERIES = "study 1.2.3", "series of 1.2.3"
PICTURE = drawn(BODY)


@dataclass(frozen=True)
class Stable:
    orthanc_series_id: str
    orthanc_study_id: str = STUDY


@dataclass(frozen=True)
class Reported(Instance):
    """A report: it is of a series of its own."""

    @property
    def orthanc_series_id(self) -> str:
        return "reports"


def arrive(engine: Engine, count: int = 3, **header: Any) -> Archive:
    """A CT series is in the index and has come to rest; the archive gives its files."""
    files = {f"i{number}": file_of(ct_slice(PICTURE, number=number, **header)) for number in range(1, count + 1)}
    index(engine, *(Instance(name, f"1.2.3.8.{name}", sop_class_uid=CT) for name in files))
    with transaction(engine) as connection:
        for number, name in enumerate(files, start=1):
            numbered = update(instance).where(instance.c.orthanc_instance_id == name)
            connection.execute(numbered.values(instance_number=number, image_type=["ORIGINAL", "PRIMARY", "AXIAL"]))
        connection.execute(update(archived_series).values(instance_count=count, body_part_examined="CHEST"))
        follow_stable(connection, [Stable(""), Stable(SERIES)], NOW)
    return Archive(**files)


def report(engine: Engine, *events: Dataset, name: str = "r1", **header: str) -> None:
    """A dose report of the same study is read."""
    written = ct_dose_report(*(events or (chest(),)), study_instance_uid="1.2.3", **header)
    written.PatientID = "4711"
    note(engine, Reported(name, f"1.2.3.{name}"))
    read(engine, Archive(**{name: as_file(written)}), NOW)


def chest(uid: str = "1.7.1", **given: Any) -> Dataset:
    region = coded("123014", code("51185008", "SCT", "Chest"))
    return ct_acquisition(uid, **({"mean_ctdi_vol_mgy": "8.2", "extra": [region]} | given))


def measure(engine: Engine, archive: Archive, at: datetime = NOW) -> bool:
    return measure_waiting(engine, archive, clock=lambda: at)


def row(engine: Engine) -> Row[Any]:
    with connect(engine) as connection:
        return connection.execute(select(series_ssde)).one()


def derived(engine: Engine) -> list[tuple[str, float]]:
    with connect(engine) as connection:
        return [(one.quantity, one.value) for one in connection.execute(select(derived_dose))]


def of_exam(engine: Engine) -> list[float]:
    with connect(engine) as connection:
        ours = select(exam_dose.c.value).where(exam_dose.c.quantity == "ssde_mgy", exam_dose.c.modality == "CT")
        return list(connection.execute(ours).scalars())


def expected(ctdi_vol: float = 8.2) -> float:
    return ctdi_vol * 3.704369 * exp(-0.03671937 * water_equivalent(BODY) / 10)


def test_a_series_that_rests_is_measured_and_its_exam_has_an_estimate(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    assert row(engine).state == "waiting"
    measure(engine, archive)
    found = row(engine)
    assert (found.state, found.reason, found.slice_count, found.image_count) == ("measured", None, 3, 3)
    assert found.water_equivalent_diameter_mean_mm == pytest.approx(water_equivalent(BODY), rel=0.01)
    assert found.ssde_mean_mgy == pytest.approx(expected(), rel=0.01)
    assert (found.event_instance_id, found.event_position, found.matched_by) == ("r1", 1, "only")
    assert (found.ctdi_vol_mgy, found.ctdiw_phantom_type) == (8.2, "IEC Body Dosimetry Phantom")
    assert derived(engine) == [("ssde_mgy", found.ssde_mean_mgy)]
    assert of_exam(engine) == [found.ssde_mean_mgy]


def test_the_report_may_come_after_the_images_were_measured(engine: Engine) -> None:
    measure(engine, arrive(engine))
    assert (row(engine).reason, derived(engine)) == ("no_dose", [])
    report(engine)
    assert row(engine).reason is None
    assert of_exam(engine) == [pytest.approx(expected(), rel=0.01)]


def test_an_exam_that_counts_no_more_has_none_and_has_it_again_when_it_counts(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    before = of_exam(engine)
    with transaction(engine) as connection:
        document = {"name": "all", "meaning": "phantom", "patient_id": "4711"}
        rule = NOT_PATIENTS.create(connection, document, Author(name="bert", now=NOW))
    assert (of_exam(engine), derived(engine), row(engine).reason) == ([], [], "no_dose")
    with transaction(engine) as connection:
        NOT_PATIENTS.remove(connection, rule.id, Author(name="bert", now=NOW))
    assert of_exam(engine) == before


def test_only_the_rows_of_this_quantity_are_touched(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    other = {"orthanc_study_id": STUDY, "quantity": "other_msv", "modality": "CT", "value": 1.0, "method": "another"}
    with transaction(engine) as connection:
        connection.execute(insert(derived_dose).values(**other, is_doubted=False, details={}))
    measure(engine, archive)
    assert {quantity for quantity, _ in derived(engine)} == {"other_msv", "ssde_mgy"}
    with transaction(engine) as connection:
        connection.execute(update(irradiation_event).values(mean_ctdi_vol_mgy=None))
        decide_studies(connection, [STUDY], NOW)
    assert [quantity for quantity, _ in derived(engine)] == ["other_msv"]


def test_heads_and_bodies_are_never_mixed(engine: Engine) -> None:
    archive = arrive(engine)
    head = coded("123014", code("69536005", "SCT", "Head"))
    report(engine, ct_acquisition("1.7.1", extra=[head]))
    measure(engine, archive)
    assert (row(engine).reason, derived(engine)) == ("head", [])


def test_a_ctdi_vol_that_nothing_can_hold_costs_the_estimate_alone(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine, chest(mean_ctdi_vol_mgy="1.7e308"))
    measure(engine, archive)
    assert (row(engine).state, row(engine).reason, derived(engine)) == ("measured", "no_dose", [])


def test_a_scan_of_which_no_ctdi_vol_is_told_may_be_that_of_the_images(engine: Engine) -> None:
    archive = arrive(engine, ctdi_vol=None)
    silent = chest("1.7.2", mean_ctdi_vol_mgy=None, dlp_mgy_cm=None)
    report(engine, chest(), silent)
    measure(engine, archive)
    assert (row(engine).reason, of_exam(engine)) == ("which_event", [])


def test_an_exam_that_loses_its_sources_has_no_estimate_of_its_series_either(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    assert row(engine).ssde_mean_mgy is not None
    with transaction(engine) as connection:
        connection.execute(update(dose_report).values(kind=None))
        decide_studies(connection, [STUDY], NOW)
    assert (row(engine).ssde_mean_mgy, row(engine).reason, derived(engine)) == (None, "no_dose", [])


def test_of_a_long_series_some_images_are_fetched_evenly_spaced(engine: Engine) -> None:
    archive = arrive(engine, 60)
    measure(engine, archive)
    assert len(archive.asked) == MOST_SLICES == row(engine).slice_count
    assert row(engine).image_count == 60
    numbers = [int(name[1:]) for name in archive.asked]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    assert steps <= {2, 3}
    assert (numbers[0], numbers[-1]) == (2, 59)
    assert evenly([1, 2, 3], 5) == [1, 2, 3]


def test_localizers_are_not_even_fetched(engine: Engine) -> None:
    archive = arrive(engine)
    with transaction(engine) as connection:
        connection.execute(update(instance).values(image_type=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    measure(engine, archive)
    assert (archive.asked, row(engine).state, row(engine).reason) == ([], "none", "not_original")


def test_an_image_that_cannot_be_read_is_told_and_the_others_count(engine: Engine) -> None:
    archive = arrive(engine)
    archive.files["i2"] = b"no DICOM"
    report(engine)
    measure(engine, archive)
    assert (row(engine).state, row(engine).slice_count) == ("measured", 2)
    assert [one["path"] for one in row(engine).issues] == ["i2"]


def test_a_series_of_several_frames_in_one_object_is_said_not_to_be_measured(engine: Engine) -> None:
    archive = arrive(engine)
    with transaction(engine) as connection:
        connection.execute(update(instance).values(sop_class_uid="1.2.840.10008.5.1.4.1.1.2.1"))
    measure(engine, archive)
    assert (archive.asked, row(engine).reason) == ([], "multi_frame")


def test_a_silent_orthanc_is_asked_again_later_and_at_last_a_person_decides(engine: Engine) -> None:
    archive = arrive(engine)
    files = dict(archive.files)
    archive.files |= dict.fromkeys(files, OrthancUnavailable(P_("silent")))
    at = NOW
    for attempt in range(1, 7):
        measure(engine, archive, at)
        assert row(engine).attempts == attempt
        at += timedelta(hours=2)
    assert (row(engine).state, row(engine).last_error) == ("failed", "silent")
    archive.files |= files
    with transaction(engine) as connection:
        assert queue.retry_failed(connection) == 1
    measure(engine, archive, datetime.now(UTC) + timedelta(minutes=1))
    assert (row(engine).state, row(engine).last_error) == ("measured", None)


def test_a_series_that_comes_to_rest_anew_while_it_is_measured_is_measured_again(engine: Engine) -> None:
    archive = arrive(engine)
    with transaction(engine) as connection:
        claim = queue.claim_next(connection, NOW, timedelta(minutes=5))
        assert claim is not None
        follow_stable(connection, [Stable(SERIES)], NOW)
        assert not queue.write(connection, claim, {"state": "measured"})
    measure(engine, archive)
    assert row(engine).state == "measured"


def test_a_worker_that_ends_gives_its_series_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = arrive(engine)
    asked = iter([False, True, True, True])
    monkeypatch.setattr(service, "is_ending", lambda: next(asked))
    measure(engine, archive)
    assert (row(engine).state, row(engine).attempts) == ("waiting", 0)
    monkeypatch.undo()
    measure(engine, archive)
    assert row(engine).state == "measured"


def test_two_workers_share_the_series(engine: Engine) -> None:
    arrive(engine)
    with transaction(engine) as connection:
        assert queue.claim_next(connection, NOW, timedelta(minutes=5)) is not None
    with transaction(engine) as connection:
        assert queue.claim_next(connection, NOW, timedelta(minutes=5)) is None
        assert queue.claim_next(connection, NOW + timedelta(minutes=6), timedelta(minutes=5)) is not None


def test_what_left_before_it_was_measured_is_forgotten(engine: Engine) -> None:
    archive = arrive(engine)
    archive.files.clear()
    measure(engine, archive)
    with connect(engine) as connection:
        assert connection.execute(select(series_ssde)).all() == []


def test_what_was_measured_stays_when_the_images_leave(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    measure(engine, archive)
    before = row(engine)
    with transaction(engine) as connection:
        queue.note_series(connection, [SERIES])
    archive.files.clear()
    measure(engine, archive)
    assert (row(engine).state, row(engine).ssde_mean_mgy) == ("measured", before.ssde_mean_mgy)
    with transaction(engine) as connection:
        queue.forget_studies(connection, [STUDY])
    assert row(engine).state == "measured"


def test_older_series_are_measured_by_a_long_work_that_can_be_stopped_and_goes_on(engine: Engine) -> None:
    archive = arrive(engine)
    report(engine)
    with transaction(engine) as connection:
        connection.execute(series_ssde.delete())
        work = start_measuring(connection, "anna", NOW)
        assert start_measuring(connection, "ben", NOW).id == work.id
    hints: list[str] = []
    at = [NOW]
    going = runner(engine, lambda: at[0], [MEASURING], carries(lambda: hints.append("measure")))
    going.block()
    assert (row(engine).state, hints) == ("waiting", ["measure"])
    with transaction(engine) as connection:
        stop(connection, work.id, by="anna", now=NOW)
    assert not going.block()
    with transaction(engine) as connection:
        start_measuring(connection, "anna", NOW)
    measure(engine, archive)
    for _ in range(3):
        at[0] += timedelta(seconds=10)
        going.block()
    with connect(engine) as connection:
        ended = latest(connection, MEASURING.name)
    assert ended is not None
    assert (ended.state, ended.done, ended.total) == ("done", 1, 1)
    assert of_exam(engine) == [pytest.approx(expected(), rel=0.01)]


def test_of_several_series_the_greatest_mean_is_the_exams(engine: Engine) -> None:
    archive = arrive(engine, event="1.7.2")
    report(engine, chest("1.7.1"), chest("1.7.2", mean_ctdi_vol_mgy="16.4"))
    measure(engine, archive)
    assert of_exam(engine) == [pytest.approx(expected(16.4), rel=0.01)]
    assert row(engine).matched_by == "uid"
    with transaction(engine) as connection:
        first = dict(connection.execute(select(series_ssde)).one()._mapping)
        another = first | {"orthanc_series_id": "another", "irradiation_event_uids": ["1.7.1"]}
        connection.execute(insert(series_ssde).values(**another))
        decide_studies(connection, [STUDY], NOW)
        details: Sequence[dict[str, Any]] = connection.execute(select(derived_dose.c.details)).scalar_one()["series"]
    assert sorted(one["ctdi_vol_mgy"] for one in details) == [8.2, 16.4]
    assert of_exam(engine) == [pytest.approx(expected(16.4), rel=0.01)]
