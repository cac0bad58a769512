"""A content tree line by line: what is open, what is found, where lists end."""

from __future__ import annotations

import sys

import pytest

from treegarth.dicom.content_lines import ContentTreeLines, Search, Unfolded, lines_of
from treegarth.dicom.content_tree import ContentNode


def node(concept: str, *children: ContentNode, value: str = "", code: str = "", unit: str = "") -> ContentNode:
    return ContentNode(
        relationship="CONTAINS",
        value_type="CONTAINER" if children else "TEXT",
        concept=concept,
        code=code,
        value=value,
        value_code="",
        unit=unit,
        children=list(children),
    )


TREE = node(
    "Report",
    node("Totals", node("DLP total", value="310.5", unit="mGy.cm", code="113813, DCM")),
    node("Acquisition", node("Dose", node("DLP", value="310.5", unit="mGy.cm", code="113838, DCM")), node("Length")),
    node("Acquisition", node("Parameters", node("KVP", value="120", unit="kV"))),
)


def lines(words: str | None = None, unfolded: Unfolded | None = None, root: ContentNode = TREE) -> ContentTreeLines:
    return lines_of(root, Search(words), unfolded)


def opened(tree: ContentTreeLines) -> list[str]:
    return [line.node.concept for line in tree.lines if line.is_open]


def test_every_node_is_a_line_in_the_order_of_reading_and_every_list_ends() -> None:
    found = lines().lines
    assert [line.node.concept for line in found][:5] == ["Report", "Totals", "DLP total", "Acquisition", "Dose"]
    assert sum(line.closes for line in found) == sum(bool(line.node.children) for line in found)
    assert [line.closes for line in found] == [0, 0, 1, 0, 0, 1, 1, 0, 0, 3]


def test_two_levels_are_open_and_all_or_none_where_it_is_asked_for() -> None:
    assert opened(lines()) == ["Report", "Totals", "Acquisition", "Acquisition"]
    assert opened(lines(unfolded="none")) == []
    assert len(opened(lines(unfolded="all"))) == 6


def test_what_is_looked_for_is_counted_and_all_above_it_is_open() -> None:
    found = lines("dlp")
    assert found.match_count == 2
    assert [(line.node.concept, line.match) for line in found.lines if line.match] == [("DLP total", 1), ("DLP", 2)]
    assert opened(found) == ["Report", "Totals", "Acquisition", "Dose"]
    assert opened(lines("kvp")) == ["Report", "Acquisition", "Parameters"]
    assert opened(lines("dlp", unfolded="none")) == opened(found)


@pytest.mark.parametrize(("words", "count"), [("113838", 1), ("310.5", 2), ("MGY.CM", 2), ("(", 0), ("  ", 0), ("", 0)])
def test_it_is_looked_for_in_values_units_and_codes_as_it_is_written(words: str, count: int) -> None:
    assert lines(words).match_count == count


def test_a_text_falls_into_pieces_that_make_it_again() -> None:
    pieces = Search("dlp").pieces("DLP and dlp, İ dLp")
    assert "".join(one.text for one in pieces) == "DLP and dlp, İ dLp"
    assert [one.text for one in pieces if one.is_match] == ["DLP", "dlp", "dLp"]
    assert [one.text for one in Search(None).pieces("DLP")] == ["DLP"]
    assert Search("a").pieces("") == []


def test_a_tree_deeper_than_calls_may_be_is_walked() -> None:
    deep = node("last", value="here")
    for _ in range(sys.getrecursionlimit() * 2):
        deep = ContentNode.model_construct(**{**node("level", node("x")).__dict__, "children": [deep]})
    found = lines("here", root=deep)
    assert found.lines[-1].closes == sys.getrecursionlimit() * 2
    assert all(line.is_open for line in found.lines[:-1])
