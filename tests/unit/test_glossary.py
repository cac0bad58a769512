"""The Korean catalog keeps to the glossary beside it: one word for a thing, none that means another in a hospital."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

LOCALES = Path(__file__).resolve().parents[2] / "web" / "locales"
TYPED_IN = re.compile(
    r"`[^`]*`|“[^”]*”|%\(\w+\)s|\{[^}]*\}|\w+ = \w+|since [a-z ]*|all, any(?: \(lists\))?, not, series, instance"
    r"|(?:Study|Series|SOP)(?: or SOP)? Instance UIDs?|irradiation event UID|Patient Radiation Dose Report"
)
"""What of a sentence is no English, or is typed like this in any language."""
ALLOWED = {"구조": r"구조화"}
"""A longer word in which one that is never written may stand: a structured report is 구조화 보고서."""
EXCEPTIONS: dict[str, dict[str, str]] = {
    "study": {
        "Studies are": "the head of a column whose cells say of whom: a phantom, a patient",
        "The same version of the policy": "보존 지정 says of what",
    },
    "instance": {
        "How many instance numbers": "Instance Number is DICOM's name",
        "no such object instance": "a status of C-STORE; 객체 is enough",
        "invalid object instance": "a status of C-STORE; 객체 is enough",
    },
    "modality": {
        "No studies of dose modalities yet": "방사선 검사: what is done with a dose",
        "Bars: studies of dose modalities": "방사선 검사: what is done with a dose",
    },
    "archive": {
        "This is more of the archive": "비율 says of what",
        "it goes when the archive needs space": "공간 says of what",
        "a larger share of the archive": "비율 says of what",
    },
    "total as reported": {"DLP, total as reported": "short, for the head of a column"},
    "policy": {"This is more of the archive": "it stands on the page of the policy"},
    "bring back": {"Nothing has to prove": "되돌리다: nobody has it", "This policy asks for no proof": "the same"},
    "label": {
        "Write label: NAME": "a key of the text",
        "No object of such a device with this label": "표기: what an object says of its character set",
        "no label": "the same",
        "any label": "the same",
        "Some devices write text in another character set": "the same",
        "Every device is read by the label": "the same",
        "No text looks as if it was in another": "the same",
        "Text of this study looks as if it was in another": "the same",
    },
    "for and against": {"For each object of a study this page says": "이유와 하지 않을 이유: the sentence says both"},
    "rule": {
        "A rule needs a pattern": "it stands in the form of the rule",
        "No study fits now": "it stands in the form of the rule",
        "Fill in what phantoms are called": "it stands in the form of the rule",
        "No rule did anything of this kind": "it stands in the list of what rules did",
        "See the reason, then let the rules": "it stands beside the list of what waits for rules",
    },
}
"""Sentences that say a term by another word or not at all: by the term, the beginning of the sentence, and why."""


@dataclass(frozen=True, kw_only=True)
class Term:
    english: tuple[str, ...]
    korean: tuple[str, ...]
    never: tuple[str, ...]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def words(cell: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in cell.split(",") if word.strip())


def terms() -> list[Term]:
    found = []
    for line in (LOCALES / "glossary.md").read_text(encoding="utf-8").splitlines():
        row = cells(line)
        if len(row) == 4 and row[0] not in ("English", "---"):
            found.append(Term(english=words(row[0]), korean=words(row[1]), never=words(row[2])))
        elif len(row) == 2 and row[0] not in ("never", "---"):
            found.append(Term(english=(), korean=(), never=words(row[0])))
    return found


@cache
def sentences() -> list[tuple[str, str]]:
    """Each sentence with its Korean; of those with a plural, the singular."""
    with (LOCALES / "ko" / "LC_MESSAGES" / "treegarth.po").open("rb") as file:
        entries = [entry for entry in read_po(file, locale="ko") if entry.id]
    return [
        (
            entry.id if isinstance(entry.id, str) else entry.id[0],
            entry.string if isinstance(entry.string, str) else entry.string[0],
        )
        for entry in entries
    ]


TERMS = terms()
PARTICLE = re.compile(r"%\(\w+\)s(?:을|를|이|가|은|는|와|과|로|으로)(?=[\s.,:]|$)")


@pytest.mark.parametrize("never", [word for term in TERMS for word in term.never])
def test_no_sentence_has_a_word_that_the_glossary_forbids(never: str) -> None:
    allowed = ALLOWED.get(never)
    found = [
        f"{english!r} → {korean!r}"
        for english, korean in sentences()
        if never in (re.sub(allowed, "", korean) if allowed else korean)
    ]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("term", [term for term in TERMS if term.english], ids=lambda term: term.english[0])
def test_a_term_has_the_word_of_the_glossary(term: Term) -> None:
    pattern = re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in term.english)})\b", re.IGNORECASE)
    held = [(english, korean) for english, korean in sentences() if pattern.search(TYPED_IN.sub("", english))]
    assert held != [], f"no sentence has {term.english}"
    found = [
        f"{english!r} → {korean!r}"
        for english, korean in held
        if not any(word in korean for word in term.korean) and not is_excepted(term, english)
    ]
    assert found == [], "\n".join(found)


def is_excepted(term: Term, english: str) -> bool:
    return any(english.startswith(beginning) for beginning in EXCEPTIONS.get(term.english[0], {}))


def test_an_exception_is_of_a_sentence_that_is_there() -> None:
    known = [english for english, _ in sentences()]
    of_terms = {term.english[0] for term in TERMS if term.english}
    for name, excepted in EXCEPTIONS.items():
        assert name in of_terms
        for beginning, why in excepted.items():
            assert why
            assert any(english.startswith(beginning) for english in known), beginning


def test_a_particle_after_a_placeholder_is_right_for_every_value() -> None:
    found = [f"{english!r} → {korean!r}" for english, korean in sentences() if PARTICLE.search(korean)]
    assert found == [], "\n".join(found)
