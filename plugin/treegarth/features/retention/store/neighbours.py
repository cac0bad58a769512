"""The tables of other features that retention's queries look into, by their names. No queries.

Features do not import each other's inside: whoever puts the parts together has imported every feature's tables by the
time that a query is made. What the columns mean, their own tables.py say.
"""

from __future__ import annotations

from sqlalchemy import Table

from treegarth.database.metadata import metadata


def table_of(name: str) -> Table:
    """A table of another feature: rule_event, delivery, delivery_object, destination, dose_report, dose_sampling."""
    return metadata.tables[name]
