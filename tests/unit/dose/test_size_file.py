"""A file of sizes and weights is read in one way or not at all, and each line that is not taken says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from treegarth.features.dose.registry.size_file import (
    GREATEST_INDEX,
    GREATEST_SIZE_M,
    GREATEST_WEIGHT_KG,
    LEAST_INDEX,
    LEAST_SIZE_M,
    LEAST_WEIGHT_KG,
    MOST_LINES,
    NoSizeFile,
    SizeLine,
    SizeUnit,
    decoded,
    heading_of,
    read_lines,
)

ROOT = Path(__file__).resolve().parents[3]
HEAD = "accession_number,patient_size_cm,patient_weight_kg\n"


def read(text: str, unit: SizeUnit | None = None) -> list[SizeLine]:
    return read_lines(text, heading_of(text, unit))


def values(text: str, unit: SizeUnit | None = None) -> list[tuple[object, ...]]:
    return [(one.accession_number, one.patient_size_m, one.patient_weight_kg) for one in read(text, unit)]


def problem(line: str) -> str | None:
    (one,) = read(HEAD + line)
    return one.problem


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("accession_number,patient_size_m,patient_weight_kg\nA1,1.72,70.5\n", None),
        ("\ufeffaccession_number,patient_size_cm,patient_weight_kg\r\nA1,172,70.5\r\n", None),
        ("Accession Number;Patient Size (cm);Weight (kg)\nA1;172;70,5\n", None),
        ("sep=;\naccession;height [cm];weight\nA1;172,0;70,5\n", None),
        ("접수번호\t키(cm)\t체중(kg)\nA1\t172\t70.5\n", None),
        ("accession_number,size,weight\nA1,172,70.5\n", "cm"),
        ("accession_number,size,weight\nA1,1.72,70.5\n", "m"),
        ('accession_number,patient_size_m,patient_weight_kg\n"A1","1,72","70,5"\n', None),
        ("accession_number,patient_size_m,patient_weight_kg\n\nA1,1.72,70.5\n,,\n", None),
    ],
)
def test_the_same_is_read_however_it_is_written(text: str, unit: SizeUnit | None) -> None:
    assert values(text, unit) == [("A1", 1.72, 70.5)]


def test_a_file_of_excel_in_korean_is_read_as_it_was_written() -> None:
    text = "접수번호,환자ID,신장(cm),체중(kg),비고\n가1,환자7,160,55,확인\n"
    for encoding in ("cp949", "utf-8", "utf-8-sig", "utf-16"):
        read_text = decoded(text.encode(encoding))
        (line,) = read(read_text)
        assert (line.accession_number, line.patient_id, line.patient_size_m, line.patient_weight_kg) == (
            *("가1", "환자7"),
            *(1.6, 55.0),
        )
        assert heading_of(read_text).ignored == ("비고",)
    with pytest.raises(NoSizeFile):
        decoded(b"\xff\x80\x00")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "which study"),
        ("a" * 200_000 + ",weight_kg\n", "which study"),
        ("patient_id,patient_size_m\n1,1.7\n", "which study"),
        ("accession_number\nA\n", "size or a weight"),
        ("accession_number,size\nA,1.7\n", "m or cm"),
        ("accession_number,size_mm\nA,1700\n", "mm"),
        ("accession_number,weight_lb\nA,150\n", "lb"),
        ("accession_number,weight_kg,weight\nA,1,1\n", "Two columns"),
        ("accession_number,weight_kg\n", "no line"),
    ],
)
def test_a_file_that_is_none_says_what_it_lacks(text: str, said: str) -> None:
    with pytest.raises(NoSizeFile, match=said):
        read(text)


def test_a_unit_of_the_form_does_not_outvote_the_heading() -> None:
    with pytest.raises(NoSizeFile, match="heading says cm"):
        read(HEAD + "A,170,70\n", "m")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (",172,70", "no study"),
        ("A,,", "neither size nor weight"),
        ("A,1.72,70", "0.0172 m is not believed: from 0.2 to 2.8 m"),
        ("A,0,70", "0 m is not believed"),
        ("A,999,", "9.99 m is not believed"),
        ("A,172,0", "0 kg is not believed: from 0.2 to 650.0 kg"),
        ("A,172,7000", "7000 kg is not believed"),
        ("A,70,172", "do not go together: 351.0 kg/m²"),
        ('A,"1,725",', "two ways"),
        ('A,"1.725,0",', "two ways"),
        ("A,172 cm,70", "“172 cm” is no size or weight"),
        ("A,-172,70", "no size or weight"),
        ("A,nan,70", "no size or weight"),
        ("A,1e2,70", "no size or weight"),
        ("A,１７２,70", "no size or weight"),
        ("1.23E+12,172,70", "shortened by a spreadsheet"),
        ("A" * 400 + ",172,70", "cannot be an identifier"),
    ],
)
def test_a_line_that_is_not_taken_says_why(line: str, said: str) -> None:
    assert said in (problem(line) or "taken")


def test_a_uid_is_one() -> None:
    one, other = read("study_instance_uid,weight_kg\n1.2.3,70\nabc,70\n")
    assert (one.problem, one.study_instance_uid) == (None, "1.2.3")
    assert "no Study Instance UID" in (other.problem or "")


def test_of_two_lines_of_one_study_that_differ_neither_is_taken() -> None:
    found = read(HEAD + "A,172,70\nB,160,50\nA,172,71\nB,160,50\nA,172,70\n")
    assert [one.problem is None for one in found] == [False, True, False, False, False]
    assert "Line 4" in (found[0].problem or "")
    assert "Line 2" in (found[2].problem or "")
    assert "the same as line 3" in (found[3].problem or "")


def test_lines_are_numbered_as_an_editor_does() -> None:
    found = read('accession_number,note,weight_kg\nA,"two\nlines",70\n\nB,,71\n')
    assert [(one.line, one.accession_number) for one in found] == [(2, "A"), (5, "B")]
    assert read("accession_number,note,weight_kg\r\nA,one\u2028line,70\rB,,71")[1].line == 3
    after_sep = read("sep=,\naccession_number,weight_kg\nA,70\n")
    assert after_sep[0].line == 3


def test_a_line_of_anything_costs_itself_alone() -> None:
    found = read(HEAD + "A\0,172,70\nB,172\nC\nD,172,70,more,and more\n")
    assert [one.accession_number for one in found if one.problem is None] == ["B", "D"]
    assert all("\0" not in one.text for one in found)


@pytest.mark.parametrize("text", ['A,172,70,"5 ft\nB,160,50\nC,150,40\n', 'A,172,70,"tall" one\nB,160,50\n'])
def test_a_quotation_mark_that_does_not_end_swallows_no_lines(text: str) -> None:
    with pytest.raises(NoSizeFile, match="Line 2 cannot be read: a quotation mark"):
        read(HEAD.replace("\n", ",note\n") + text)
    assert len(read(HEAD.replace("\n", ",note\n") + 'A,172,70,5 ft 8"\nB,160,50,"2 ""lines""\n of it"\n')) == 2


def test_there_is_an_end_of_lines() -> None:
    with pytest.raises(NoSizeFile, match="in parts"):
        read("accession_number,weight_kg\n" + "".join(f"A{n},70\n" for n in range(MOST_LINES + 1)))


def test_the_example_of_the_documentation_is_read_and_its_limits_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "sizes.md").read_text(encoding="utf-8")
    example = page.split("```csv\n")[1].split("```")[0]
    assert [
        (one.accession_number, one.patient_id, one.patient_size_m, one.patient_weight_kg, one.problem)
        for one in read(example)
    ] == [
        ("A20261120-001", None, 1.72, 70.5, None),
        ("A20261120-002", None, None, 8.25, None),
        ("A20261120-003", "P00017", 1.585, None, None),
    ]
    for said in (
        f"{LEAST_SIZE_M:g} to {GREATEST_SIZE_M:g} m",
        f"{LEAST_WEIGHT_KG:g} to {GREATEST_WEIGHT_KG:g} kg",
        f"{LEAST_INDEX:g} to {GREATEST_INDEX:g} kg/m²",
        f"{MOST_LINES:,} lines",
    ):
        assert said in page
