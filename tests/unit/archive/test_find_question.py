"""What a C-FIND asks for, out of the tags and values of its identifier, and its answers as pydicom reads them."""

from __future__ import annotations

from datetime import date, time
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword

from treegarth.features.archive.finding.answer import KOREAN, UTF_8, answer_of
from treegarth.features.archive.finding.question import (
    KEYS,
    QUERY_LEVEL,
    RETRIEVE_AE_TITLE,
    FindLevel,
    FindRefused,
    Question,
    days_of,
    question_of,
    times_of,
    values_of,
)

NAME = "Hong^Gildong=洪^吉洞=홍^길동"


def asked(level: str, **keys: str) -> Question:
    named = ((tag_for_keyword(keyword) or 0, value) for keyword, value in keys.items())
    return question_of([(QUERY_LEVEL, level), *named])


def read(question: Question, character_set: str = UTF_8, **values: Any) -> Dataset:
    by_tag = {tag_for_keyword(keyword) or 0: value for keyword, value in values.items()}
    return dcmread(BytesIO(answer_of(question, by_tag, character_set=character_set)))


def test_a_key_with_a_value_is_matched_and_returned_and_an_empty_one_is_returned() -> None:
    found = asked("STUDY", PatientName="HONG*", StudyDate="", PatientID="*", StudyDescription=" ")
    assert [(one.key.column, one.value) for one in found.matches] == [("patient_name", "HONG*")]
    assert set(found.returned) >= {tag_for_keyword(one) for one in ("PatientName", "StudyDate", "PatientID")}


@pytest.mark.parametrize("level", ["PATIENT", "STUDY", "SERIES", "IMAGE"])
def test_each_answer_has_the_unique_keys_of_its_level_and_of_those_above(level: str) -> None:
    unique = {
        "PATIENT": ["PatientID"],
        "STUDY": ["StudyInstanceUID"],
        "SERIES": ["StudyInstanceUID", "SeriesInstanceUID"],
        "IMAGE": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"],
    }
    found = asked(level)
    assert found.level is FindLevel[level]
    assert set(found.returned) == {RETRIEVE_AE_TITLE, *(tag_for_keyword(one) for one in unique[level])}


def test_what_lies_below_the_level_or_is_not_known_matches_whatever_it_is() -> None:
    found = asked("STUDY", Modality="CT", SOPInstanceUID="1.2", PatientComments="x", NumberOfStudyRelatedSeries="3")
    assert found.matches == ()


@pytest.mark.parametrize("level", ["", "WORKLIST", "STUDY\\SERIES"])
def test_a_level_that_there_is_not_is_refused(level: str) -> None:
    with pytest.raises(FindRefused):
        asked(level)


def test_a_value_that_no_database_holds_is_refused() -> None:
    with pytest.raises(FindRefused):
        asked("STUDY", PatientID="a\0b")


def test_the_keys_are_what_the_standard_says_they_are() -> None:
    for tag, key in KEYS.items():
        assert dictionary_VR(tag) == key.vr


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("20260131", (date(2026, 1, 31), date(2026, 1, 31))),
        ("20260101-20260131", (date(2026, 1, 1), date(2026, 1, 31))),
        ("20260101-", (date(2026, 1, 1), None)),
        ("-20260131", (None, date(2026, 1, 31))),
        ("2026.01.31", (date(2026, 1, 31), date(2026, 1, 31))),
    ],
)
def test_a_date_is_a_day_or_a_range_of_days(text: str, days: tuple[date | None, date | None]) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("10", (time(10), time(10, 59, 59, 999_999))),
        ("1015", (time(10, 15), time(10, 15, 59, 999_999))),
        ("101530.5", (time(10, 15, 30, 500_000), time(10, 15, 30, 599_999))),
        ("080000-1159", (time(8), time(11, 59, 59, 999_999))),
        ("1200-", (time(12), None)),
    ],
)
def test_a_time_is_all_that_it_leaves_open(text: str, times: tuple[time | None, time | None]) -> None:
    assert times_of(text) == times


@pytest.mark.parametrize("text", ["20261301", "yesterday", "202601", "20260101-soon"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(FindRefused):
        days_of(text)


@pytest.mark.parametrize("text", ["25", "1", "10:15:99", "noon"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(FindRefused):
        times_of(text)


def test_a_list_has_its_values() -> None:
    assert values_of("1.2\\1.3 \\") == ["1.2", "1.3"]


@pytest.mark.parametrize("character_set", [UTF_8, KOREAN])
def test_a_korean_name_is_read_back_as_it_was(character_set: str) -> None:
    question = asked("STUDY", PatientName="", StudyDescription="", StudyDate="", StudyTime="", ModalitiesInStudy="")
    found = read(
        question,
        character_set,
        PatientName=NAME,
        StudyDescription="흉부 CT",
        StudyDate=date(2026, 1, 31),
        StudyTime=time(10, 15, 30, 500_000),
        ModalitiesInStudy=["CT", "SR"],
    )
    found.decode()
    assert (str(found.PatientName), found.StudyDescription) == (NAME, "흉부 CT")
    assert (found.StudyDate, found.StudyTime) == ("20260131", "101530.500000")
    assert list(found.ModalitiesInStudy) == ["CT", "SR"]
    assert found.QueryRetrieveLevel == "STUDY"


def test_what_korean_has_no_letters_for_costs_itself_alone() -> None:
    found = read(
        asked("STUDY", PatientName="", StudyDescription=""), KOREAN, PatientName="Łukasz^홍", StudyDescription="Ł"
    )
    found.decode()
    assert (str(found.PatientName), found.StudyDescription) == ("Łukasz^홍", "Ł")
    found = read(asked("STUDY", PatientName=""), KOREAN, PatientName="Ñandú^홍")
    found.decode()
    assert str(found.PatientName) == "?and?^홍"


def test_what_is_not_known_is_there_and_empty() -> None:
    found = read(asked("IMAGE", PatientComments="", Rows="", PatientName=""), Rows=512)
    assert (found.Rows, found.PatientComments, str(found.PatientName)) == (512, "", "")
