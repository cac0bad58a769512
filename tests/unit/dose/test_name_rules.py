"""Patterns and rules of standard names: what fits, which of several is given, and how long the worst one takes."""

from __future__ import annotations

from time import perf_counter

import pytest

from treegarth.documents.importing import MOST_DOCUMENTS
from treegarth.errors import DocumentRefused
from treegarth.features.dose.analysis.names.csv_text import read_names
from treegarth.features.dose.analysis.names.patterns import Pattern, plain
from treegarth.features.dose.analysis.names.rules import Given, Namer, NameRule, NameRules, RawName
from treegarth.features.dose.analysis.names.similarity import OF_WORDS, Suggester, likeness, spelt
from treegarth.folding import is_like


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*thorax*", "CT THORAX nativ", True),
        ("thorax", "CT THORAX", False),
        ("thorax", " Thorax ", True),
        ("ct  thorax", "CT THORAX", True),
        ("T?orax", "thorax", True),
        ("T?orax", "torax", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*b*b", "ab", False),
        ("*ab*ba*", "aba", False),
        ("*ab*ba*", "abba", True),
        ("crâne*", "CRANE SANS", True),
        ("schädel", "SCHADEL", True),
        ("*Å*", "angstrom a\u030a", True),
        ("흉부 CT", "흉부CT", True),
        ("흉부*", "흉 부 단층", True),
        ("ct chest", "ctchest", False),
        ("[a-z]+", "abc", False),
        ("[a-z]+", "[A-Z]+", True),
        ("100%_", "100%_", True),
        ("100%_", "1000", False),
        ("a.c", "abc", False),
        ("line*two", "line one\nline two", True),
    ],
)
def test_a_pattern_is_of_the_whole_text_folded(pattern: str, text: str, fits: bool) -> None:
    assert Pattern(pattern).fits(plain(text)) is fits


def test_a_pattern_fits_what_the_searches_wildcards_fit() -> None:
    patterns = ["a*", "*a", "*a*b*", "a?b", "?*b", "*", "ab", "a**b", "?"]
    for text in ("", "a", "b", "ab", "aab", "abb", "axb", "ba", "aabb", "xaybz"):
        for pattern in patterns:
            assert Pattern(pattern).fits(plain(text)) == is_like(text, pattern), (pattern, text)


def test_the_worst_pattern_takes_no_time() -> None:
    began = perf_counter()
    assert not Pattern("*a?" * 60 + "*b").fits("a" * 5000)
    assert perf_counter() - began < 0.5


def exam(**texts: object) -> RawName:
    return RawName(of="exams", modality="CT", **texts)  # type: ignore[arg-type]


def event(protocol: str) -> RawName:
    return RawName(of="events", modality="CT", protocols=(protocol,))


def named(number: int, *rules: NameRule, modality: str = "CT") -> NameRules:
    return NameRules(id=number, modality=modality, rules=rules)


def rule(only: str | None = None, **patterns: str) -> NameRule:
    return NameRule(patterns=patterns, only=only)  # type: ignore[arg-type]


def test_the_first_name_with_a_rule_that_fits_is_given() -> None:
    namer = Namer(
        [
            named(7, rule(study_description="*angio*"), rule(study_description="*cta*")),
            named(3, rule(study_description="*thorax*")),
            named(5, rule(study_description="*"), modality="XA"),
        ]
    )
    assert namer.name_of(exam(study_description="Thorax CTA")) == Given(id=7, rule=1)
    assert namer.name_of(exam(study_description="Thorax")) == Given(id=3, rule=0)
    assert namer.name_of(exam(study_description="Knie")) is None
    assert namer.name_of(exam()) is None


def test_all_patterns_of_a_rule_must_fit_and_one_of_several_texts_is_enough() -> None:
    namer = Namer([named(1, rule(study_description="*thorax*", procedure_code="RPID16", protocol="*venous*"))])
    codes = ("RPID16^CT Thorax^RADLEX", "X^other^99X")
    assert namer.name_of(exam(study_description="Thorax", procedure_codes=codes, protocols=("scout", "Venous 2")))
    assert namer.name_of(exam(study_description="Thorax", procedure_codes=codes, protocols=("scout",))) is None
    assert namer.name_of(exam(study_description="Thorax", protocols=("venous",))) is None


@pytest.mark.parametrize("pattern", ["RPID16", "CT thor*", "rpid16^*^radlex"])
def test_a_code_is_known_by_its_value_its_meaning_or_as_a_whole(pattern: str) -> None:
    namer = Namer([named(1, rule(procedure_code=pattern))])
    assert namer.name_of(exam(procedure_codes=("RPID16^CT Thorax^RADLEX",)))
    assert namer.name_of(exam(procedure_codes=("RPID1^CT head^RADLEX",))) is None


def test_a_rule_names_exams_events_or_both() -> None:
    both = Namer([named(1, rule(protocol="scout"))])
    assert both.name_of(event("Scout"))
    assert both.name_of(exam(protocols=("Scout",)))
    events = Namer([named(1, rule("events", protocol="scout"))])
    assert events.name_of(event("Scout"))
    assert events.name_of(exam(protocols=("Scout",))) is None
    exams = Namer([named(1, rule("exams", protocol="scout"))])
    assert exams.name_of(event("Scout")) is None
    assert exams.name_of(exam(protocols=("Scout",)))
    of_description = Namer([named(1, rule(protocol="scout", study_description="*"))])
    assert of_description.name_of(event("Scout")) is None


def test_names_are_alike_by_their_words_in_any_order() -> None:
    assert likeness(spelt("CT Thorax"), spelt("thorax, CT")) == pytest.approx(1.0)
    assert likeness(spelt("Knie"), spelt("Thorax")) == 0.0
    assert likeness(spelt(""), spelt("")) == 0.0
    # " ab " has " a", "ab", "b "; " ac " has " a", "ac", "c ": one of three and three
    assert likeness(spelt("ab"), spelt("ac")) == pytest.approx((1 - OF_WORDS) * 2 * 1 / 6)
    # one word of one and two; six pairs of six and fourteen
    assert likeness(spelt("Chest"), spelt("CHEST_ROUTINE")) == pytest.approx(2 / 3 * 2 / 3 + 1 / 3 * 12 / 20)
    assert spelt("흉부CT-3").words == {"흉부", "ct", "3"}


@pytest.mark.parametrize(
    ("raw", "names", "called"),
    [
        ("CHEST ROUTINE", {1: "Chest", 2: "Cheek"}, {2: ["Cheek routine"]}),
        ("Chest, low dose", {1: "Chest", 2: "Cheek", 3: "Jaw"}, {2: ["Cheek low dose"], 3: ["Jaw low dose"]}),
        ("Abdomen spiral", {1: "Abdomen", 2: "Abdomino-pelvic"}, {2: ["Abdominal spirals"]}),
        ("흉부CT", {1: "흉부", 2: "흉추"}, {}),
        ("복부 일반촬영", {1: "복부", 2: "두부"}, {2: ["두부 일반촬영"]}),
    ],
)
def test_a_word_in_common_counts_more_than_letters_in_common(
    raw: str, names: dict[int, str], called: dict[int, list[str]]
) -> None:
    found = Suggester("CT", names, called).suggest([raw])
    assert [one.standard_name_id for one in found][:1] == [1], found


def test_a_word_of_many_standard_names_says_little() -> None:
    names = {1: "Foot", 2: "Hand", 3: "Knee", 4: "Elbow"}
    called = {number: [f"{name} routine thin"] for number, name in names.items() if number > 1}
    found = Suggester("CT", names, called).suggest(["Foot routine thin"])
    assert found[0].name == "Foot"


def test_what_is_called_alike_already_is_suggested_first() -> None:
    suggester = Suggester("CT", {1: "CT chest", 2: "CT head", 3: "흉부 CT"}, {1: ["Thorax nativ"]})
    found = suggester.suggest(["THORAX NATIV 2"])
    assert (found[0].standard_name_id, found[0].name) == (1, "CT chest")
    assert suggester.suggest(["흉부 저선량"])[0].standard_name_id == 3
    assert suggester.suggest(["zzz"]) == []
    assert suggester.suggest(["CT knee"]) == []  # CT alone is no likeness
    assert suggester.suggest(["CT"]) == []


def test_letters_that_are_alike_by_chance_are_no_suggestion() -> None:
    assert Suggester("CT", {1: "chest", 2: "Chest CT"}, {}).suggest(["Head child"]) == []


def test_a_table_of_more_names_than_are_kept_at_once_is_refused() -> None:
    lines = [f"CT,Name {number},*x{number}*" for number in range(MOST_DOCUMENTS + 1)]
    head = "modality,standard_name,study_description"
    assert len(read_names("\n".join([head, *lines[:-1]])).wordings) == MOST_DOCUMENTS
    with pytest.raises(DocumentRefused):
        read_names("\n".join([head, *lines]))
