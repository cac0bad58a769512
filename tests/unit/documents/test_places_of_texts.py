"""What is wrong with a text is said at its own line, not at that of what is around it."""

from __future__ import annotations

import pytest

from treegarth.documents.yaml_text import Places

LEVELS = """\
# a survey
name: Survey
publication:
  title: Doses
  table: ""
rows:
  - modality: CT
    level: 10
  - {modality: CT,
     level: -1}

  - modality: CT
    bands:
      age: [0,
        x]
"""
RULE = """\
name: r
if:
  all:
    - Modality = CT
    - any:
        - not: Modalty = CT
        - "A = 1"
do:
  - label: x
  - deliver:
      to: NODE
"""


@pytest.mark.parametrize(
    ("text", "place", "line"),
    [
        (LEVELS, "name", 2),
        (LEVELS, "publication.table", 5),
        (LEVELS, "publication.year", 3),  # which is not there: at what lacks it
        (LEVELS, "rows[0].level", 8),
        (LEVELS, "rows[1]", 9),
        (LEVELS, "rows.1.level", 10),
        (LEVELS, "rows[2].bands.age[1]", 15),
        (LEVELS, "rows[7].level", 6),
        (LEVELS, "place", None),
        (LEVELS, "", None),
        (RULE, "if.all[1].any[0].not", 6),
        (RULE, "if.all[1].any[1]", 7),
        (RULE, "do[1].deliver.to", 11),
        (RULE, "do[1].deliver.objects", 10),
        ("if:\n  - a\n  - b\n", "if.all[1]", 3),  # a list alone means all of it
        ("do:\n  label: x\n", "do[0].label", 2),  # and one alone a list of it
        ("if: a\n", "if.all[0]", 1),
        ("- name: a\n  why: b\n", "why", 2),
        ("- name: a\n- name: b\n  why: c\n", "[1].why", 3),
        ("name: a\nwhy: b\n", "[0].why", 2),
        ("a: [", "a", None),
        ("a: &x 1", "a", None),
        ("", "a", None),
        ("7", "a", None),
    ],
)
def test_a_place_is_at_its_own_line(text: str, place: str, line: int | None) -> None:
    assert Places(text).line_of(place) == line
