"""What a rule for phantoms, quality assurance or service is made of, the same for its page and the API."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from treegarth.features.dose.registry.store.not_patients import PATTERNS, Meaning, NotPatientPatterns
from treegarth.web.routes import AnyText, Parameters, Text

LONGEST_PATTERN = 400
LONGEST_NAME = 200
LONGEST_REASON = 1000
Pattern: TypeAlias = Annotated[Text | None, Field(max_length=LONGEST_PATTERN)]


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Reason: TypeAlias = Annotated[AnyText, BeforeValidator(_stripped), Field(min_length=1, max_length=LONGEST_REASON)]
"""Why a person says of one study what it is."""


class PatternParameters(Parameters):
    """Patterns: `*` is any text, `?` any character, in capitals or not; all that are given must match."""

    patient_id: Pattern = None
    patient_name: Pattern = None
    study_description: Pattern = None
    equipment: Pattern = None
    """Compared with manufacturer, model, station name and serial number, one by one."""
    institution_name: Pattern = None
    """(0008,0080), as the dose reports have it."""

    def patterns(self) -> NotPatientPatterns:
        """An empty one is as good as none."""
        return NotPatientPatterns(**{name: (getattr(self, name) or "").strip() or None for name in PATTERNS})


class RuleParameters(PatternParameters):
    """A rule, without its number."""

    name: Annotated[AnyText, Field(min_length=1, max_length=LONGEST_NAME)]
    """What it is called."""
    meaning: Meaning
    """`phantom`, `qa` or `service`."""
    note: Pattern = None
    """Why, for whoever reads the rule later."""

    def document(self) -> dict[str, str]:
        """What is filled in, as the rule is kept."""
        given = {name: str(value or "").strip() for name, value in self.model_dump().items()}
        return {name: value for name, value in given.items() if value}
