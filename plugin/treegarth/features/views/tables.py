"""Where saved views are kept."""

from sqlalchemy import Boolean, Column, DateTime, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.metadata import metadata
from treegarth.documents.tables import document_tables

saved_view, saved_view_version = document_tables(
    metadata,
    "saved_view",
    Column("list", Text, nullable=False, comment="its name: archive.studies"),
    Column("query", JSONB, nullable=False, comment="the parameters of the list's address by name"),
    Column("is_shared", Boolean, nullable=False, comment="everybody sees it"),
    Column("saved_by", Text, comment="NULL: without a login"),
    Column("saved_at", DateTime(timezone=True), nullable=False),
    within=("list", text("coalesce(saved_by, '')")),
)
