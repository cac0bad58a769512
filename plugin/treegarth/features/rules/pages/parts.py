"""What the pages of rules work with: the rule book, the fields and actions of the form. Made once, in bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection

from treegarth.features.rules.pages.action_fields import ActionKind
from treegarth.features.rules.pages.action_kinds import ACTION_KINDS
from treegarth.features.rules.pages.draft import Form
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store.rules import RULES
from treegarth.web.condition_form import ConditionForm


@dataclass(frozen=True)
class RulePages:
    """What every page of rules is given."""

    book: RuleBook
    destination_names: Callable[[Connection], Sequence[str]]
    webhooks: Sequence[str] = ()

    @cached_property
    def actions(self) -> Sequence[ActionKind]:
        """The actions that the form offers."""
        return [kind for kind in ACTION_KINDS if self.book.language.actions.get(kind.name) is not None]

    @cached_property
    def form(self) -> Form:
        return Form(conditions=ConditionForm(self.book.language.vocabulary), actions=self.actions)

    def sources(self, connection: Connection) -> dict[str, Sequence[str]]:
        """The choices of inputs that the site's own set-up gives."""
        return {"destinations": self.destination_names(connection), "webhooks": list(self.webhooks)}

    def acting(self, connection: Connection, rule_id: int) -> ActingRule:
        """A rule, also one that was removed. Raises NotFound."""
        return self.book.read(RULES.read(connection, rule_id, removed=True))
