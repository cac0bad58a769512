"""Every version of a role. Tables only; what acts of it is in `access/tables.py`."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.access.tables import user_role_document
from treegarth.database.metadata import metadata

user_role_document_version = Table(
    "user_role_document_version",
    metadata,
    Column("user_role_document_id", Integer, ForeignKey(user_role_document.c.id), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
    Column("changed_by", Text),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    comment="every change of every one",
)
