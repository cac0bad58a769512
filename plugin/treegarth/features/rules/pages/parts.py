"""What the pages of rules work with: the rule book, the fields and actions of the form. Made once, in bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from treegarth.conditions.comparison import LineRefused, read_comparison
from treegarth.conditions.model import Condition, Field, Kind
from treegarth.features.rules.pages.action_fields import ActionKind
from treegarth.features.rules.pages.action_kinds import ACTION_KINDS
from treegarth.features.rules.pages.draft import Form
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store.rules import RULES


@dataclass(frozen=True)
class RulePages:
    """What every page of rules is given."""

    book: RuleBook
    destination_names: Callable[[Connection], Sequence[str]]
    webhooks: Sequence[str] = ()

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields of the searchable list, by name."""
        return {one.name: one for one in self.book.language.vocabulary.fields()}

    @cached_property
    def actions(self) -> Sequence[ActionKind]:
        """The actions that the form offers."""
        return [kind for kind in ACTION_KINDS if self.book.language.actions.get(kind.name) is not None]

    @cached_property
    def form(self) -> Form:
        return Form(kind_of=self._kind_of, read_comparison=self._read_comparison, actions=self.actions)

    def field(self, name: str) -> Field | None:
        """Any field that a condition can name, also DICOM keywords that are in no list."""
        return self.book.language.vocabulary.field(name) if name else None

    def _kind_of(self, name: str) -> Kind | None:
        found = self.field(name)
        return found.kind if found else None

    def _read_comparison(self, text: str) -> Condition | None:
        try:
            return read_comparison(text, self.book.language.vocabulary)
        except LineRefused:
            return None

    def sources(self, connection: Connection) -> dict[str, Sequence[str]]:
        """The choices of inputs that the site's own set-up gives."""
        return {"destinations": self.destination_names(connection), "webhooks": list(self.webhooks)}

    def acting(self, connection: Connection, rule_id: int) -> ActingRule:
        """A rule, also one that was removed. Raises NotFound."""
        return self.book.read(RULES.read(connection, rule_id, removed=True))
