"""Digital phantoms are measured: within 1 % of their formula, without the table, and what is cut off is said."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from tests.ct_phantoms import Bow, Ellipse, Shape, ct_slice, drawn, file_of, water_equivalent
from tests.dose_builder import as_file
from treegarth.features.dose.analysis.size.images import NotUsed, read_image
from treegarth.features.dose.analysis.size.masks import label, largest_region, without_holes
from treegarth.features.dose.analysis.size.measurement import Size, measure
from treegarth.features.dose.analysis.size.reasons import Reason

CIRCLE = Ellipse(half_width=160, half_height=160)
ELLIPSE = Ellipse(half_width=175, half_height=115, hu=35)
CHILD = Ellipse(half_width=62, half_height=48, hu=20)
FAT = Ellipse(half_width=150, half_height=110, hu=-90)
OFF_CENTRE = Ellipse(half_width=120, half_height=90, hu=10, x=55, y=-40)
LUNGS = (
    Ellipse(half_width=55, half_height=75, hu=-850, x=-75),
    Ellipse(half_width=55, half_height=75, hu=-850, x=75),
)
TABLE = Bow(radius=420, thick=3, below=60)


def measured(*shapes: Shape, circle: float | None = None, pixels: int = 256, spacing: tuple[float, float] = (1.6, 1.6),
             **header: Any) -> Size:  # fmt: skip
    picture = drawn(*shapes, circle=circle, pixels=pixels, spacing=spacing)
    found = measure(read_image(file_of(ct_slice(picture, spacing=spacing, **header))).slice)
    assert found is not None
    return found


@pytest.mark.parametrize("body", [CIRCLE, ELLIPSE, CHILD, FAT, OFF_CENTRE], ids=str)
def test_a_body_is_as_large_as_its_formula_says(body: Ellipse) -> None:
    found = measured(body)
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(body), rel=0.01)
    assert found.lateral_mm == pytest.approx(2 * body.half_width, rel=0.01, abs=1.7)
    assert found.ap_mm == pytest.approx(2 * body.half_height, rel=0.01, abs=1.7)
    assert found.effective_diameter_mm == pytest.approx(2 * sqrt(body.half_width * body.half_height), rel=0.02)
    assert found.truncated_fraction == 0


def test_lungs_count_with_the_little_that_they_weaken() -> None:
    chest = Ellipse(half_width=175, half_height=115, hu=30)
    found = measured(chest, *LUNGS)
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(chest, *LUNGS), rel=0.01)
    assert found.water_equivalent_diameter_mm < 0.9 * found.effective_diameter_mm


@pytest.mark.parametrize("gap", [0.0, 2.0, 12.0], ids=["touching", "on a sheet", "on a mattress"])
def test_the_table_is_no_part_of_the_patient(gap: float) -> None:
    lying = Ellipse(half_width=150, half_height=110, hu=30, y=120 - 110 - gap)
    found = measured(lying, TABLE)
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(lying), rel=0.01)


def test_a_body_on_its_side_has_its_sides_the_other_way_round() -> None:
    upright = Ellipse(half_width=80, half_height=140)
    found = measured(upright, ImageOrientationPatient=[0, 1, 0, -1, 0, 0])
    assert (found.lateral_mm, found.ap_mm) == (pytest.approx(280, abs=2), pytest.approx(160, abs=2))


@pytest.mark.parametrize("cut", [5, 15, 25, 35])
def test_a_body_that_leaves_the_image_on_one_side_is_said_to_be_cut_off(cut: float) -> None:
    body = Ellipse(half_width=140, half_height=110, hu=20, x=204.8 - 140 + cut)
    found = measured(body)
    assert 0.02 < found.truncated_fraction < 0.2
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(body), rel=0.05)


@pytest.mark.parametrize("padding", [None, -2000], ids=["unnamed", "named"])
@pytest.mark.parametrize("radius", [189, 194, 198])
def test_a_body_that_leaves_the_circle_on_both_sides_is_said_to_be_cut_off(radius: float, padding: int | None) -> None:
    body = Ellipse(half_width=200, half_height=120, hu=20)
    found = measured(body, circle=radius, is_signed=True, intercept=0.0, padding=padding)
    assert 0.02 < found.truncated_fraction < 0.2
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(body), rel=0.05)


@pytest.mark.parametrize(
    ("given", "fill"),
    [
        ({"is_signed": True, "intercept": 0.0, "padding": -2000}, "named"),
        ({"is_signed": True, "intercept": -1024.0, "padding": -2000}, "named, with an intercept"),
        ({"is_signed": False, "intercept": -1024.0, "padding": None}, "unnamed, -1024"),
        ({"is_signed": True, "intercept": 0.0, "padding": None}, "unnamed, -32768"),
        ({"is_signed": False, "intercept": -2048.0, "slope": 0.5, "padding": None}, "half units"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_lies_outside_of_the_circle_is_neither_patient_nor_edge(given: dict[str, Any], fill: str) -> None:
    found = measured(ELLIPSE, circle=203, **given)
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(ELLIPSE), rel=0.01)
    assert found.truncated_fraction == 0


def test_pixels_need_not_be_square() -> None:
    found = measured(ELLIPSE, spacing=(1.2, 1.8))
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(ELLIPSE), rel=0.01)


def test_noise_changes_nothing_that_counts() -> None:
    noise = np.random.default_rng(1).normal(0, 60, (256, 256))
    picture = drawn(ELLIPSE, *LUNGS, TABLE) + noise
    found = measure(read_image(file_of(ct_slice(np.maximum(picture, -1024)))).slice)
    assert found is not None
    assert found.water_equivalent_diameter_mm == pytest.approx(water_equivalent(ELLIPSE, *LUNGS), rel=0.015)
    assert found.truncated_fraction == 0


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=lambda one: one.name)
def test_what_is_compressed_says_the_same(syntax: UID) -> None:
    if syntax == JPEGLSLossless:
        pytest.importorskip("jpeg_ls")  # has no wheel for Python 3.14
    if syntax == JPEG2000Lossless:
        pytest.importorskip("PIL")
    plain = read_image(file_of(ct_slice(drawn(ELLIPSE)))).slice
    image = read_image(file_of(ct_slice(drawn(ELLIPSE)), syntax)).slice
    assert np.array_equal(image.hounsfield, plain.hounsfield)


def refused(**header: Any) -> Reason:
    picture = header.pop("picture", drawn(CHILD))
    with pytest.raises(NotUsed) as error:
        read_image(file_of(ct_slice(picture, **header)))
    return error.value.reason


def test_localizers_derived_and_reformatted_images_are_not_used() -> None:
    assert refused(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]) is Reason.NOT_ORIGINAL
    assert refused(ImageType=["DERIVED", "SECONDARY", "MPR"]) is Reason.NOT_ORIGINAL
    assert refused(ImageOrientationPatient=[1, 0, 0, 0, 0, -1]) is Reason.NOT_AXIAL
    assert refused(ImageOrientationPatient=[1, 0, 0, 0, 0.8, 0.6]) is Reason.NOT_AXIAL


def test_numbers_that_are_no_hounsfield_units_are_not_used() -> None:
    assert refused(RescaleType="Z_EFF") is Reason.NOT_HOUNSFIELD
    assert refused(RescaleSlope=None) is Reason.NOT_HOUNSFIELD
    assert refused(NumberOfFrames="3") is Reason.MULTI_FRAME


def test_odd_numbers_never_become_a_size() -> None:
    assert refused(PixelSpacing=["1e30", "1e30"]) is Reason.UNREADABLE
    for slope in ("1e30", "-1e30", "1e-30"):
        image = read_image(file_of(ct_slice(drawn(CHILD), RescaleSlope=slope, CTDIvol=1e300)))
        found = measure(image.slice)
        assert found is None or found.water_equivalent_diameter_mm < 1_000
        assert image.exposure.ctdi_vol_mgy is None


def test_what_cannot_be_read_says_so() -> None:
    assert refused(PixelSpacing=None) is Reason.UNREADABLE
    assert refused(PixelSpacing=[0, 0]) is Reason.UNREADABLE
    for data in (b"", b"no DICOM", file_of(ct_slice(drawn(CHILD)))[:3000]):
        with pytest.raises(NotUsed) as error:
            read_image(data)
        assert error.value.reason is Reason.UNREADABLE


def test_pixels_of_which_no_decoder_is_installed_name_their_transfer_syntax() -> None:
    dataset = ct_slice(drawn(CHILD))
    dataset.PixelData = encapsulate([b"\xff\xd8 a picture"])
    with pytest.raises(NotUsed) as error:
        read_image(as_file(dataset, JPEGLosslessSV1))
    assert error.value.reason is Reason.UNREADABLE
    assert "JPEG Lossless" in error.value.sentence


def test_an_image_of_nobody_has_no_size() -> None:
    tube = Ellipse(half_width=10, half_height=10)
    assert measure(read_image(file_of(ct_slice(drawn(tube, TABLE)))).slice) is None
    assert measure(read_image(file_of(ct_slice(drawn()))).slice) is None


def test_regions_are_told_apart_by_their_edges() -> None:
    rows = ["##..#", ".#..#", "##.#.", "....#", "#.###"]
    mask = np.array([[letter == "#" for letter in row] for row in rows])
    labels = label(mask)
    assert {int(labels[0, 0])} == {int(one) for one in labels[mask & (np.arange(5) < 2)][:5]}
    assert len(set(labels[mask].tolist())) == 5
    assert largest_region(mask).sum() == 5
    ring = np.ones((5, 5), dtype=bool)
    ring[2, 2] = False
    assert without_holes(ring).all()
    ring[2, 3:] = False
    assert not without_holes(ring)[2, 2]


def test_labels_are_those_of_a_flood_of_each_pixel() -> None:
    mask = np.random.default_rng(7).random((40, 60)) < 0.55
    labels = label(mask)
    seen: dict[int, int] = {}
    flooded = np.zeros(mask.shape, dtype=int)
    for row, column in zip(*np.nonzero(mask), strict=True):
        if flooded[row, column]:
            continue
        number, waiting = flooded.max() + 1, [(row, column)]
        while waiting:
            y, x = waiting.pop()
            if 0 <= y < 40 and 0 <= x < 60 and mask[y, x] and not flooded[y, x]:
                flooded[y, x] = number
                waiting += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    for ours, theirs in zip(labels[mask].tolist(), flooded[mask].tolist(), strict=True):
        assert seen.setdefault(theirs, ours) == ours
    assert len(set(seen.values())) == len(seen)


def test_the_formula_of_a_disc_of_water_is_its_diameter() -> None:
    assert water_equivalent(CIRCLE) == pytest.approx(320)
    assert pytest.approx(pi * 160**2) == CIRCLE.area
