"""What a rule is: when it looks, what it asks, what it does. Pure: no database, no clock, no text form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from treegarth.conditions.action import Action
from treegarth.conditions.model import Condition
from treegarth.features.rules.schedule import Schedule


class Trigger(StrEnum):
    """When a rule looks at a study; the value is what the text form writes after `when:`."""

    STUDY_STABLE = "study stable"  # nothing of it arrived for StableSeconds
    SERIES_STABLE = "series stable"  # the same for one series: the rule is asked of that series alone
    DOSE_READ = "dose read"  # the last source of dose of a study was read
    SCHEDULE = "schedule"  # at fixed times, of the whole archive
    BY_HAND = "by hand"  # only when a user applies it


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that a rule does: an action of the registry, and what that action made of the document."""

    action: Action[Any]
    spec: Any

    def describe(self) -> str:
        """In a sentence, in English."""
        return self.action.describe(self.spec)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule as its document says."""

    name: str
    why: str
    trigger: Trigger
    condition: Condition
    steps: tuple[Step, ...]
    is_on: bool = True  # what a document says for a rule that is new
    schedule: Schedule | None = None  # of trigger schedule

    @property
    def asks_series_alone(self) -> bool:
        """Whether the condition is asked of one series with its study, not of all series together."""
        return self.trigger is Trigger.SERIES_STABLE

    def conditions(self) -> Sequence[Condition]:
        """Everything that facts are needed for: what it asks, and what its actions ask."""
        asked = [self.condition]
        for step in self.steps:
            asked.extend(step.action.conditions(step.spec))
        return asked
