"""What the dose pages ask the registry: devices, timelines, trouble, studies without dose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, code, container, ct_dose_report, report
from tests.dose_registry_support import Archive, Instance, index, note
from treegarth.database.engine import connect
from treegarth.features import dose
from treegarth.features.archive import tables as archive
from treegarth.features.dose.store import archive_index
from treegarth.features.dose.store.missing import count_missing_by_month, list_without_dose
from treegarth.features.dose.store.studies import DoseStudyFilter

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


def read(engine: Engine, source: Archive) -> None:
    dose.read_waiting(engine, source, limit=100, clock=lambda: NOW)


def test_the_columns_of_the_index_that_are_looked_at_are_there() -> None:
    for table in (archive_index.study, archive_index.series, archive_index.instance):
        real = getattr(archive, table.name)
        assert {column.name for column in table.c} <= {column.name for column in real.c}


def test_equipment_is_listed_with_its_studies(engine: Engine) -> None:
    for number in (1, 2):
        uid = f"1.2.{number}"
        note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
        read(engine, Archive(**{f"r{number}": as_file(ct_dose_report(study_instance_uid=uid))}))
    with connect(engine) as connection:
        (device,) = dose.list_equipment(connection)
        assert (device.manufacturer_model_name, device.study_count, device.kinds) == ("Ent 1", 2, ["ct"])
        found = dose.list_studies_with_dose(connection, DoseStudyFilter(device=device.key))
        assert len(found.studies) == 2


def test_a_timeline_sums_like_quantities_only(engine: Engine) -> None:
    for number, phantom in ((1, "113691"), (2, "113691"), (3, "113690")):
        uid = f"1.2.{number}"
        written = ct_dose_report(study_instance_uid=uid, dlp_total="100")
        for item in written.ContentSequence[1].ContentSequence:
            if item.ConceptNameCodeSequence[0].CodeValue == "113829":
                item.ContentSequence[1].ConceptCodeSequence[0].CodeValue = phantom
        note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
        read(engine, Archive(**{f"r{number}": as_file(written)}))
    with connect(engine) as connection:
        timeline = dose.patient_timeline(connection, "4711")
        assert dose.patient_timeline(connection, "nobody").studies == []
    assert [study.study_instance_uid for study in timeline.studies] == ["1.2.1", "1.2.2", "1.2.3"]
    assert [(c.of, c.value, c.study_count) for c in timeline.cumulative] == [
        ("IEC Body Dosimetry Phantom", 200, 2),
        ("IEC Head Dosimetry Phantom", 100, 1),
    ]


def test_what_was_refused_is_listed_with_its_reason(engine: Engine) -> None:
    note(engine, Instance("a", "1.2.3.1"), Instance("b", "1.2.3.2"))
    refused = as_file(report(container("121070"), title=code("18748-4", "LN", "Imaging Report")))
    read(engine, Archive(a=refused, b=refused))
    with connect(engine) as connection:
        first = dose.list_trouble(connection, state="refused", limit=1)
        second = dose.list_trouble(connection, state="refused", limit=1, cursor=first.next)
        assert "Imaging Report" in str(first.sources[0].reason)
        assert [page.sources[0].orthanc_instance_id for page in (first, second)] == ["a", "b"]
        assert dose.list_trouble(connection, state="refused", structured_reports=False).sources == ()
        assert dose.list_trouble(connection, state="failed").sources == ()
        assert [count for _, count in dose.count_reasons(connection, state="refused")] == [2]


def test_studies_of_dose_modalities_without_dose_are_listed_by_device_and_month(engine: Engine) -> None:
    read_one = Instance("a", "1.2.1.1", study_instance_uid="1.2.1")
    index(engine, read_one, Instance("b", "1.2.2.1", study_instance_uid="1.2.2"))
    index(engine, Instance("c", "1.2.3.1", study_instance_uid="1.2.3"), modality="MR", station="MR1")
    note(engine, read_one)
    read(engine, Archive(a=as_file(ct_dose_report(study_instance_uid="1.2.1"))))
    with connect(engine) as connection:
        page = list_without_dose(connection)
        assert [study.study_instance_uid for study in page.studies] == ["1.2.2"]
        assert page.next is None
        (month,) = count_missing_by_month(connection)
        assert (month.station_name, month.month, month.study_count, month.without_dose_count) == (
            "CT1", date(2024, 2, 1), 2, 1,
        )  # fmt: skip
        assert list_without_dose(connection, study_date_from=date(2024, 3, 1)).studies == ()
