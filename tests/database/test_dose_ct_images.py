"""CT exams of which there are only images, from the files to the exam: each acquisition that was read counts once, with
the greatest CTDIvol of its images; and what was not looked at is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file
from tests.dose_image_builder import CT, ct_image
from tests.dose_registry_support import Archive, Instance, index, note, read
from treegarth.database.engine import connect
from treegarth.features.dose.registry.tables import dose_study

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)
UID = "1.2.3"


@dataclass(frozen=True)
class Image(Instance):
    series: str = "1"

    @property
    def orthanc_series_id(self) -> str:
        return f"series {self.series} of {self.study_instance_uid}"


@dataclass(frozen=True)
class Shot:
    """One image: of which series and acquisition, when, what its header tells."""

    series: str
    acquisition: int | None
    ctdi_vol: float
    began: str | None = None
    event_uid: str | None = None


def stored(engine: Engine, shots: Sequence[Shot], chance: Random) -> Any:
    """The exam of these images, under identifiers of chance and in an order of chance."""
    files, images = {}, []
    for number, (shot, name) in enumerate(zip(shots, chance.sample(range(1000), len(shots)), strict=True)):
        header: dict[str, Any] = {}
        if shot.began:
            header["AcquisitionDateTime"] = shot.began
        if shot.event_uid:
            header["IrradiationEventUID"] = shot.event_uid
        uid = f"{UID}.{number}"
        dataset = ct_image(uid, acquisition=shot.acquisition or 0, ctdi_vol=shot.ctdi_vol, **header)
        if shot.acquisition is None:
            del dataset.AcquisitionNumber
        files[f"i{name:03}"] = as_file(dataset)
        images.append(Image(f"i{name:03}", uid, sop_class_uid=CT, modality="CT", series=shot.series))
    chance.shuffle(images)
    index(engine, *images)
    note(engine, *images)
    read(engine, Archive(**files), NOW)
    with connect(engine) as connection:
        return connection.execute(select(dose_study)).one()


A, B = "20240229101500", "20240229104500"
CASES: dict[str, tuple[list[Shot], float, int]] = {
    "one number in two series, with other doses": ([Shot("1", 2, 10.0), Shot("2", 2, 20.0)], 20.0, 2),
    "one number in two series, at other times": ([Shot("1", 2, 10.0, A), Shot("2", 2, 10.0, B)], 10.0, 2),
    "one acquisition reconstructed twice": ([Shot("1", 2, 10.0, A), Shot("2", 2, 10.0, A)], 10.0, 1),
    "one number in two series, with event UIDs": (
        [Shot("1", 2, 10.0, A, "1.9.1"), Shot("2", 2, 10.0, B, "1.9.2")], 10.0, 2),
    "two acquisitions in one series, both read": ([Shot("1", 1, 10.0), Shot("1", 2, 20.0)], 20.0, 2),
    "two images of one acquisition, of which one tells more": (
        [Shot("1", 1, 8.0), Shot("1", 1, 12.0, A)], 12.0, 1),
    "two images of one event, of which one tells more": (
        [Shot("1", 1, 8.0, A, "1.9.1"), Shot("1", 1, 12.0, None, "1.9.1")], 12.0, 1),
    "images without numbers and times, by their doses": ([Shot("1", None, 8.0), Shot("2", None, 12.0)], 12.0, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_each_acquisition_counts_once_with_its_greatest_dose(engine: Engine, name: str, seed: int) -> None:
    shots, greatest, events = CASES[name]
    exam = stored(engine, shots, Random(seed))
    assert (exam.best_ctdi_vol_max_mgy, exam.mean_ctdi_vol_max_mgy) == (greatest, greatest)
    assert exam.irradiation_event_count == events
    assert exam.best_dlp_mgy_cm is None
    assert exam.doubts in (None, [])


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_series_of_which_not_every_image_was_read_says_so(engine: Engine, seed: int) -> None:
    """Four acquisitions in one series, two images each: two images are read, of whichever acquisitions."""
    shots = [Shot("1", number, 10.0 * number) for number in (1, 2, 3, 4) for _ in range(2)]
    exam = stored(engine, shots, Random(seed))
    assert exam.doubts == ["ctdi_vol_max_mgy:sampled"]
    assert exam.origins == ["ctdi_vol_max_mgy:headers"]
    assert exam.best_ctdi_vol_max_mgy in {10.0, 20.0, 30.0, 40.0}
