"""Where people's decisions are kept. Rows are never changed nor deleted: PostgreSQL refuses it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.metadata import metadata

Key = String(collation="C")

act = Table(
    "act",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, comment="later ones have greater ones"),
    Column("kind", Text, nullable=False, comment="its name in code: dose.void"),
    Column("by", Text, comment="NULL: without a login"),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("orthanc_study_id", Key, nullable=False, comment="of which study; no foreign key: it outlives it"),
    Column("study_instance_uid", Key, nullable=False),
    Column("content", JSONB, nullable=False, server_default="{}", comment="what exactly, as the kind has it"),
    Column("undoes", BigInteger, ForeignKey("act.id"), comment="the act that this one takes back"),
    Index("ix_act_study", "orthanc_study_id", "id"),
    Index("uq_act_undoes", "undoes", unique=True, postgresql_where=text("undoes IS NOT NULL")),
)
