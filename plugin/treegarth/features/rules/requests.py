"""What requests about rules have in common: which rule is meant."""

from __future__ import annotations

from sqlalchemy import Connection

from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store.rules import RULES
from treegarth.web.call import AnyCall


def rule_at(call: AnyCall, connection: Connection, rule_id: int) -> ActingRule:
    """A rule that is there. Raises NotFound."""
    return call.part(RuleBook).read(RULES.read(connection, rule_id))
