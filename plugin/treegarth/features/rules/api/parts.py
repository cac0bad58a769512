"""What the endpoints of rules have in common: the base of answers, how a route is made."""

from __future__ import annotations

from functools import partial

from treegarth.features.rules.text import Language, RuleRefused, WrittenRule, parse_rule
from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.validation import Fault, InvalidFields

__all__ = ["Listed", "as_fields", "rule_route", "written_rule"]

TAG = "rules"


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
