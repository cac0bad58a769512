"""Whatever a protocol is called, its sheet has a name that spreadsheets take."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workbooks import read_workbook
from treegarth.record import Record
from treegarth.web import export
from treegarth.web.export import LONGEST_NAME_OF_A_SHEET, NEVER_IN_A_NAME, SheetNames, fields_of, workbook


class Line(Record):
    text: str


def units(name: str) -> int:
    """Of UTF-16, in which spreadsheets count."""
    return len(name.encode("utf-16-le")) // 2


@settings(max_examples=50)
@given(st.lists(st.text(max_size=50) | st.sampled_from(["Thorax", "THORAX", "thorax 2", "History", "", "'", "[]"])))
def test_every_name_is_short_and_plain_and_unlike_the_others(titles: list[str]) -> None:
    names = SheetNames()
    found = [names.take(title) for title in titles]
    assert len({name.lower() for name in found}) == len(found)
    for name in found:
        assert 0 < units(name) <= LONGEST_NAME_OF_A_SHEET
        assert not set(name) & set(NEVER_IN_A_NAME)
        assert name.strip("'") == name
        assert name.isprintable()
        assert name.lower() != "history"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Thorax routine", "Thorax routine"),
        ("1.5: [Kopf/Hals]\\*?", "1.5 Kopf Hals"),
        ("'quoted'", "quoted"),
        ("History", "History 2"),
        ("흉부 조영", "흉부 조영"),
        ("\t\n", "list"),
        ("😀" * 20, "😀" * 15),
        ("x" * 40, "x" * 31),
    ],
)
def test_a_name_is_the_title_as_far_as_it_can_be(title: str, name: str) -> None:
    assert SheetNames().take(title) == name


def test_names_that_differ_in_capitals_or_at_their_end_are_numbered_within_the_length() -> None:
    names = SheetNames()
    long = "Abdomen with contrast, portal venous phase"
    found = [names.take(title) for title in (long, long.upper(), "Abdomen", "ABDOMEN")]
    assert found == ["Abdomen with contrast, portal v", "ABDOMEN WITH CONTRAST, PORTAL 2", "Abdomen", "ABDOMEN 2"]


def test_a_full_sheet_goes_on_in_another_and_both_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_OF_A_SHEET", 3)
    file = BytesIO()
    with workbook(file) as book:
        thorax, head = book.sheet("Thorax", fields_of(Line)), book.sheet("thorax", fields_of(Line))
        for number in range(5):
            thorax.write(Line(text=str(number)))
            head.write(Line(text=f"={number}"))
    assert (thorax.names, head.names) == (["Thorax", "Thorax 3", "Thorax 5"], ["thorax 2", "thorax 4", "thorax 6"])
    found = read_workbook(file.getvalue())
    assert [row["text"] for name in thorax.names for row in found[name]] == ["0", "1", "2", "3", "4"]
    assert [row["text"] for name in head.names for row in found[name]] == ["=0", "=1", "=2", "=3", "=4"]
