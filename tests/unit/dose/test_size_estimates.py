"""Estimates by hand: the function of the phantom and of no other, the event of the images, and why there is none."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import pytest

from treegarth.features.dose.analysis.size.anatomy import Region, region_of
from treegarth.features.dose.analysis.size.estimates import Event, Measured, estimate, event_of
from treegarth.features.dose.analysis.size.factors import factors
from treegarth.features.dose.analysis.size.reasons import OF_IMAGES, REASONS, Reason

HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"
TABLE_1D = (
    "2.76 2.66 2.57 2.47 2.38 2.30 2.22 2.14 2.06 1.98 1.91 1.84 1.78 1.71 1.65 1.59 1.53 1.48 1.43 1.37 1.32 1.28 1.23"
    " 1.19 1.14 1.10 1.06 1.02 0.99 0.95 0.92 0.88 0.85 0.82 0.79 0.76 0.74 0.71"
)
"""AAPM Report 204, 32 cm phantom, effective diameters of 8 to 45 cm: as medphunc/misc/ssde.csv has them."""
TABLE_2D = (
    "1.49 1.43 1.38 1.32 1.27 1.22 1.18 1.13 1.09 1.05 1.01 0.97 0.93 0.90 0.86 0.83 0.80 0.77 0.74 0.71 0.69 0.66 0.63"
    " 0.61 0.59 0.56 0.54 0.52 0.50 0.48 0.47 0.45 0.43 0.41 0.40 0.38 0.37 0.35 0.34 0.33 0.32 0.30 0.29 0.28 0.27"
    " 0.26 0.25 0.24 0.23 0.22"
)
"""The 16 cm phantom, of 6 to 55 cm."""


def scan(**given: object) -> Event:
    values = {
        "orthanc_instance_id": "r1", "position": 1, "orthanc_series_id": "reports", "irradiation_event_uid": "1.7",
        "is_localizer": False, "ctdi_vol_mgy": 10.0, "phantom": BODY, "target_region": "Chest", "is_doubted": False,
    }  # fmt: skip
    return Event(**(values | given))  # type: ignore[arg-type]


def series(*diameters_mm: float, **given: object) -> Measured:
    values = {
        "orthanc_series_id": "s1", "diameters_mm": diameters_mm or (250.0, 300.0), "truncated_fraction": 0.0,
        "irradiation_event_uids": (), "ctdi_vol_mgy": None, "body_part_examined": "CHEST",
    }  # fmt: skip
    return Measured(**(values | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(("phantom", "first", "table"), [(BODY, 8, TABLE_1D), (HEAD, 6, TABLE_2D)])
def test_the_functions_give_the_reports_tables(phantom: str, first: int, table: str) -> None:
    factor = factors()[phantom]
    printed = [float(one) for one in table.split()]
    assert (factor.least_cm, factor.greatest_cm) == (first, first + len(printed) - 1)
    for size, value in enumerate(printed, start=first):
        assert factor.at(10.0 * size) == pytest.approx(value, abs=0.005)


def test_each_row_says_where_its_numbers_are_from_and_how_they_were_checked() -> None:
    for one in factors().values():
        assert "AAPM Report 204" in one.report
        assert one.table.startswith("table ")
        assert one.page
        assert "checked" in one.page or one.page.isdigit()
        assert len(one.checked) > 80


def test_beyond_the_table_there_is_no_factor() -> None:
    assert factors()[BODY].at(79.0) is None
    assert factors()[BODY].at(451.0) is None
    assert factors()[BODY].at(80.0) is not None


def test_a_series_has_the_mean_over_its_slices_beside_the_least_and_the_greatest() -> None:
    found = estimate(series(250.0, 300.0, 350.0), [scan()])
    by_hand = [10.0 * 3.704369 * exp(-0.03671937 * size) for size in (25, 30, 35)]
    assert found.mean == pytest.approx(sum(by_hand) / 3)
    assert (found.least, found.greatest) == (pytest.approx(by_hand[2]), pytest.approx(by_hand[0]))
    assert (found.slice_count, found.matched_by, found.reason) == (3, "only", None)


def test_the_phantoms_are_never_mixed() -> None:
    child = estimate(series(160.0), [scan(phantom=HEAD)])
    assert child.mean == pytest.approx(10.0 * 1.874799 * exp(-0.03871313 * 16))
    adult = estimate(series(160.0), [scan(phantom=BODY)])
    assert adult.mean == pytest.approx(10.0 * 3.704369 * exp(-0.03671937 * 16))
    two = [scan(), scan(position=2, phantom=HEAD)]
    assert estimate(series(irradiation_event_uids=["1.7"]), two).reason is Reason.WHICH_EVENT
    assert estimate(series(), [scan(phantom=None)]).reason is Reason.NO_PHANTOM
    assert estimate(series(), [scan(phantom="another one")]).reason is Reason.NO_PHANTOM


@pytest.mark.parametrize("region", ["Head", "Skull", "Orbit", "Paranasal sinus"])
@pytest.mark.parametrize("phantom", [HEAD, BODY])
def test_heads_have_none_whatever_the_phantom(region: str, phantom: str) -> None:
    found = estimate(series(160.0, body_part_examined=None), [scan(phantom=phantom, target_region=region)])
    assert (found.reason, found.mean) == (Reason.HEAD, None)
    of_series = estimate(series(160.0, body_part_examined=region), [scan(phantom=phantom, target_region=None)])
    assert of_series.reason is Reason.HEAD


def test_other_parts_have_none_and_a_16_cm_phantom_asks_for_a_named_trunk() -> None:
    assert estimate(series(body_part_examined="KNEE"), [scan(target_region=None)]).reason is Reason.NOT_TRUNK
    unknown = series(body_part_examined=None)
    assert estimate(unknown, [scan(target_region=None, phantom=HEAD)]).reason is Reason.REGION_UNKNOWN
    assert estimate(unknown, [scan(target_region=None)]).mean is not None


@pytest.mark.parametrize(
    ("words", "region"),
    [
        ("CHESTABDPELVIS", Region.TRUNK), ("Heart", Region.TRUNK), ("LSPINE", Region.TRUNK), ("Hip", Region.TRUNK),
        ("HEADNECK", Region.HEAD), ("Ear", Region.HEAD), ("IAC", Region.HEAD), ("Brain", Region.HEAD),
        ("NECK", Region.OTHER), ("CSPINE", Region.OTHER), ("C-SPINE", Region.OTHER), ("Lower legs", Region.OTHER),
        ("FOREARM", Region.OTHER), ("Shoulder", Region.OTHER), ("CAROTID", Region.OTHER),
        ("NECKCHEST", Region.TRUNK), ("WHOLEBODY", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_the_part_of_the_body_is_told_by_words(words: str | None, region: Region | None) -> None:
    assert region_of(words) is region


def test_the_event_is_the_one_that_the_images_name() -> None:
    events = [scan(), scan(position=2, irradiation_event_uid="1.8", ctdi_vol_mgy=20.0)]
    found, by = event_of(series(irradiation_event_uids=["1.8"]), events)
    assert (found and found.position, by) == (2, "uid")


def test_the_event_is_the_one_that_images_of_the_series_tell_of() -> None:
    events = [scan(orthanc_series_id="s0"), scan(position=2, orthanc_series_id="s1", ctdi_vol_mgy=20.0)]
    found, by = event_of(series(), events)
    assert (found and found.position, by) == (2, "images")


def test_localizers_are_never_the_event() -> None:
    localizer = scan(is_localizer=True, ctdi_vol_mgy=0.1)
    found, by = event_of(series(), [localizer, scan(position=2)])
    assert (found and found.position, by) == (2, "only")
    assert estimate(series(), [localizer]).reason is Reason.NO_DOSE
    assert estimate(series(), []).reason is Reason.NO_DOSE


def test_of_several_events_the_one_with_the_ctdi_vol_of_the_images_is_taken() -> None:
    events = [scan(), scan(position=2, irradiation_event_uid="1.8", ctdi_vol_mgy=20.0)]
    found, by = event_of(series(ctdi_vol_mgy=20.05), events)
    assert (found and found.position, by) == (2, "ctdi_vol")
    assert estimate(series(ctdi_vol_mgy=15.0), events).reason is Reason.WHICH_EVENT
    assert estimate(series(), events).reason is Reason.WHICH_EVENT


def test_the_only_event_with_a_ctdi_vol_is_not_taken_for_another_scan() -> None:
    silent = scan(position=2, irradiation_event_uid="1.8", ctdi_vol_mgy=None)
    assert estimate(series(), [scan(), silent]).reason is Reason.WHICH_EVENT
    assert estimate(series(ctdi_vol_mgy=20.0), [scan()]).reason is Reason.WHICH_EVENT
    assert estimate(series(ctdi_vol_mgy=10.05), [scan()]).matched_by == "only"
    assert estimate(series(ctdi_vol_mgy=10.05), [scan(), silent]).matched_by == "ctdi_vol"
    assert estimate(series(irradiation_event_uids=["1.7"]), [scan(), silent]).matched_by == "uid"
    assert estimate(series(), [silent]).reason is Reason.NO_DOSE


def test_an_event_that_the_images_name_and_nobody_tells_of_is_not_replaced_by_another() -> None:
    assert estimate(series(irradiation_event_uids=["1.99"]), [scan()]).reason is Reason.WHICH_EVENT


def test_slices_beyond_the_table_are_left_out() -> None:
    found = estimate(series(300.0, 470.0), [scan()])
    assert (found.slice_count, found.reason) == (1, None)
    assert found.mean == found.least == found.greatest
    assert estimate(series(470.0), [scan()]).reason is Reason.SIZE


def test_much_truncation_and_a_doubted_ctdi_vol_make_an_estimate_doubtful() -> None:
    assert not estimate(series(truncated_fraction=0.19), [scan()]).is_doubted
    assert estimate(series(truncated_fraction=0.21), [scan()]).is_doubted
    assert estimate(series(), [replace(scan(), is_doubted=True)]).is_doubted


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(Reason)
    assert {*OF_IMAGES} < set(Reason)
