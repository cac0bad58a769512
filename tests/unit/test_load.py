"""Objects for load generators are many, quick, distinct and valid."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from pydicom import dcmread

from tests.load import bench_instances, small_instances
from tests.unit.demo.demo_support import errors_of_dciodvfy


def test_small_objects_are_small_and_spread_over_series_and_studies(tmp_path: Path) -> None:
    paths = small_instances(250, tmp_path, series_size=50)
    assert max(path.stat().st_size for path in paths) < 3000
    headers = [dcmread(path) for path in paths]
    assert len({header.SOPInstanceUID for header in headers}) == 250
    assert all(header.file_meta.MediaStorageSOPInstanceUID == header.SOPInstanceUID for header in headers)
    assert set(Counter(header.SeriesInstanceUID for header in headers).values()) == {50}
    assert len({header.StudyInstanceUID for header in headers}) == 3
    assert len({(header.StudyInstanceUID, header.PatientID) for header in headers}) == 3
    assert [header.InstanceNumber for header in headers[48:52]] == [49, 50, 1, 2]
    assert headers[0].pixel_array.shape == (16, 16)


def test_bench_objects_are_whole_ct_images(tmp_path: Path) -> None:
    first, second = bench_instances(2, tmp_path)
    assert dcmread(first).pixel_array.shape == (512, 512)
    assert dcmread(first).SOPInstanceUID != dcmread(second).SOPInstanceUID
    assert errors_of_dciodvfy(dcmread(second), tmp_path) == []


def test_small_objects_are_valid(tmp_path: Path) -> None:
    assert errors_of_dciodvfy(dcmread(small_instances(1, tmp_path)[0]), tmp_path) == []


def test_a_seed_repeats_itself_and_another_differs(tmp_path: Path) -> None:
    first, again, other = (
        small_instances(3, tmp_path / name, seed=seed)[2].read_bytes() for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("writer", [bench_instances, small_instances])
def test_writing_is_much_quicker_than_sending(writer, tmp_path: Path) -> None:
    started = time.process_time()
    writer(300, tmp_path)
    assert time.process_time() - started < 2.0
