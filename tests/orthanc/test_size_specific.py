"""A CT study with its dose report arrives by C-STORE: its size-specific dose is there soon after it came to rest."""

from __future__ import annotations

from math import exp
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.bad_objects import uid
from tests.ct_phantoms import Bow, Ellipse, ct_slice, drawn, file_of, water_equivalent
from tests.dose_builder import as_file, code, coded, ct_acquisition, ct_dose_report
from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer, store

BODY = Ellipse(half_width=150, half_height=110, hu=20, x=20, y=-10)
TABLE = Bow(radius=420, thick=3, below=60)
STUDY, SERIES, EVENT = uid(7, 1), uid(7, 2), uid(7, 3)
SLICES = 8


def phantom_study(folder: Path) -> Path:
    """A trunk on a table in eight images, and the report of its one scan of 8.2 mGy."""
    folder.mkdir()
    picture = drawn(BODY, TABLE)
    for number in range(1, SLICES + 1):
        image = ct_slice(picture, number=number, study=STUDY, series=SERIES, event=EVENT)
        (folder / f"{number}.dcm").write_bytes(file_of(image))
    chest = coded("123014", code("51185008", "SCT", "Chest"))
    report = ct_dose_report(ct_acquisition(EVENT, extra=[chest]), sop_instance_uid=uid(7, 9), study_instance_uid=STUDY)
    report.PatientID = "4711"
    (folder / "report.dcm").write_bytes(as_file(report))
    return folder


def series_of(server: OrthancServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("dose/ssde")["items"]
    return found


def test_the_size_specific_dose_of_a_study_arrives_by_itself(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(treegarth={"StableSeconds": 1}).start()
    store(server, phantom_study(tmp_path / "study"))
    deadline = monotonic() + 150
    while not any(one["ssde_mean_mgy"] for one in series_of(server)):
        assert monotonic() < deadline, series_of(server)
        sleep(0.3)
    (found,) = series_of(server)
    size = water_equivalent(BODY)
    assert (found["state"], found["matched_by"], found["slice_count"]) == ("measured", "uid", SLICES)
    assert found["water_equivalent_diameter_mean_mm"] == pytest.approx(size, rel=0.01)
    assert found["ssde_mean_mgy"] == pytest.approx(8.2 * 3.704369 * exp(-0.03671937 * size / 10), rel=0.01)
    assert found["truncated_fraction_max"] == 0
    (of_study,) = server.get(f"dose/studies/{STUDY}/ssde")["series"]
    assert len(of_study["slices"]) == SLICES


def test_without_a_worker_nothing_is_measured(new_server: ServerFactory, tmp_path: Path) -> None:
    """Orthanc's process and the indexer go on; measuring is nobody's work there."""
    server = new_server(treegarth={"Workers": 0, "StableSeconds": 1}).start()
    store(server, phantom_study(tmp_path / "study"))
    deadline = monotonic() + 150
    while server.get("status")["indexed_instances"] != SLICES + 1:
        assert monotonic() < deadline
        sleep(0.1)
    sleep(3)
    assert [one for one in series_of(server) if one["state"] != "waiting"] == []
