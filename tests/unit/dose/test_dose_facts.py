"""What the decision between several objects needs of each: moments, scopes, sub-totals, sources, predecessors."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from tests.dose_builder import (
    as_file,
    code,
    coded,
    container,
    ct_acquisition,
    ct_dose_report,
    named,
    num,
    report,
    text,
    uidref,
)
from tests.dose_image_builder import NM, ct_image, image, nuclear_image, projection_image
from treegarth.features.dose.reading import read_dose, read_dose_bytes

DX = "1.2.840.10008.5.1.4.1.1.1.1"
ENHANCED = "1.2.840.10008.5.1.4.1.1.88.76"
HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"


@pytest.mark.parametrize(
    ("day", "clock", "began"),
    [
        ("20261120", "101500", "20261120101500"),
        ("2026-11-20", "10:15:00", "20261120101500"),
        ("2026.11.20", "10:15", "202611201015"),
        ("20261120", "101500.25", "20261120101500.25"),
        ("20261120", "", "20261120"),
        ("20261320", "101500", None),
        ("11/20/2026", "101500", None),
        ("20261120", "25:15:00", "20261120"),
        ("2026-1120", "101500", None),
    ],
)
def test_when_an_image_was_acquired_is_one_moment_of_the_standards_form_or_an_issue(
    day: str, clock: str, began: str | None
) -> None:
    dataset = projection_image(DX, "1.2.3.5", began="")
    dataset.add_new(0x00080022, "LO", day)
    dataset.add_new(0x00080032, "LO", clock)
    reading = read_dose(dataset)
    (event,) = reading.irradiation_events
    assert event.get("date_time_started") == began
    is_whole = began is not None and (len(began) > 8 or not clock)
    assert bool(reading.issues) == (not is_whole)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20261120101500.5+0900", "20261120101500.5+0900"),
        ("2026-11-20T10:15:00", "20261120101500"),
        ("202611", "202611"),
        ("2026", "2026"),
        ("20261120240000", None),
        ("2026112010150", None),
        ("20261131", None),
        ("yesterday", None),
    ],
)
def test_a_moment_of_a_report_is_read_or_an_issue(written: str, read: str | None) -> None:
    item = named("DATETIME", "111526")
    item.add_new(0x0040A120, "LO", written)
    reading = read_dose(ct_dose_report(ct_acquisition(extra=[item])))
    assert reading.irradiation_events[0].get("date_time_started") == read
    assert bool(reading.issues) == (read is None)


@pytest.mark.parametrize(("scheme", "value"), [("DCM", "130745"), ("99PMP", "220005")])
@pytest.mark.parametrize("below", [True, False])
def test_sub_totals_by_phantom_stand_beside_the_total(scheme: str, value: str, below: bool) -> None:
    parts = [
        num(code(value, scheme), "900", "mGy.cm", coded("113835", code("113690"))),
        num(code(value, scheme), "400", "mGy.cm", coded("113835", code("113691"))),
        num(code(value, scheme), "5", "mGy.cm"),
    ]
    total = num("113813", "1305", "mGy.cm", *(parts if below else ()))
    reading = read_dose(report(container("113811", total, *(() if below else parts)), ct_acquisition()))
    assert reading.totals["dlp_total_mgy_cm"] == 1305
    assert reading.totals["dlp_subtotals"] == [
        {"dlp_mgy_cm": 900, "ctdiw_phantom_type": HEAD},
        {"dlp_mgy_cm": 400, "ctdiw_phantom_type": BODY},
        {"dlp_mgy_cm": 5},
    ]
    assert reading.issues == ()


def test_an_acquisition_with_a_dose_by_each_phantom_keeps_both() -> None:
    def dose(ctdi: str, dlp: str, phantom: str) -> Dataset:
        return container(
            "113829", num("113830", ctdi, "mGy"), num("113838", dlp, "mGy.cm"), coded("113835", code(phantom))
        )

    several = container("113819", uidref("113769", "1.2.3.4"), dose("50", "900", "113690"), dose("10", "400", "113691"))
    (event,) = read_dose(ct_dose_report(several)).irradiation_events
    assert not event.keys() & {"mean_ctdi_vol_mgy", "dlp_mgy_cm", "ctdiw_phantom_type"}
    assert event["ct_doses"] == [
        {"mean_ctdi_vol_mgy": 50, "dlp_mgy_cm": 900, "ctdiw_phantom_type": HEAD},
        {"mean_ctdi_vol_mgy": 10, "dlp_mgy_cm": 400, "ctdiw_phantom_type": BODY},
    ]
    twice = container("113819", uidref("113769", "1.2.3.4"), dose("10", "400", "113691"), dose("10", "400", "113691"))
    (event,) = read_dose(ct_dose_report(twice)).irradiation_events
    assert (event["dlp_mgy_cm"], event["ctdiw_phantom_type"], "ct_doses" in event) == (400, BODY, False)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("113014", "Study"),
        ("113015", "Series"),
        ("113016", "Performed Procedure Step"),
        ("113852", "Irradiation Event"),
        ("113970", "Procedure Step To This Point"),
    ],
)
def test_the_scope_of_a_total_is_told_by_its_code(value: str, words: str) -> None:
    scope = coded("113705", code(value, meaning="검사"), uidref("110180", "1.2.3"))
    reading = read_dose(report(scope, container("113811", num("113813", "5", "mGy.cm")), ct_acquisition()))
    assert reading.report["scope_of_accumulation"] == words


def test_a_report_says_which_one_it_replaces_and_when_it_was_made() -> None:
    dataset = ct_dose_report()
    dataset.CompletionFlag, dataset.ContentDate, dataset.ContentTime = "PARTIAL", "20261120", "101600"
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = "20261120", "101601.5"
    dataset.TimezoneOffsetFromUTC, dataset.PatientIdentityRemoved = "+0900", "YES"
    reference, series, study = Dataset(), Dataset(), Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = dataset.SOPClassUID, "1.2.3.99"
    series.SeriesInstanceUID, series.ReferencedSOPSequence = "1.2.3.9", [reference]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = "1.2.3", [series]
    dataset.PredecessorDocumentsSequence = [study]
    reading = read_dose_bytes(as_file(dataset))
    assert reading.report == {
        "completion_flag": "PARTIAL",
        "content_date_time": "20261120101600",
        "instance_created": "20261120101601.5",
        "timezone_offset_from_utc": "+0900",
        "patient_identity_removed": True,
        "predecessor_sop_instance_uids": ["1.2.3.99"],
    }
    assert reading.issues == ()


def accumulated(source: str, *items: Dataset) -> Dataset:
    return container("130500", text("113832", source), *items)


def event(uid: str = "1.2.3.4") -> Dataset:
    return container("130501", uidref("113769", uid), num("122130", "0.001", "Gy.m2"))


@pytest.mark.parametrize("together", ["A and B", "A+B", "A, B", "ALL"])
def test_the_total_of_all_sources_is_the_total_and_each_source_stands_apart(together: str) -> None:
    reading = read_dose(
        report(
            accumulated("A", num("113722", "0.001", "Gy.m2"), num("113725", "0.5", "Gy")),
            accumulated("B", num("113722", "0.002", "Gy.m2"), num("113725", "0.7", "Gy")),
            accumulated(together, num("113722", "0.003", "Gy.m2")),
            event(),
            sop_class_uid=ENHANCED,
        )
    )
    assert reading.totals["dose_area_product_total_gy_m2"] == 0.003
    assert "dose_rp_total_gy" not in reading.totals
    assert [plane["dose_rp_total_gy"] for plane in reading.totals["planes"]] == [0.5, 0.7]
    assert reading.issues == ()


def test_two_totals_of_all_sources_are_an_issue_and_none_is_taken() -> None:
    both = [accumulated("A and B", num("113722", dose, "Gy.m2")) for dose in ("0.003", "0.004")]
    reading = read_dose(report(*both, event(), sop_class_uid=ENHANCED))
    assert reading.totals == {}
    assert len(reading.issues) == 1


def test_the_sources_of_an_enhanced_ct_report_are_kept_by_phantom() -> None:
    def of(source: str, dlp: str, phantom: str) -> Dataset:
        total = num("113813", dlp, "mGy.cm", coded("113835", code(phantom)))
        return accumulated(source, container("113811", total))

    reading = read_dose(
        report(
            of("A", "900", "113690"),
            of("B", "400", "113691"),
            container("130501", uidref("113769", "1.2.3.4"), num("113838", "900", "mGy.cm")),
            sop_class_uid=ENHANCED,
        )
    )
    assert reading.totals["dlp_totals"] == [
        {"dlp_mgy_cm": 900, "ctdiw_phantom_type": HEAD},
        {"dlp_mgy_cm": 400, "ctdiw_phantom_type": BODY},
    ]
    assert "dlp_total_mgy_cm" not in reading.totals
    assert [issue.reason for issue in reading.issues] == ["2 totals are given, none for all"]


def test_an_administration_says_on_which_day_its_images_were_made() -> None:
    dataset = nuclear_image(NM, "1.2.3.5", dose="400")
    assert read_dose(dataset).administrations[0]["acquired"] == "20240229"
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20240301", "091500"
    assert read_dose(dataset).administrations[0]["acquired"] == "20240301091500"


def test_a_time_of_injection_that_is_none_is_an_issue() -> None:
    dataset = nuclear_image(NM, "1.2.3.5", dose="400")
    item = dataset.RadiopharmaceuticalInformationSequence[0]
    item.add_new(0x00181072, "LO", "half past ten")
    reading = read_dose(dataset)
    assert "start_time" not in reading.administrations[0]
    assert len(reading.issues) == 1


def test_a_ct_image_says_when_it_was_acquired() -> None:
    dataset = ct_image("1.2.3.5", AcquisitionDate="20240229", AcquisitionTime="101530")
    assert read_dose(dataset).irradiation_events[0]["date_time_started"] == "20240229101530"
    assert (
        "date_time_started" not in read_dose(image(dataset.SOPClassUID, "1.2.3.6", CTDIvol=8.5)).irradiation_events[0]
    )
