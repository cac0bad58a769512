"""Where saved views are kept."""

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.metadata import metadata

saved_view = Table(
    "saved_view",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("list", Text, nullable=False, comment="its name: archive.studies"),
    Column("name", Text, nullable=False),
    Column("query", JSONB, nullable=False, comment="the parameters of the list's address by name"),
    Column("is_shared", Boolean, nullable=False, comment="everybody sees it"),
    Column("saved_by", Text, comment="NULL: without a login"),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    Index("uq_saved_view", "list", text("coalesce(saved_by, '')"), "name", unique=True),
)
