"""How deep sequences are nested is told exactly, in every encoding, at any depth, whatever the bytes."""

from __future__ import annotations

import random
from contextlib import suppress
from io import BytesIO
from typing import get_args

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.bad_objects import ct_image, in_syntax, mutants, nasty_objects
from tests.deep_objects import PRIVATE, SIGNATURES, Lengths, deep_dose_report, deep_object, nested
from treegarth.dicom.depth import DEEPEST_NESTING, nesting_beyond
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import read_header
from treegarth.errors import UnreadableObject

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom complains of what is bad on purpose
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("lengths", get_args(Lengths))
@pytest.mark.parametrize("depth", [1, DEEPEST_NESTING, DEEPEST_NESTING + 1, 46, 3000])
def test_the_depth_is_exact_in_every_encoding(syntax: UID, lengths: Lengths, depth: int) -> None:
    data = deep_object(1, depth, syntax=syntax, lengths=lengths)
    assert nesting_beyond(data) == (depth if depth > DEEPEST_NESTING else None)
    assert nesting_beyond(data, 0) == depth


@pytest.mark.parametrize("vr", [b"SQ", b"UN"])
def test_private_sequences_count_also_in_disguise(vr: bytes) -> None:
    assert nesting_beyond(deep_object(1, 40, tag=PRIVATE, vr=vr)) == 40


def test_implicit_items_within_a_big_endian_object_are_little_endian() -> None:
    """PS3.5 6.2.2: of a UN of undefined length."""
    inner = nested(39, syntax=ImplicitVRLittleEndian)
    outer = b"\x00\x09\x10\x10UN\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    data = in_syntax(ct_image(1), ExplicitVRBigEndian)
    ends = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    place = data.index(b"\x00\x10\x00\x10PN")
    assert nesting_beyond(data[:place] + outer + inner + ends + data[place:]) == 40


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_what_lies_behind_the_pixels_counts(syntax: UID) -> None:
    assert nesting_beyond(deep_object(1, 40, syntax=syntax, tag=SIGNATURES)) == 40


def test_what_lies_behind_compressed_pixels_counts_and_what_lies_in_them_does_not() -> None:
    image = ct_image(1)
    image.PixelData = pydicom.encaps.encapsulate([nested(50), nested(60)])
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    data = in_syntax(image, RLELossless)
    assert nesting_beyond(data, 0) is None
    assert nesting_beyond(data + nested(40, tag=SIGNATURES), 0) == 40


def test_bytes_within_a_value_that_look_like_sequences_do_not_count() -> None:
    assert nesting_beyond(in_syntax(ct_image(1, PixelData=nested(50) * 10)), 0) is None
    described = ct_image(1, StudyDescription="x" * 512)
    data = in_syntax(described).replace(b"x" * 512, nested(50)[:512])
    assert nesting_beyond(data, 0) is None


def test_ends_within_a_value_hide_nothing() -> None:
    """Who only counts the marks of items and of their ends can be made to see any depth."""
    ends = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0" * 3
    level = b"\x08\x00\x32\x10SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"\x08\x00\x04\x01LO"
    level += len(ends).to_bytes(2, "little") + ends
    data = in_syntax(ct_image(1))
    place = data.index(b"\x10\x00\x10\x00PN")
    assert nesting_beyond(data[:place] + level * 40) == 40


def test_many_sequences_beside_each_other_are_not_deep() -> None:
    data = in_syntax(ct_image(1))
    place = data.index(b"\x10\x00\x10\x00PN")
    assert nesting_beyond(data[:place] + nested(6) * 500 + data[place:]) is None
    assert nesting_beyond(data[:place] + nested(6) * 500 + data[place:], 0) == 6


def test_a_file_without_meta_information_is_measured_too() -> None:
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        data = deep_object(1, 40, syntax=syntax)
        assert nesting_beyond(data[144 + int.from_bytes(data[140:144], "little") :]) == 40


def test_cut_off_anywhere_it_is_as_deep_as_what_is_there() -> None:
    data = deep_object(1, 40)
    found = [nesting_beyond(data[:end], 0) or 0 for end in range(len(data))]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 40)


def test_no_bytes_are_too_odd_to_be_measured() -> None:
    for one in [*nasty_objects(), *mutants(7, 300)]:
        nesting_beyond(one.data)
    chance = random.Random(1)
    for _ in range(2000):
        nesting_beyond(chance.randbytes(chance.randrange(400)))


def depth_of(dataset: Dataset) -> int:
    return max((1 + depth_of(item) for element in dataset if element.VR == "SQ" for item in element.value), default=0)


items = st.recursive(st.just(Dataset), lambda inner: st.lists(inner, max_size=3), max_leaves=12)


def built(shape: object, undefined: random.Random) -> Dataset:
    """A data set whose sequence has an item for each part of the shape."""
    dataset = Dataset()
    dataset.CodeValue = "1"
    if isinstance(shape, list):
        dataset.ProcedureCodeSequence = Sequence([built(part, undefined) for part in shape])
        dataset["ProcedureCodeSequence"].is_undefined_length = undefined.random() < 0.5
        for item in dataset.ProcedureCodeSequence:
            item.is_undefined_length_sequence_item = undefined.random() < 0.5
    return dataset


@settings(max_examples=100)
@given(shape=items, seed=st.integers(0, 100), syntax=st.sampled_from(SYNTAXES))
def test_it_is_what_pydicom_finds(shape: object, seed: int, syntax: UID) -> None:
    data = in_syntax(built(shape, random.Random(seed)), syntax)
    expected = depth_of(pydicom.dcmread(BytesIO(data), force=True))
    found = nesting_beyond(data, 0)
    empty = 1 if found is not None and found == expected + 1 else 0  # a sequence without items is a level, too
    assert (found or 0) - empty == expected


@pytest.mark.parametrize("depth", [60, 300, 3000, 20_000])
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_no_depth_ends_the_readers_of_a_header(depth: int, syntax: UID) -> None:
    """What is plain is read; the rest is refused, and the index then asks Orthanc for what it knows."""
    for lengths in ("defined", "undefined"):
        data = deep_object(1, depth, syntax=syntax, lengths=lengths)
        try:
            header = read_header(data)
        except UnreadableObject:
            assert syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
        else:
            assert header.patient_id == "BAD00001"
        with suppress(UnreadableObject):
            header_json(data)


@pytest.mark.parametrize("depth", [60, 3000])
def test_a_deep_report_is_measured(depth: int) -> None:
    assert nesting_beyond(deep_dose_report(1, depth)) == depth
