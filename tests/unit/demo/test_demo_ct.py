"""CT images and CT dose reports say what they were asked to say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from tests.unit.demo.demo_support import content_items, errors_of_dciodvfy, measured, study_of
from treegarth.demo.attributes import write
from treegarth.demo.codes import HEAD_PHANTOM
from treegarth.demo.ct import CtScan, ct_localizer, ct_series
from treegarth.demo.ct_dose_report import CtEvent, XRaySource, ct_dose_report, localizer_event

SPIRAL = CtEvent(mean_ctdi_vol_mgy=8.2, dlp_mgy_cm=270.6)
SCAN = CtScan(event=SPIRAL, instances=3, rows=64, columns=96, slice_thickness_mm=2.5)


def test_a_dose_report_carries_its_events_and_their_sum(tmp_path: Path) -> None:
    write(ct_dose_report(study=study_of(), events=[localizer_event(), SPIRAL]), tmp_path / "report.dcm")
    report = dcmread(tmp_path / "report.dcm")

    assert measured(report, "113812") == [(2, "{events}")]
    assert measured(report, "113813") == [(275.65, "mGy.cm")]
    assert measured(report, "113830") == [(0.14, "mGy"), (8.2, "mGy")]
    assert measured(report, "113838") == [(5.05, "mGy.cm"), (270.6, "mGy.cm")]
    kinds = [item.ConceptCodeSequence[0].CodeValue for item in content_items(report, "113820")]
    assert kinds == ["113805", "116152004"]
    assert len({item.UID for item in content_items(report, "113769")}) == 2


def test_what_a_device_does_not_know_is_left_out() -> None:
    silent = localizer_event(mean_ctdi_vol_mgy=None, dlp_mgy_cm=None)
    report = ct_dose_report(study=study_of(), events=[silent])
    assert list(content_items(report, "113829")) == []
    assert measured(report, "113813") == [(0.0, "mGy.cm")]


def test_a_reported_total_need_not_be_the_sum() -> None:
    report = ct_dose_report(study=study_of(), events=[SPIRAL], dlp_total_mgy_cm=300.0)
    assert measured(report, "113813") == [(300.0, "mGy.cm")]


def test_two_sources_and_a_head_phantom_are_told() -> None:
    event = CtEvent(
        mean_ctdi_vol_mgy=40, dlp_mgy_cm=600, phantom=HEAD_PHANTOM, sources=(XRaySource(kvp=80), XRaySource(kvp=140))
    )
    report = ct_dose_report(study=study_of(), events=[event])
    assert measured(report, "113733") == [(80, "kV"), (140, "kV")]
    assert measured(report, "113823") == [(2, "{X-Ray sources}")]
    assert next(content_items(report, "113835")).ConceptCodeSequence[0].CodeValue == "113690"


def test_images_lie_below_each_other_and_know_their_irradiation_event() -> None:
    study = study_of()
    images = ct_series(study, SCAN)
    assert [float(image.ImagePositionPatient[2]) for image in images] == [2.5, 0.0, -2.5]
    assert [image.InstanceNumber for image in images] == [1, 2, 3]
    assert {image.IrradiationEventUID for image in images} == {SPIRAL.uid_in(study, 1)}
    assert {float(image.CTDIvol) for image in images} == {8.2}
    assert len({image.SOPInstanceUID for image in images}) == 3


@pytest.mark.parametrize("region", ["head", "chest", "abdomen"])
def test_a_picture_has_air_and_soft_tissue_and_bone(tmp_path: Path, region) -> None:
    scan = CtScan(event=SPIRAL, region=region, instances=3, rows=128, columns=128)
    write(ct_series(study_of(), scan)[1], tmp_path / "image.dcm")
    image = dcmread(tmp_path / "image.dcm")
    hounsfield = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    assert hounsfield.shape == (128, 128)
    assert np.mean(hounsfield < -900) > 0.2
    assert np.mean((hounsfield > 0) & (hounsfield < 120)) > 0.05
    assert np.mean(hounsfield > 200) > 0.003


def test_a_header_is_as_long_as_a_scanner_writes_it() -> None:
    assert sum(1 for _ in ct_series(study_of(), SCAN)[0].iterall()) > 200


def test_the_same_study_built_twice_is_the_same(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write(ct_series(study_of(), SCAN)[2], tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_dciodvfy_finds_no_error(tmp_path: Path) -> None:
    for place in (0, 1, 2, 9):
        study = study_of(place)
        contrast = CtScan(event=SPIRAL, contrast=True, instances=1, rows=64, columns=64)
        assert errors_of_dciodvfy(ct_series(study, contrast)[0], tmp_path) == []
        assert errors_of_dciodvfy(ct_localizer(study, SCAN), tmp_path) == []
        silent = localizer_event(mean_ctdi_vol_mgy=None, dlp_mgy_cm=None)
        assert errors_of_dciodvfy(ct_dose_report(study=study, events=[silent, SPIRAL]), tmp_path) == []
