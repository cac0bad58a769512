"""Which standard name an exam and a protocol have: the first of those of its modality of which a rule fits. Pure.

What is compared are texts, each once with every rule, and the answer is a number of which each bit is a rule. So an
exam's name costs a few operations, however many texts it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from treegarth.features.dose.analysis.names.patterns import Pattern, plain

Of: TypeAlias = Literal["exams", "events"]
"""What has a name: an exam, or the irradiation events of one protocol."""

OF_EXAM = ("study_description", "requested_procedure_description", "procedure_code")
"""What only exams have; a rule that speaks of it names no events."""
FIELDS = (*OF_EXAM, "protocol")


@dataclass(frozen=True, kw_only=True)
class NameRule:
    """Patterns; all that are given must fit."""

    patterns: Mapping[str, str]
    """By the names of `FIELDS`."""
    only: Of | None = None
    """Null: both."""

    @property
    def of_exams(self) -> bool:
        return self.only != "events"

    @property
    def of_events(self) -> bool:
        return self.only != "exams" and set(self.patterns) == {"protocol"}


@dataclass(frozen=True, kw_only=True)
class NameRules:
    """A standard name, and by which rules it is given."""

    id: int
    modality: str
    rules: Sequence[NameRule]


@dataclass(frozen=True, kw_only=True)
class RawName:
    """What an exam is called by its objects, or a protocol, which has its name alone."""

    of: Of
    modality: str
    study_description: str | None = None
    requested_procedure_description: str | None = None
    procedure_codes: Sequence[str] = ()
    """code^meaning^scheme, each."""
    protocols: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Given:
    """The name that a raw one has, and the rule by which, counted from 0."""

    id: int
    rule: int


class Namer:
    """Gives names, by the standard names in their order."""

    def __init__(self, names: Sequence[NameRules]) -> None:
        by_modality: dict[str, list[NameRules]] = {}
        for one in names:
            by_modality.setdefault(one.modality, []).append(one)
        self._of = {modality: _OfModality(names) for modality, names in by_modality.items()}

    def name_of(self, raw: RawName) -> Given | None:
        """None where no rule fits."""
        of = self._of.get(raw.modality)
        return None if of is None else of.name_of(raw)


@dataclass
class _Compared:
    """A field of all rules: to which each text fits."""

    patterns: dict[str, int] = field(default_factory=dict)  # written, and the bits of the rules that have it
    silent: int = 0  # the bits of the rules that say nothing of this field
    _known: dict[str, int] = field(default_factory=dict)
    _parsed: list[tuple[Pattern, int]] = field(default_factory=list)

    def ready(self) -> None:
        self._parsed = [(Pattern(written), bits) for written, bits in self.patterns.items()]

    def fitting(self, *texts: str) -> int:
        """The rules to which one of the texts fits, and those that say nothing of the field."""
        bits = self.silent
        for text in texts:
            known = self._known.get(text)
            if known is None:
                known = self._known[text] = self._look(plain(text))
            bits |= known
        return bits

    def _look(self, text: str) -> int:
        bits = 0
        for pattern, rules in self._parsed:
            if pattern.fits(text):
                bits |= rules
        return bits


class _OfModality:
    """The rules of one modality, from the first to the last a bit each."""

    def __init__(self, names: Sequence[NameRules]) -> None:
        self._given: list[Given] = []
        self._fields = {name: _Compared() for name in FIELDS}
        self._bits: dict[Of, int] = {"exams": 0, "events": 0}
        for one in names:
            for number, rule in enumerate(one.rules):
                self._add(rule, Given(id=one.id, rule=number))
        for compared in self._fields.values():
            compared.ready()

    def _add(self, rule: NameRule, given: Given) -> None:
        bit = 1 << len(self._given)
        self._given.append(given)
        self._bits["exams"] |= bit * rule.of_exams
        self._bits["events"] |= bit * rule.of_events
        for name, compared in self._fields.items():
            if name in rule.patterns:
                written = rule.patterns[name]
                compared.patterns[written] = compared.patterns.get(written, 0) | bit
            else:
                compared.silent |= bit

    def name_of(self, raw: RawName) -> Given | None:
        texts = {
            "study_description": _told(raw.study_description),
            "requested_procedure_description": _told(raw.requested_procedure_description),
            "procedure_code": _parts_of_codes(raw.procedure_codes),
            "protocol": raw.protocols,
        }
        bits = self._bits[raw.of]
        for name, compared in self._fields.items():
            bits &= compared.fitting(*texts[name])
        return self._given[(bits & -bits).bit_length() - 1] if bits else None


def _told(text: str | None) -> tuple[str, ...]:
    return () if text is None else (text,)


def _parts_of_codes(codes: Sequence[str]) -> list[str]:
    """What a pattern of a code is compared with: the whole, the code itself, its meaning."""
    return [part for code in codes for part in dict.fromkeys((code, *code.split("^")[:2])) if part]
