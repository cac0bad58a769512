"""What the dose pages ask the registry: devices, timelines, trouble, studies without dose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from pydicom import Dataset
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, code, container, ct_acquisition, ct_dose_report, report
from tests.dose_registry_support import Archive, Instance, index, list_doses, note
from treegarth.database.engine import connect
from treegarth.features.dose.registry.pages.equipment import EQUIPMENT
from treegarth.features.dose.registry.service import read_waiting
from treegarth.features.dose.registry.store.all_sources import select_sources
from treegarth.features.dose.registry.store.equipment import select_equipment
from treegarth.features.dose.registry.store.missing_dose import count_missing_by_month, select_without_dose
from treegarth.features.dose.registry.store.studies import DoseStudy, DoseStudyFilter
from treegarth.features.dose.registry.store.timeline import cumulate, patient_timeline
from treegarth.features.dose.registry.store.trouble import count_reasons

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)


def ct_exam(study_instance_uid: str, **given: str) -> Dataset:
    """A report with an event and an object of its own."""
    event = ct_acquisition(f"{study_instance_uid}.5")
    sop_instance_uid = f"{study_instance_uid}.1"
    return ct_dose_report(event, study_instance_uid=study_instance_uid, sop_instance_uid=sop_instance_uid, **given)


def read(engine: Engine, source: Archive) -> None:
    read_waiting(engine, source, limit=100, clock=lambda: NOW)


def test_equipment_is_listed_with_its_studies(engine: Engine) -> None:
    for number in (1, 2):
        uid = f"1.2.{number}"
        note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
        read(engine, Archive(**{f"r{number}": as_file(ct_exam(uid))}))
    with connect(engine) as connection:
        (device,) = EQUIPMENT.rows(connection, select_equipment()).items
        assert (device.manufacturer_model_name, device.study_count, device.kinds) == ("Ent 1", 2, ["ct"])
        found = list_doses(connection, DoseStudyFilter(device=device.key))
        assert len(found.items) == 2


def test_a_timeline_sums_like_quantities_only(engine: Engine) -> None:
    for number, phantom in ((1, "113691"), (2, "113691"), (3, "113690")):
        uid = f"1.2.{number}"
        written = ct_exam(uid, dlp_total="100")
        for item in written.ContentSequence[1].ContentSequence:
            if item.ConceptNameCodeSequence[0].CodeValue == "113829":
                item.ContentSequence[1].ConceptCodeSequence[0].CodeValue = phantom
        note(engine, Instance(f"r{number}", f"{uid}.1", study_instance_uid=uid))
        read(engine, Archive(**{f"r{number}": as_file(written)}))
    with connect(engine) as connection:
        timeline = patient_timeline(connection, "4711")
        assert patient_timeline(connection, "nobody").studies == []
    assert [study.study_instance_uid for study in timeline.studies] == ["1.2.1", "1.2.2", "1.2.3"]
    assert [(c.of, c.value, c.study_count) for c in timeline.cumulative] == [
        ("IEC Body Dosimetry Phantom", 200, 2),
        ("IEC Head Dosimetry Phantom", 100, 1),
    ]


def test_what_is_of_no_phantom_is_counted_and_summed_apart() -> None:
    def study(number: int, **values: object) -> DoseStudy:
        return DoseStudy.model_construct(
            **{**dict.fromkeys(DoseStudy.model_fields), **values, "orthanc_study_id": str(number)}
        )

    whole = study(1, best_dlp_mgy_cm=500.0, best_dlp_head_mgy_cm=500.0)
    part = study(2, best_dlp_mgy_cm=300.0, best_dlp_head_mgy_cm=200.0, unattributed=["dlp_mgy_cm"])
    none = study(3, best_dlp_mgy_cm=70.0, unattributed=["dlp_mgy_cm"])
    sums = cumulate([whole, part, none, study(4, replaced_by="1", best_dlp_mgy_cm=9.0)])
    assert [(one.of, one.value, one.study_count, one.unattributed_count) for one in sums] == [
        ("IEC Head Dosimetry Phantom", 700, 2, 2),
        ("unknown", 170, 2, 2),
    ]
    (activity,) = cumulate([study(5, activities=[], unattributed=["administered_activity_mbq"])])
    assert (activity.of, activity.study_count, activity.unattributed_count) == (None, 0, 1)


def test_what_was_refused_is_listed_with_its_reason(engine: Engine) -> None:
    note(engine, Instance("a", "1.2.3.1"), Instance("b", "1.2.3.2"))
    refused = as_file(report(container("121070"), title=code("18748-4", "LN", "Imaging Report")))
    read(engine, Archive(a=refused, b=refused))
    with connect(engine) as connection:
        refused = connection.execute(select_sources(state="refused").order_by("orthanc_instance_id")).all()
        assert "Imaging Report" in str(refused[0].refused)
        assert [one.orthanc_instance_id for one in refused] == ["a", "b"]
        assert connection.execute(select_sources(state="failed")).all() == []
        assert [count for _, count in count_reasons(connection, state="refused")] == [2]


def test_studies_of_dose_modalities_without_dose_are_listed_by_device_and_month(engine: Engine) -> None:
    read_one = Instance("a", "1.2.1.1", study_instance_uid="1.2.1")
    index(engine, read_one, Instance("b", "1.2.2.1", study_instance_uid="1.2.2"))
    index(engine, Instance("c", "1.2.3.1", study_instance_uid="1.2.3"), modality="MR", station="MR1")
    note(engine, read_one)
    read(engine, Archive(a=as_file(ct_dose_report(study_instance_uid="1.2.1"))))
    with connect(engine) as connection:
        every, later = ({"study_date_from": day, "study_date_to": None} for day in (None, date(2024, 3, 1)))
        found = connection.execute(select_without_dose(connection, **every)).all()
        assert [study.study_instance_uid for study in found] == ["1.2.2"]
        (month,) = count_missing_by_month(connection)
        assert (month.station_name, month.month, month.study_count, month.without_dose_count) == (
            "CT1", date(2024, 2, 1), 2, 1,
        )  # fmt: skip
        assert connection.execute(select_without_dose(connection, **later)).all() == []
