"""The dose list as a file: the same values in every format, with all digits that mean something, and nothing else."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time
from io import BytesIO, StringIO
from zipfile import ZipFile

import pyarrow.parquet
import pytest

from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.web import export
from treegarth.web.export import Format, fields_of, write_export


def dose_study(number: int, **values: object) -> DoseStudy:
    given: dict[str, object] = {
        **dict.fromkeys(DoseStudy.model_fields),
        "modalities": ["CT"],
        "administration_count": 0,
        "is_void": False,
        "orthanc_study_id": f"study-{number}",
        "study_instance_uid": f"1.2.3.{number}",
        "kinds": ["ct"],
        "protocols": ["Head", "머리"],
        "study_date": date(2026, 11, 20),
        "study_time": time(9, 5, 7),
        "report_count": 1,
        "rule": "single",
        "irradiation_event_count": 2,
        "issue_count": 0,
        "dlp_total_mgy_cm": 270.61234567890123,
        "source_deleted_at": datetime(2026, 11, 21, tzinfo=UTC),
    }
    return DoseStudy(**{**given, **values})  # type: ignore[arg-type]


def written(wanted: Format, *pieces: list[DoseStudy]) -> bytes:
    file = BytesIO()
    write_export(wanted, "Dose", fields_of(DoseStudy), pieces, file)
    return file.getvalue()


def test_parquet_keeps_types_and_digits() -> None:
    table = pyarrow.parquet.read_table(BytesIO(written("parquet", [dose_study(1)], [dose_study(2, protocols=[])])))
    assert set(DoseStudy.model_fields) == set(table.column_names) - {"patient_name_readable"}
    first, second = table.to_pylist()
    assert first["dlp_total_mgy_cm"] == 270.612345678901
    assert (first["study_date"], first["study_time"]) == (date(2026, 11, 20), time(9, 5, 7))
    assert first["protocols"] == ["Head", "머리"]
    assert first["dose_rp_total_gy"] is None
    assert second["protocols"] == []


def test_csv_has_a_line_a_study_with_its_digits() -> None:
    rows = list(csv.DictReader(StringIO(written("csv", [dose_study(1)], [dose_study(2)]).decode())))
    assert [row["study_instance_uid"] for row in rows] == ["1.2.3.1", "1.2.3.2"]
    assert float(rows[0]["dlp_total_mgy_cm"]) == 270.612345678901
    assert rows[0]["protocols"] == "Head; 머리"
    assert rows[0]["dose_rp_total_gy"] == ""


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t"])
def test_no_text_of_a_report_becomes_a_formula(beginning: str) -> None:
    evil = dose_study(1, study_description=f"{beginning}1+1", protocols=[f"{beginning}2+2"])
    (row,) = csv.DictReader(StringIO(written("csv", [evil]).decode()))
    assert row["study_description"] == f"'{beginning}1+1"
    assert row["protocols"] == f"'{beginning}2+2"
    assert "<f>" not in sheets(written("xlsx", [evil]))[0]


def sheets(content: bytes) -> list[str]:
    with ZipFile(BytesIO(content)) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
        return [archive.read(name).decode() for name in names]


def test_xlsx_has_numbers_as_numbers_and_empty_cells_for_what_is_absent() -> None:
    (sheet,) = sheets(written("xlsx", [dose_study(1, dlp_total_mgy_cm=270.625)]))
    assert "<v>270.625</v>" in sheet
    assert sheet.count("<row ") == 2
    absent = chr(ord("A") + [*DoseStudy.model_fields].index("dose_rp_total_gy"))
    assert f'r="{absent}1"' in sheet
    assert f'r="{absent}2"' not in sheet


def test_what_one_sheet_cannot_hold_stands_on_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_OF_A_SHEET", 3)
    found = sheets(written("xlsx", [dose_study(number) for number in range(5)]))
    assert [sheet.count("<row ") for sheet in found] == [3, 3, 2]


@pytest.mark.parametrize("wanted", export.FORMATS)
def test_an_empty_list_is_a_file_with_its_columns(wanted: Format) -> None:
    content = written(wanted, [])
    if wanted == "csv":
        assert content.decode().split(",")[:2] == ["orthanc_study_id", "study_instance_uid"]
    elif wanted == "xlsx":
        assert sheets(content)[0].count("<row ") == 1
    else:
        assert pyarrow.parquet.read_table(BytesIO(content)).num_rows == 0
