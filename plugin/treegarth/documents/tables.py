"""The two tables of a new kind of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

Moment = DateTime(timezone=True)


def document_tables(
    metadata: MetaData, name: str, *own: Column[Any], within: Sequence[Any] = ()
) -> tuple[Table, Table]:
    """Its own, with what it knows of one beside, and that of its versions. Names are unique within these columns."""
    table = Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", Text, nullable=False),
        Column("version", Integer, nullable=False, comment="the latest: it acts"),
        Column("is_on", Boolean, nullable=False),
        Column("removed_at", Moment, comment="what was removed stays, for what it did refers to it"),
        *own,
        Index(f"uq_{name}_name", "name", *within, unique=True, postgresql_where=text("removed_at IS NULL")),
    )
    versions = Table(
        f"{name}_version",
        metadata,
        Column(f"{name}_id", Integer, ForeignKey(f"{name}.id"), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("document", JSONB, nullable=False),
        Column("is_on", Boolean, nullable=False),
        Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        Column("changed_by", Text),
        Column("changed_at", Moment, nullable=False),
        comment="every change of every one",
    )
    return table, versions
