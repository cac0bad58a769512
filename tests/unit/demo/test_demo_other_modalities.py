"""PET, angiography, fluoroscopy, mammography and MR objects say what they were asked to say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import dcmread

from tests.unit.demo.demo_support import content_items, errors_of_dciodvfy, measured, study_of
from treegarth.demo.attributes import write
from treegarth.demo.fluoroscopy import Run, angiography_run
from treegarth.demo.mammography import MEDIO_LATERAL_OBLIQUE, MammographyView, mammograms
from treegarth.demo.mr import mr_series
from treegarth.demo.pet import Administration, PetScan, pet_series, radiopharmaceutical_dose_report
from treegarth.demo.projection_dose_report import STATIONARY_ACQUISITION, ProjectionEvent, projection_dose_report

SCREENING = ProjectionEvent(dose_area_product_gy_m2=1e-4, dose_rp_gy=0.008, irradiation_duration_s=10)
EXPOSURE = ProjectionEvent(
    dose_area_product_gy_m2=3e-4,
    dose_rp_gy=0.02,
    irradiation_event_type=STATIONARY_ACQUISITION,
    irradiation_duration_s=4,
    positioner_primary_angle_deg=-28.0,
)


def test_a_projection_report_tells_fluoroscopy_and_acquisition_apart() -> None:
    report = projection_dose_report(study=study_of(6), events=[SCREENING, EXPOSURE])
    assert measured(report, "113722") == [(4e-4, "Gy.m2")]
    assert measured(report, "113726") == [(1e-4, "Gy.m2")]
    assert measured(report, "113727") == [(3e-4, "Gy.m2")]
    assert measured(report, "113725") == [(0.028, "Gy")]
    assert measured(report, "113730") == [(10, "s")]
    assert measured(report, "122130") == [(1e-4, "Gy.m2"), (3e-4, "Gy.m2")]
    assert measured(report, "112011") == [(0, "deg"), (-28, "deg")]


def test_each_plane_of_a_biplane_device_has_its_own_totals(tmp_path: Path) -> None:
    events = [
        ProjectionEvent(dose_area_product_gy_m2=1e-4, dose_rp_gy=0.01, acquisition_plane="Plane A"),
        ProjectionEvent(dose_area_product_gy_m2=2e-4, dose_rp_gy=0.02, acquisition_plane="Plane B"),
    ]
    report = projection_dose_report(study=study_of(6), events=events)
    assert measured(report, "113722") == [(1e-4, "Gy.m2"), (2e-4, "Gy.m2")]
    assert errors_of_dciodvfy(report, tmp_path) == []


def test_an_unknown_projection_dose_is_left_out() -> None:
    event = ProjectionEvent(dose_area_product_gy_m2=None, dose_rp_gy=None)
    report = projection_dose_report(study=study_of(6), events=[event])
    assert measured(report, "122130") == []


def test_contrast_fills_the_vessels_in_the_course_of_a_run(tmp_path: Path) -> None:
    run = Run(event=EXPOSURE, event_place=2, frames=6, rows=128, columns=128)
    write(angiography_run(study_of(6), run), tmp_path / "run.dcm")
    image = dcmread(tmp_path / "run.dcm")
    dark = np.mean(image.pixel_array < 80, axis=(1, 2))
    assert image.pixel_array.shape == (6, 128, 128)
    assert dark[-1] > 1.2 * dark[0] > 0
    assert image.ImageAndFluoroscopyAreaDoseProduct == 30  # 3e-4 Gy.m2 in dGy.cm2


def test_an_injection_is_told_in_bq_by_images_and_in_mbq_by_the_report() -> None:
    administration = Administration(administered_activity_mbq=394)
    study = study_of(5)
    images = pet_series(study, PetScan(administration=administration, instances=2, rows=32, columns=32))
    isotope = images[0].RadiopharmaceuticalInformationSequence[0]
    assert isotope.RadionuclideTotalDose == 394e6

    report = radiopharmaceutical_dose_report(study, administration)
    assert measured(report, "113507") == [(394, "MBq")]
    assert measured(report, "113839") == [(7.486, "mSv")]
    assert isotope.RadiopharmaceuticalAdministrationEventUID == next(content_items(report, "113503")).UID


def test_mammograms_carry_their_dose_and_the_breast_lies_at_its_side() -> None:
    views = (
        MammographyView(laterality="L", average_glandular_dose_mgy=1.4),
        MammographyView(laterality="R", view=MEDIO_LATERAL_OBLIQUE),
    )
    left, right = mammograms(study_of(7), views, rows=96, columns=64)
    assert float(left.OrganDose) == 0.014  # dGy
    assert (left.ViewPosition, right.ViewPosition) == ("CC", "MLO")
    for image, side in ((left, slice(0, 32)), (right, slice(32, 64))):
        pixels = np.frombuffer(image.PixelData, "<u2").reshape(96, 64)
        assert pixels[:, side].sum() > 0.6 * pixels.sum()


def test_mr_slices_of_two_weightings_differ() -> None:
    study = study_of(4)
    bright = mr_series(study, weighting="T2", instances=3, rows=64, columns=64)[1]
    dark = mr_series(study, weighting="T1", instances=3, rows=64, columns=64)[1]
    assert (bright.EchoTime, dark.EchoTime) == (98, 11)
    assert bright.PixelData != dark.PixelData
