"""Holds: who forbids that a study's objects go, why, and until when. Tables only."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, String, Table, Text, text

from treegarth.database.metadata import metadata

Key = String(collation="C")
Moment = DateTime(timezone=True)

hold = Table(
    "hold",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("orthanc_study_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("kind", Text, nullable=False, comment="legal, teaching or project"),
    Column("reason", Text, nullable=False),
    Column("rule_id", Integer, comment="the rule that set it; NULL: a user"),
    Column("set_by", Text),
    Column("set_at", Moment, nullable=False),
    Column("until", Moment, comment="NULL: until it is released"),
    Column("released_by", Text),
    Column("released_at", Moment),
    Index("ix_hold_study", "orthanc_study_id", postgresql_where=text("released_at IS NULL")),
    Index("ix_hold_uid", "study_instance_uid"),
)
