"""The dose registry: sources are noted with the index, read once whatever happens, and listed by study."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, code, container, ct_acquisition, ct_dose_report, report
from tests.dose_registry_support import Archive, Instance, list_doses, note, states
from treegarth.database.engine import connect, transaction
from treegarth.errors import DatabaseUnavailable, OrthancUnavailable
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.reading.model import json_object
from treegarth.features.dose.registry import service
from treegarth.features.dose.registry.service import follow_deleted, read_waiting
from treegarth.features.dose.registry.store import readings
from treegarth.features.dose.registry.store.decisions import sources_of_study
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, Limits
from treegarth.features.dose.registry.store.queue import claim_next, count_sources, list_failed, retry_failed
from treegarth.features.dose.registry.store.reports import reports_of_study
from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.features.dose.registry.tables import dose_study, irradiation_event

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)  # later than the server's own clock


def read(engine: Engine, archive: Archive, now: datetime = NOW, limit: int = 100) -> int:
    return read_waiting(engine, archive, limit=limit, clock=lambda: now)


def studies(engine: Engine, **filters: object) -> list[DoseStudy]:
    with connect(engine) as connection:
        return list_doses(connection, DoseStudyFilter(**filters)).items


def count(engine: Engine, table: object) -> int:
    with connect(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def cumulative(number: int, dlp_total: str) -> bytes:
    events = [ct_acquisition(f"1.2.3.4.{event}", dlp_mgy_cm="100") for event in range(1, number + 1)]
    return as_file(ct_dose_report(*events, dlp_total=dlp_total, sop_instance_uid=f"1.2.3.{number}"))


def test_a_report_is_read_stored_and_given_back_as_the_command_prints_it(engine):
    note(engine, Instance("a", "1.2.3.1"), Instance("picture", "1.2.3.2", sop_class_uid="1.2.840.10008.5.1.4.1.1.4"))
    assert read(engine, Archive(a=as_file(ct_dose_report()))) == 1
    assert states(engine) == {"a": "read"}
    with connect(engine) as connection:
        (found,) = reports_of_study(connection, "study 1.2.3")
    printed = found.as_json()
    assert printed == json_object("a.dcm", read_dose(ct_dose_report()))
    assert printed["totals"]["dlp_total_mgy_cm"] == 310.5
    (study,) = studies(engine)
    assert (study.dlp_total_mgy_cm, study.dlp_of_events_mgy_cm, study.irradiation_event_count) == (310.5, 310.5, 1)
    assert (study.protocols, study.study_date, study.manufacturer, study.rule) == (
        ["Thorax"], date(2024, 2, 29), "Treebeard", "single",
    )  # fmt: skip


def test_what_is_no_dose_report_is_refused_and_makes_no_study(engine):
    note(engine, Instance("a", "1.2.3.1"))
    read(engine, Archive(a=as_file(report(container("121070"), title=code("18748-4", "LN", "Imaging Report")))))
    assert states(engine) == {"a": "refused"}
    assert studies(engine) == []
    with connect(engine) as connection:
        assert "Imaging Report" in reports_of_study(connection, "study 1.2.3")[0].refused
        assert count_sources(connection).refused == 1


def test_a_report_about_something_else_counts_nowhere(engine):
    """A measurement that a viewer saved is no dose report without a dose."""
    measurements = report(container("121070"), title=code("126000", "DCM", "Imaging Measurement Report"),
                          sop_class_uid="1.2.840.10008.5.1.4.1.1.88.34")  # fmt: skip
    untitled = report(container("121070"), title=None, sop_class_uid="1.2.840.10008.5.1.4.1.1.88.34")
    note(engine, Instance("a", "1.2.3.1"), Instance("b", "1.2.3.2"))
    read(engine, Archive(a=as_file(measurements), b=as_file(untitled)))
    assert states(engine) == {"a": "other", "b": "refused"}
    with connect(engine) as connection:
        assert [one.orthanc_instance_id for one in reports_of_study(connection, "study 1.2.3")] == ["b"]
        assert [one.orthanc_instance_id for one in sources_of_study(connection, "study 1.2.3")] == ["b"]
        assert count_sources(connection).refused == 1


def test_an_overwritten_object_is_read_again_and_replaces_what_was_read(engine):
    note(engine, Instance("a", "1.2.3.1"))
    read(engine, Archive(a=cumulative(2, "200")))
    note(engine, Instance("a", "1.2.3.1"))
    assert states(engine) == {"a": "unread"}
    assert studies(engine)[0].dlp_total_mgy_cm == 200
    read(engine, Archive(a=cumulative(1, "100")))
    assert studies(engine)[0].dlp_total_mgy_cm == 100
    assert count(engine, irradiation_event) == 1


def test_an_object_that_is_overwritten_while_it_is_read_is_read_again(engine):
    note(engine, Instance("a", "1.2.3.1"))

    class Overwriting(Archive):
        def get_bytes(self, path, *, timeout_s=None):
            if not self.asked:
                note(engine, Instance("a", "1.2.3.1"))
            return super().get_bytes(path, timeout_s=timeout_s)

    archive = Overwriting(a=cumulative(1, "100"))
    read(engine, archive)
    assert len(archive.asked) == 2
    assert states(engine) == {"a": "read"}


def test_a_worker_that_dies_leaves_its_claim_to_another_after_the_lease(engine):
    note(engine, Instance("a", "1.2.3.1"))
    with transaction(engine) as connection:
        assert claim_next(connection, NOW, service.LEASE)
    archive = Archive(a=as_file(ct_dose_report()))
    assert read(engine, archive) == 0
    assert read(engine, archive, NOW + service.LEASE) == 1
    assert states(engine) == {"a": "read"}
    assert count(engine, irradiation_event) == 1


def test_a_database_that_goes_away_in_the_middle_leaves_the_work_to_do(engine, monkeypatch):
    note(engine, Instance("a", "1.2.3.1"))
    with monkeypatch.context() as broken:
        broken.setattr(readings, "refresh_study", lambda *_: (_ for _ in ()).throw(DatabaseUnavailable()))
        with pytest.raises(DatabaseUnavailable):
            read(engine, Archive(a=as_file(ct_dose_report())))
    assert states(engine) == {"a": "unread"}
    assert count(engine, irradiation_event) == 0
    assert read(engine, Archive(a=as_file(ct_dose_report())), NOW + service.LEASE) == 1
    assert count(engine, irradiation_event) == 1


def test_several_workers_read_each_source_once(engine):
    sources = [Instance(f"s{n}", f"1.2.3.{n}", study_instance_uid=f"1.2.{n % 3}") for n in range(12)]
    note(engine, *sources)
    archive = Archive(**{source.orthanc_instance_id: cumulative(1, "100") for source in sources})
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: read(engine, archive), range(4)))
    assert sum(done) == 12
    assert sorted(archive.asked) == sorted(source.orthanc_instance_id for source in sources)
    assert count(engine, dose_study) == 3


def test_what_fails_is_tried_again_later_and_then_left_to_a_person(engine):
    note(engine, Instance("a", "1.2.3.1"))
    now, broken = NOW, Archive(a=OrthancUnavailable())
    most = service.BACKOFF.most_attempts
    assert most is not None
    for _ in range(most):
        assert read(engine, broken, now) == 1
        assert read(engine, broken, now) == 0
        now += timedelta(minutes=30)
    assert states(engine) == {"a": "failed"}
    with connect(engine) as connection:
        (failed,) = list_failed(connection)
        assert (failed.attempts, count_sources(connection).failed) == (most, 1)
        assert "Orthanc does not answer" in failed.last_error
    with transaction(engine) as connection:
        assert retry_failed(connection, ["another"]) == 0
        assert retry_failed(connection) == 1
    read(engine, Archive(a=as_file(ct_dose_report())), now)
    assert states(engine) == {"a": "read"}


def test_the_dose_of_a_deleted_object_stays_and_says_so(engine):
    note(engine, Instance("a", "1.2.3.1"), Instance("never_read", "1.2.3.2"))
    read(engine, Archive(a=as_file(ct_dose_report())))
    with transaction(engine) as connection:
        follow_deleted(connection, ["a", "never_read", "a picture"], NOW)
    assert states(engine) == {"a": "read"}
    assert studies(engine)[0].source_deleted_at == NOW
    note(engine, Instance("a", "1.2.3.1"))
    read(engine, Archive(a=as_file(ct_dose_report())))
    assert studies(engine)[0].source_deleted_at is None


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1, 2)])
def test_cumulative_reports_make_one_exam_in_any_order(engine, order):
    totals = {1: "100", 2: "200", 3: "300"}
    for number in order:
        note(engine, Instance(f"r{number}", f"1.2.3.{number}"))
        read(engine, Archive(**{f"r{number}": cumulative(number, totals[number])}))
    (study,) = studies(engine)
    assert (study.dlp_total_mgy_cm, study.irradiation_event_count, study.rule) == (300, 3, "cumulative")
    assert (study.dlp_of_events_mgy_cm, study.report_count) == (300, 3)


def test_studies_are_listed_by_filter_sort_and_page(engine):
    for number in range(1, 6):
        uid = f"1.9.{number}"
        file = as_file(
            ct_dose_report(
                ct_acquisition(uid, protocol=f"Protocol 100%_{number}"),
                dlp_total=str(number * 10),
                study_instance_uid=uid,
            )
        )
        note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
        read(engine, Archive(**{f"r{number}": file}))
    found, cursor = [], None
    with connect(engine) as connection:
        while True:
            page = list_doses(connection, sort="-best_dlp_mgy_cm", limit=2, cursor=cursor)
            found += [study.dlp_total_mgy_cm for study in page.items]
            cursor = page.next
            if cursor is None:
                break
    assert found == [50, 40, 30, 20, 10]
    assert len(studies(engine, doses={BEST["dlp_mgy_cm"].asked: Limits(20, 40)})) == 3
    assert [study.study_instance_uid for study in studies(engine, protocol="100%_3")] == ["1.9.3"]
    assert len(studies(engine, kind="ct", equipment="treeb", patient_id="4711")) == 5
    assert studies(engine, kind="mammography") == []
    assert studies(engine, study_date_from=date(2024, 3, 1)) == []


def test_a_protocol_of_any_length_is_kept_with_its_event_and_found_by_its_beginning(engine):
    long = "Thorax " + "".join(chr(0xAC00 + number) for number in range(5000))
    file = as_file(ct_dose_report(ct_acquisition("1.9.9", protocol=long), study_instance_uid="1.9"))
    note(engine, Instance("r1", "1.9.1", study_instance_uid="1.9"))
    read(engine, Archive(r1=file))
    assert [study.study_instance_uid for study in studies(engine, protocol="thorax")] == ["1.9"]
    with connect(engine) as connection:
        assert connection.execute(select(irradiation_event.c.acquisition_protocol)).scalar_one() == long
