"""What the endpoints of rules have in common: what handlers work with, the base of answers, how a route is made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from treegarth.features.rules.service import ActingRule, Author, RuleBook, present_rule
from treegarth.features.rules.text import Language, RuleRefused, WrittenRule, parse_rule
from treegarth.web.actors import Actor
from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.routes import Identifier, Parameters
from treegarth.web.services import Services
from treegarth.web.validation import Fault, InvalidFields

__all__ = ["Desk", "Listed", "RulePath", "as_fields", "rule_route", "written_rule"]

TAG = "rules"


class RulePath(Parameters):
    rule_id: Identifier
    """The rule's number."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the handlers work with."""

    services: Services
    book: RuleBook

    @property
    def language(self) -> Language:
        return self.book.language

    def author(self, actor: Actor) -> Author:
        return Author(name=actor.name, now=self.services.clock(), zone=self.services.zone)

    def acting(self, connection: Connection, rule_id: int) -> ActingRule:
        """Raises NotFound."""
        return self.book.read(present_rule(connection, rule_id))


def written_rule(document: object, language: Language) -> WrittenRule:
    """The rule of a request's body. Raises InvalidFields with every problem at its place."""
    try:
        return parse_rule(document, language)
    except RuleRefused as refused:
        raise as_fields(refused) from None


def as_fields(refused: RuleRefused) -> InvalidFields:
    """The problems of a rule as an answer names them."""
    return InvalidFields(
        [Fault(field=one.place, message=f"{one.wrong} {one.right}".strip()) for one in refused.problems]
    )


rule_route = partial(endpoint, tag=TAG)
