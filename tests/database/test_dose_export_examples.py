"""The examples of docs/dose-exports.md are run as they stand there, on what the addresses there answer with."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.database.test_dose_pages import write_report
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.dose.registry.decision.facts import BODY, HEAD
from treegarth.features.dose.registry.tables import dose_study, irradiation_event

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "dose-exports.md").read_text(encoding="utf-8")
BODIES = [float(one) for one in np.random.default_rng(3).lognormal(6, 0.5, 23)]
HEADS = [600.0, 700.0, 900.5]
PARTS = (25, 50, 75, 90, 95)


def example(language: str) -> str:
    """The one block of code in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    made: FlaskClient = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()
    return made


def ct(engine: Engine, number: int, dlp: float, protocol: str = "Thorax, 흉부", **given: Any) -> None:
    event = {"dlp_mgy_cm": dlp, "acquisition_protocol": protocol}
    write_report(engine, number, events=(event,), **{"study_date": date(2026, 1 + number % 3, 7), **given})


@pytest.fixture
def folder(client: FlaskClient, engine: Engine, tmp_path: Path) -> Path:
    """With the files that the addresses answer with."""
    for number, dlp in enumerate(BODIES):
        ct(engine, number, dlp)
    for number, dlp in enumerate(HEADS, start=100):
        ct(engine, number, dlp, "Head")
    for number in (200, 201, 202, 203):
        ct(engine, number, 1e6)
    ct(engine, 300, 1e6, study_date=date(2025, 12, 31))
    left_out: dict[int, dict[str, Any]] = {
        200: {"not_patient": "phantom"},
        201: {"is_void": True},
        202: {"replaced_by": "study-00001"},
        203: {"doubts": ["ctdi_vol_max_mgy:implausible", "dlp_mgy_cm:implausible"]},
    }
    with engine.begin() as connection:
        for protocol, phantom in (("Thorax, 흉부", BODY), ("Head", HEAD)):
            of_protocol = irradiation_event.c.acquisition_protocol == protocol
            connection.execute(update(irradiation_event).where(of_protocol).values(ctdiw_phantom_type=phantom))
        for number, values in left_out.items():
            which = dose_study.c.orthanc_study_id == f"study-{number:05}"
            connection.execute(update(dose_study).where(which).values(**values))
    asked = re.findall(r'^curl -o (\S+) "(\S+)"$', example("sh"), flags=re.MULTILINE)
    assert len(asked) == 4
    for name, address in asked:
        parts = urlsplit(address)
        answer = client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 200, answer.text
        (tmp_path / name).write_bytes(answer.data)
    return tmp_path


def check(rows: list[dict[str, str]], names: tuple[str, str]) -> None:
    for name, values in zip(names, (BODIES, HEADS), strict=True):
        (row,) = [one for one in rows if name in "/".join(one.values())]
        found = [float(row[part]) for part in ("p25", "median", "p75", "p90", "p95")]
        assert found == pytest.approx(np.percentile(values, PARTS).tolist(), rel=1e-12)
        assert int(row["n"]) == len(values)
    assert len(rows) == 2


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_example_of_python_gives_the_medians_of_numpy(folder: Path) -> None:
    script = folder / "example.py"
    script.write_text(example("python"), encoding="utf-8")
    run = [sys.executable, "-W", "error::FutureWarning", script.name]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "DLP is in mGy.cm" in done.stdout
    assert "2026-03" in done.stdout
    check(read(folder / "medians-of-python.csv"), ("Thorax, 흉부", "Head"))


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed here")
def test_the_example_of_r_gives_the_medians_of_numpy(folder: Path) -> None:
    script = folder / "example.R"
    script.write_text(example("r"), encoding="utf-8")
    run = ["Rscript", "--vanilla", script.name]
    surroundings = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(run, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "2026-03" in done.stdout
    check(read(folder / "medians-of-r.csv"), ("Thorax, 흉부", "Head"))


def test_parquet_has_the_types_and_units_that_the_page_names(folder: Path) -> None:
    for name in ("exams", "events"):
        schema = pyarrow.parquet.read_schema(folder / f"{name}.parquet")
        assert schema.field("study_date").type == pyarrow.date32()
        assert schema.field("study_time").type == pyarrow.time64("us")
        assert schema.field("source_deleted_at").type == pyarrow.timestamp("us", tz="UTC")
        for field in schema:
            if field.name.endswith(("_mgy", "_mgy_cm", "_gy", "_gy_m2", "_mbq", "_msv", "_kg", "_mm", "_ma", "kvp")):
                assert field.type == pyarrow.float64()
                assert field.metadata[b"unit"]
    units = {"best_dlp_mgy_cm": b"mGy.cm", "best_dose_area_product_gy_m2": b"Gy.m2", "patient_age_years": b"a"}
    schema = pyarrow.parquet.read_schema(folder / "exams.parquet")
    assert {one: schema.field(one).metadata[b"unit"] for one in units} == units
    assert schema.field("doubts").type == pyarrow.list_(pyarrow.string())
    assert schema.field("is_void").type == pyarrow.bool_()
    assert schema.field("report_count").type == pyarrow.int64()
    content = BytesIO((folder / "exams.parquet").read_bytes())
    assert pyarrow.parquet.read_table(content).num_rows == len(BODIES) + len(HEADS) + 4
