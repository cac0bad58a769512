"""What requests about rules have in common: who asks, and which rule is meant."""

from __future__ import annotations

from sqlalchemy import Connection

from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.service.editor import Author, present_rule
from treegarth.web.call import AnyCall


def author_of(call: AnyCall) -> Author:
    """Who changes rules by this request, and when."""
    services = call.services
    return Author(name=call.actor.name, now=services.clock().astimezone(services.zone), zone=services.zone)


def rule_at(call: AnyCall, connection: Connection, rule_id: int) -> ActingRule:
    """A rule that is there. Raises NotFound."""
    return call.part(RuleBook).read(present_rule(connection, rule_id))
