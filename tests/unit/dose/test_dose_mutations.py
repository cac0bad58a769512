"""Damaged reports: the reader never raises, and never gives a number that the object does not hold.

The seed is fixed, so that a failure comes again.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest

from tests.dose_damage import mutated, originals
from treegarth.features.dose.reading import read_dose_bytes
from treegarth.features.dose.reading.model import to_json

MUTATIONS = 10_000 if os.environ.get("TREEGARTH_SOAK") == "1" else 200
SLICES = 10

NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
FACTORS = [1.0, 60.0, 3600.0, 86_400.0, 31_557_600.0, 2_629_800.0, 604_800.0, 3.7e10, 3.7e7, 3.7e4, 0.0254, 453.59237]
FACTORS = [factor * 10.0**power for factor in FACTORS for power in range(-12, 13)]
COUNTED_BY_US = {"organ_dose_count"}


def numbers(value: object, name: str = "") -> Iterator[float]:
    if isinstance(value, dict):
        for key, below in value.items():
            if key not in COUNTED_BY_US:
                yield from numbers(below, key)
    elif isinstance(value, (list, tuple)):
        for below in value:
            yield from numbers(below, name)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield float(value)


def not_written(found: list[float], data: bytes) -> list[float]:
    """The numbers that are not in the bytes, in any unit."""
    tokens = {token for token in NUMBER.findall(data) if len(token) < 40}
    left = without(found, tokens)
    if left:  # a damaged length may cut a number, or stand before it like digits of it
        left = without(left, {token[i:j] for token in tokens for i in range(len(token)) for j in range(i + 1, 40)})
    return left


def without(found: list[float], tokens: set[bytes]) -> list[float]:
    written = {f"{float(token):.9e}" for token in tokens if NUMBER.fullmatch(token)}
    return [number for number in found if not any(f"{number / factor:.9e}" in written for factor in FACTORS)]


@pytest.mark.parametrize("part", range(SLICES))
def test_a_damaged_report_is_read_without_an_exception_and_without_an_invented_number(part):
    sources = originals()
    for number in range(part, MUTATIONS, SLICES):
        chance = random.Random(number)
        data = mutated(chance.choice(sources), chance)
        reading = read_dose_bytes(data)
        assert to_json("x.dcm", reading)
        assert (reading.kind is None) == (reading.refused is not None)
        if "planes" in reading.totals:
            continue  # sums over planes are in no report
        found = [*numbers(reading.totals), *numbers(reading.irradiation_events), *numbers(reading.administrations)]
        assert not_written(found, data) == [], f"mutation {number}"


@pytest.mark.parametrize("data", [b"", b"\0", b"DICM", b"\0" * 128 + b"DICM", b"%PDF-1.7", os.urandom(4096)], ids=len)
def test_bytes_that_are_no_dicom_are_refused(data):
    reading = read_dose_bytes(data)
    assert reading.kind is None
    assert reading.refused
