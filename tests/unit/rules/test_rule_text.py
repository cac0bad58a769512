"""Rules as texts: read with every problem at its place, written canonically, exported with their comments."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.rule_support import LANGUAGE
from treegarth.documents.yaml_text import LARGEST_BYTES, UnreadableYaml, dump, read_pieces
from treegarth.errors import DocumentRefused
from treegarth.features.rules.export import export_text
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.text import parse_rule, parse_rules, rule_document

EXAMPLE = """\
# 선량 규칙 (dose)
- name: 선량 보고서  # kept
  why: the dose PACS keeps dose reports
  when: study stable
  if:
    all:
      - "Modality in [CT, PT, XA]"
      - not: "StudyDescription like '*outside*'"
      - any: ["dose.dlp_total_mgy_cm > 0", "origin.calling_ae_title = 'CTSCANNER1'"]
  do:
    - label: { add: [dose], remove: [new] }

# the second
- name: nightly
  when: schedule
  schedule: daily 02:00
  do: [notify: dashboard]
  on: true
"""


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentRefused) as refused:
        parse_rules(text, LANGUAGE)
    return [str(problem) for problem in refused.value.problems]


def exported(text: str, *, on: dict[str, bool] | None = None) -> str:
    written = parse_rules(text, LANGUAGE)
    return export_text((one.document, (on or {}).get(one.rule.name, one.rule.is_on), one.source) for one in written)


def test_the_example_is_read() -> None:
    dose, nightly = (one.rule for one in parse_rules(EXAMPLE, LANGUAGE))
    assert (dose.name, dose.trigger, dose.is_on) == ("선량 보고서", Trigger.STUDY_STABLE, True)
    assert [step.describe() for step in dose.steps] == ["labels the study dose and takes off the label new"]
    assert (str(nightly.schedule), nightly.is_on) == ("daily 02:00", True)


def test_the_canonical_document_means_the_same() -> None:
    for written in parse_rules(EXAMPLE, LANGUAGE):
        again = parse_rule(json.loads(json.dumps(rule_document(written.rule))), LANGUAGE)
        assert again.document == written.document
        assert again.rule.condition == written.rule.condition
        assert [one.spec for one in again.rule.steps] == [one.spec for one in written.rule.steps]


def test_an_export_is_the_text_that_was_written() -> None:
    assert exported(EXAMPLE) == EXAMPLE


def test_an_export_says_whether_a_rule_is_on_now() -> None:
    text = exported(EXAMPLE, on={"선량 보고서": False, "nightly": False})
    assert "# 선량 규칙 (dose)" in text
    assert "# kept\n  on: false\n" in text
    assert text.endswith("do: [notify: dashboard]\n  on: false\n")
    assert [one.rule.is_on for one in parse_rules(text, LANGUAGE)] == [False, False]


def test_a_rule_that_was_no_text_is_exported_canonically() -> None:
    document = {"name": "폐 검사: #1", "when": "by hand", "if": "Modality = CT", "do": ["notify"]}
    written = parse_rule(document, LANGUAGE)
    text = export_text([(written.document, True, None)])
    assert "폐 검사" in text
    (again,) = parse_rules(text, LANGUAGE)
    assert (again.document, again.rule.is_on) == (written.document, True)


def test_one_rule_alone_and_rules_in_brackets_are_read() -> None:
    alone = "# a comment\nname: one\nwhen: by hand\ndo: [label: x]\n"
    (written,) = parse_rules(alone, LANGUAGE)
    assert written.source == "# a comment\n- name: one\n  when: by hand\n  do: [label: x]"
    assert exported("[{name: one, when: by hand, do: [label: x]}]").startswith("- name: one\n")


def test_every_problem_is_told_at_once_with_its_place() -> None:
    found = problems(
        """
- name: one
  when: study steady
  if: {all: [Modality = CT, Modalty = CT]}
  do: [label: "", delivr: x]
  colour: red
- name: one
  when: schedule
  schedule: sometimes
  do: []
- when: by hand
  schedule: hourly
  do: [label: x]
  on: perhaps
- nothing
"""
    )
    places = [one.partition(": ")[0] for one in found]
    assert places == [
        "rules[0].colour",
        "rules[0].when",
        "rules[0].if.all[1]",
        "rules[0].do[0].label",
        "rules[0].do[1].delivr",
        "rules[1].schedule",
        "rules[1].do",
        "rules[2].name",
        "rules[2].schedule",
        "rules[2].on",
        "rules[3]",
    ]


def test_two_rules_of_one_name_are_refused() -> None:
    assert problems("- {name: a, when: by hand, do: [notify]}\n- {name: a, when: by hand, do: [notify]}")[0] == (
        "rules[1].name: rules[0] has this name, too."
    )


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{webhook: pacs}", "pacs is not known. Set it in Treegarth.Webhooks. There: ris."),
        ("{email: nobody}", "nobody is no address."),
        ("{email: a@b.org, again: 1}", "is no truth."),
        ("{}", "tells nobody."),
        ("{post: x}", "is not known."),
    ],
)
def test_a_notice_that_would_reach_nobody_is_refused(document: str, said: str) -> None:
    (found, *_) = problems(f"- {{name: a, when: by hand, do: [notify: {document}]}}")
    assert said in found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- &a [*a]", "anchors"),
        ("- !!python/object:os.system x", "tags"),
        ("a: 1\na: 2", "stands twice"),
        ("--- 1\n--- 2", "second document"),
        ("[" * 1000, "nested deeper"),
        ("- 'open", "line 1"),
        ("\x07", "characters"),
        ("a" * (LARGEST_BYTES + 1), "larger than"),
        ("? [a]\n: 1", "plain text"),
    ],
)
def test_what_rules_do_not_need_of_yaml_is_refused(text: str, said: str) -> None:
    with pytest.raises(UnreadableYaml, match=said):
        read_pieces(text)


def test_words_of_older_yaml_are_words() -> None:
    (piece,) = read_pieces("- {on: true, at: 12:30, day: 2026-01-02, word: yes, code: 007, size: 1e3, none: null}")
    assert piece.value == {
        "on": True,
        "at": "12:30",
        "day": "2026-01-02",
        "word": "yes",
        "code": "007",
        "size": 1000.0,
        "none": None,
    }


def test_what_is_written_is_read_as_the_same_by_any_reader_of_yaml() -> None:
    value = [{"name": "예", "words": ["yes", "on", "no", "007", "12:30", "2026-01-02", "null", "~", "a: b", "# c", ""]}]
    assert [piece.value for piece in read_pieces(dump(value))] == value
    assert yaml.safe_load(dump(value)) == value
