"""Objects that were cut off anywhere: never a number that is not in the whole, and never less without a word."""

from __future__ import annotations

import os
import random

import pytest
from pydicom import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from tests.dose_builder import as_file, code, coded, container, ct_acquisition, ct_dose_report, num, report, uidref
from tests.dose_image_builder import NM, image
from treegarth.dicom.wholeness import is_cut_off
from treegarth.features.dose.reading import read_dose_bytes
from treegarth.features.dose.reading.model import DoseReading

PLACES = 5_900 if os.environ.get("TREEGARTH_SOAK") == "1" else 200


def ct() -> Dataset:
    return ct_dose_report(ct_acquisition("1.2.3.4"), ct_acquisition("1.2.3.5", dlp_mgy_cm="1835.3"), dlp_total="2145.8")


def enhanced() -> Dataset:
    summary = container("130501", uidref("113769", "1.2.3.4"), num("122130", "0.00175", "Gy.m2"))
    accumulated = container("130500", num("113722", "0.00175", "Gy.m2"), coded("113764", code("113622")))
    return report(accumulated, summary, sop_class_uid="1.2.840.10008.5.1.4.1.1.88.76")


def nuclear() -> Dataset:
    item = Dataset()
    item.RadionuclideTotalDose, item.RadiopharmaceuticalStartTime = "394.25", "104830"
    item.RadionuclideCodeSequence = [code("77004003", "SCT")]
    found = image(NM, "1.2.3.7", RadiopharmaceuticalInformationSequence=[item])
    del found.PixelData
    return found


def of_undefined_lengths(dataset: Dataset) -> Dataset:
    """Sequences and items that end by delimiters (PS3.5 7.5.2), as many devices write them."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                of_undefined_lengths(item)
    return dataset


WHOLE = {
    "CT": as_file(ct()),
    "CT, undefined lengths": as_file(of_undefined_lengths(ct())),
    "CT, implicit": as_file(ct(), ImplicitVRLittleEndian),
    "CT, big endian": as_file(ct(), ExplicitVRBigEndian),
    "CT, deflated": as_file(ct(), DeflatedExplicitVRLittleEndian),
    "CT, no preamble": as_file(ct())[132:],
    "enhanced": as_file(enhanced()),
    "enhanced, undefined lengths": as_file(of_undefined_lengths(enhanced())),
    "nuclear medicine": as_file(nuclear()),
    "nuclear medicine, undefined lengths": as_file(of_undefined_lengths(nuclear())),
}


def values_of(reading: DoseReading) -> set[str]:
    """Everything that it says, each with its place."""
    found: set[str] = set()

    def walk(value: object, place: str) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, f"{place}/{key}")
        elif isinstance(value, (list, tuple)):
            for number, below in enumerate(value):
                walk(below, f"{place}/{number}")
        else:
            found.add(f"{place} = {value!r}")

    walk(reading.totals, "totals")
    walk(reading.irradiation_events, "events")
    walk(reading.administrations, "administrations")
    return found


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_cut_off_never_says_another_number_nor_less_without_a_word(name: str) -> None:
    data = WHOLE[name]
    whole = values_of(read_dose_bytes(data))
    assert len(whole) > 3
    chance = random.Random(name)
    places = sorted(chance.sample(range(1, len(data)), min(PLACES // len(WHOLE), len(data) - 1)))
    for place in places:
        reading = read_dose_bytes(data[:place])
        said = values_of(reading)
        assert said <= whole, f"cut at {place}: {said - whole}"
        assert said == whole or reading.refused or reading.issues, f"cut at {place}: {whole - said}"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_object_is_not_called_cut_off(name: str) -> None:
    assert not is_cut_off(WHOLE[name])
    assert not is_cut_off(WHOLE[name] + b"\0")  # a byte of padding, which some archives append
    assert read_dose_bytes(WHOLE[name]).refused is None


def test_a_number_that_was_cut_is_refused_with_the_reason() -> None:
    data = as_file(ct())
    reading = read_dose_bytes(data[: data.index(b"1835.3") + 3])
    assert reading.kind is None
    assert "cut off" in str(reading.refused)


def test_a_header_without_its_pixels_is_whole() -> None:
    data = as_file(image(NM, "1.2.3.7"))
    assert not is_cut_off(data[: data.index(b"\xe0\x7f\x10\x00")])
    assert not is_cut_off(data[:-100])  # the pixels are not looked at


@pytest.mark.parametrize("junk", [b"", b"\xff" * 200, b"%PDF-1.7 and so on" * 20, os.urandom(500)])
def test_what_is_no_dicom_raises_nothing(junk: bytes) -> None:
    is_cut_off(junk)
    is_cut_off(b"\0" * 128 + b"DICM" + junk)
