"""The names of the rules that deliveries can have come from, for the choice on their page. Queries only."""

from __future__ import annotations

from sqlalchemy import Connection, DateTime, Integer, Text, column, select, table

_rule = table("rule", column("id", Integer), column("name", Text), column("removed_at", DateTime))


def rule_names(connection: Connection, chosen: int | None) -> list[tuple[int, str]]:
    """The numbers and names of the rules that are there, and of the chosen one also where it was removed."""
    wanted = _rule.c.removed_at.is_(None) | (_rule.c.id == chosen)
    query = select(_rule.c.id, _rule.c.name).where(wanted).order_by(_rule.c.name)
    return [(row.id, row.name) for row in connection.execute(query)]
