"""What an action of a rule is: the base class that features derive theirs from, and what it is given. No SQL.

To add an action to Treegarth:

1. In the feature that it belongs to, derive a class from `Action`. Its `name` is the key in a rule's `do:` list
   (`- deliver: {...}`); its spec is a frozen dataclass of that feature, what `parse` makes of the document.
2. Make it in `treegarth.assembly.actions()`: the one registry, which the rules feature works with.
3. Give it its heading in docs/rules.md, and its `meaning` to the translations (it is a msgid, marked by N_()).

Features may import this module; they need nothing of the rules feature, and it nothing of theirs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from treegarth.conditions.decision import Matched
from treegarth.conditions.model import Condition, Facts
from treegarth.errors import Problem, TreegarthError

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Action", "NotYet", "Occasion", "Problem"]

SpecT = TypeVar("SpecT")


class NotYet(TreegarthError):
    """Something else must happen first. An action that raises it is tried again until it does, however often."""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """On what an action acts: which rule, what made it look, who asked, when."""

    rule_id: int
    rule_version: int
    rule_name: str
    why: str
    trigger: str  # "study stable" and so on
    study: Facts  # with whatever the rule's conditions and its actions' speak of
    study_instance_uid: str
    orthanc_series_ids: frozenset[str] | None  # only these series are meant, of a rule of series stable; None: all
    is_first: bool  # whether this rule, as it is worded now, never matched this study before
    asked_by: str | None  # the user, where a user applied the rule
    now: datetime
    matched: Sequence[Matched] = ()  # by what the rule means the study

    @property
    def orthanc_study_id(self) -> str:
        return self.study.key


class Action(ABC, Generic[SpecT]):
    """Something that rules can do. Instances are shared by threads and hold no state of an occasion."""

    name: str  # the key in the document: "deliver"
    meaning: str  # a msgid: one line for the form

    @abstractmethod
    def parse(self, document: object, place: str, problems: list[Problem]) -> SpecT | None:
        """What the document means, or None with every problem appended. No database: see `check`."""

    @abstractmethod
    def document(self, spec: SpecT) -> object:
        """The canonical document of a spec, in plain dicts, lists, texts and numbers: `parse` makes the same of it."""

    @abstractmethod
    def describe(self, spec: SpecT) -> str:
        """What it does, as a sentence in English without its subject: "delivers dose objects to NMDOSE"."""

    def check(self, connection: Connection, spec: SpecT, place: str) -> list[Problem]:
        """What is wrong by what the database knows, such as a destination that is not there. Asked when a rule is
        saved, never when it acts."""
        return []

    def conditions(self, spec: SpecT) -> Sequence[Condition]:
        """Conditions of its own; `Occasion.study` holds the facts that deciding them needs."""
        return ()

    def foresee(self, connection: Connection, spec: SpecT, occasion: Occasion) -> str:
        """What `carry_out` would do to this study now, in words. Changes nothing."""
        return self.describe(spec)

    @abstractmethod
    def carry_out(self, connection: Connection, spec: SpecT, occasion: Occasion) -> str:
        """Do it, and say in words and numbers what was done.

        Runs in the transaction that handles the event, and may run again for the same study: it writes rows that say
        what is to be done, by key, and does nothing slow and nothing outside the database. An error takes
        back all that this rule did to the study, and no other rule; it is tried again with growing pauses, six times,
        then a person decides. `NotYet` is tried again without an end."""
