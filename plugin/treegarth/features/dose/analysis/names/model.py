"""What a person writes of a standard name, as the API, texts and forms take it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from treegarth.features.dose.analysis.names.rules import FIELDS, OF_EXAM
from treegarth.phrases import N_
from treegarth.web.routes import AnyText, Parameters

LONGEST_NAME = 100
LONGEST_PATTERN = 200
MOST_RULES = 500
KEYS = ("name", "modality", "code_value", "coding_scheme_designator", "code_meaning", "rules")

Modality: TypeAlias = Literal["CT", "XA", "RF", "DX", "CR", "PX", "IO", "RG", "MG", "PT", "NM", "OT"]
"""Those that exams with a dose have: `MODALITIES` of `analysis/store/values.py`."""


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _stripped_or_none(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


Name: TypeAlias = Annotated[AnyText, BeforeValidator(_stripped), Field(min_length=1, max_length=LONGEST_NAME)]
Pattern: TypeAlias = Annotated[
    Annotated[AnyText, Field(max_length=LONGEST_PATTERN)] | None, BeforeValidator(_stripped_or_none)
]
Code: TypeAlias = Annotated[Annotated[AnyText, Field(max_length=64)] | None, BeforeValidator(_stripped_or_none)]


class PatternsOfNames(Parameters):
    """Patterns of a whole text: `*` is any text, `?` any character, capitals and accents aside; all that are given must
    fit."""

    study_description: Pattern = None
    """(0008,1030)"""
    requested_procedure_description: Pattern = None
    """(0032,1060)"""
    procedure_code: Pattern = None
    """Of a code of the procedure: its value, its meaning, or value^meaning^scheme."""
    protocol: Pattern = None
    """An acquisition protocol: that of an event, or one of those of an exam."""
    only: Literal["exams", "events"] | None = None
    """What the rule names; null: both, as far as its patterns can be asked of both. An event has its protocol alone."""

    def patterns(self) -> dict[str, str]:
        """Those that are given."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}


class NameRuleParameters(PatternsOfNames):
    """When a name is given: a rule."""

    @model_validator(mode="after")
    def _says_something(self) -> NameRuleParameters:
        given = self.patterns()
        if not given:
            raise ValueError(N_("A rule needs at least one pattern."))
        if self.only == "events" and set(given) & set(OF_EXAM):
            raise ValueError(N_("An event has a protocol alone: a rule for events says nothing of the exam."))
        return self


class StandardNameParameters(Parameters):
    """What a site calls exams and protocols of a modality, and by which rules."""

    name: Name
    """What it is called; no other of its modality is."""
    modality: Modality
    code_value: Code = None
    """Of RadLex, LOINC or another scheme."""
    coding_scheme_designator: Code = None
    """`RADLEX`, `LN`, ... (PS3.16 section 8)."""
    code_meaning: Code = None
    rules: Annotated[list[NameRuleParameters], Field(default_factory=list, max_length=MOST_RULES)]
    """Any of them gives the name. Of several names with a rule that fits the first in the order is given."""

    @model_validator(mode="after")
    def _has_a_whole_code(self) -> StandardNameParameters:
        if (self.code_value is None) != (self.coding_scheme_designator is None):
            raise ValueError(N_("A code has a value and the designator of its scheme."))
        if self.code_meaning is not None and self.code_value is None:
            raise ValueError(N_("A meaning is that of a code."))
        return self

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return self.model_dump(mode="json", exclude_none=True)
