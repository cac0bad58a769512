"""What a header says of the state of the device: software, detector, days of calibration."""

from __future__ import annotations

from tests.dose_builder import ct_dose_report
from tests.dose_image_builder import projection_image
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.reading.context import LONGEST_STATE


def test_an_image_says_its_software_detector_and_calibrations() -> None:
    image = projection_image("1.2.840.10008.5.1.4.1.1.1.1", "1.2.3.1")
    assert "software_versions" not in read_dose(image).report
    image.SoftwareVersions, image.DetectorID = ["VA40", "PP2"], "D7"
    image.DateOfLastCalibration, image.DateOfLastDetectorCalibration = "20260108", "20260109"
    report = read_dose(image).report
    assert report["software_versions"].startswith("VA40")
    assert "PP2" in report["software_versions"]
    assert (report["detector_id"], report["last_calibration"]) == ("D7", "20260108")
    assert report["last_detector_calibration"] == "20260109"


def test_a_report_says_its_software_and_no_more_of_it_than_a_page_can_show() -> None:
    report = ct_dose_report()
    report.SoftwareVersions = "V" * 64
    assert read_dose(report).report["software_versions"] == "V" * 64
    report.SoftwareVersions = ["V" * 60] * 9
    assert len(read_dose(report).report["software_versions"]) == LONGEST_STATE
