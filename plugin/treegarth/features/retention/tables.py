"""Retention: holds, policies, what is marked, the ledger of what left the archive, and what is brought back.

Tables only. No foreign key leads into the archive's index: the ledger outlives the objects that it tells of.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.metadata import metadata
from treegarth.work.tables import long_work

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

retention_policy = Table(
    "retention_policy",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="the latest of retention_policy_version: the one that acts"),
    Column("is_on", Boolean, nullable=False, server_default=text("false")),
    Column("decided_at", Moment, comment="when it last looked at the whole archive"),
    Column("look_s", Float, comment="how long that took"),
    Column("freeing_since", Moment, comment="of a policy by space: above the high mark, until the low one is reached"),
    Column("removed_at", Moment, comment="a policy that was removed stays, for the ledger refers to it"),
    Index("uq_retention_policy_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)

retention_policy_version = Table(
    "retention_policy_version",
    metadata,
    Column("policy_id", Integer, ForeignKey("retention_policy.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False, comment="the policy as its text form has it"),
    Column("is_on", Boolean, nullable=False),
    Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
    Column("changed_by", Text),
    Column("changed_at", Moment, nullable=False),
    comment="every change of every policy",
)

prune_mark = Table(
    "prune_mark",
    metadata,
    Column("orthanc_instance_id", Key, primary_key=True),
    Column("orthanc_series_id", Key, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("sop_instance_uid", Key, nullable=False),
    Column("modality", Text),
    Column("remote_ae_title", Text),
    Column("size_bytes", BigInteger, nullable=False),
    Column("policy_id", Integer, ForeignKey("retention_policy.id"), nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("marked_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False, comment="the end of the period of grace; after a failure: not before"),
    Column("last_words", Text, comment="why it was not deleted when its time had come"),
    Index("ix_prune_mark_due", "policy_id", "due_at"),
    Index("ix_prune_mark_study", "orthanc_study_id"),
    Index("ix_prune_mark_uid", "study_instance_uid", "orthanc_instance_id"),
    comment="objects that a policy is going to delete, if nothing forbids it then",
)

prune_rescue = Table(
    "prune_rescue",
    metadata,
    Column("orthanc_instance_id", Key, primary_key=True),
    Column("policy_id", Integer, ForeignKey("retention_policy.id"), primary_key=True),
    Column("policy_version", Integer, nullable=False),
    Column("rescued_by", Text),
    Column("rescued_at", Moment, nullable=False),
    Column("until", Moment, nullable=False, comment="this version of the policy does not mark it before"),
)

prune_ledger = Table(
    "prune_ledger",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("orthanc_instance_id", Key, nullable=False),
    Column("orthanc_series_id", Key, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("series_instance_uid", Key, nullable=False),
    Column("sop_instance_uid", Key, nullable=False),
    Column("sop_class_uid", Key),
    Column("modality", Text),
    Column("patient_id", Text),
    Column("remote_ae_title", Text, comment="who had sent it"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", Text, nullable=False, comment="intended, deleted, or kept (the intention was given up)"),
    Column("policy_id", Integer, comment="NULL: deleted in Orthanc by somebody else"),
    Column("policy_version", Integer),
    Column("proof", JSONB, comment="[{destination, kind, at}]: what the decision stood on"),
    Column("intended_at", Moment),
    Column("deleted_at", Moment),
    Column("kept_because", Text),
    Column("returned_at", Moment, comment="when the object was in the archive again"),
    Index("ix_prune_ledger_intended", "intended_at", postgresql_where=text("state = 'intended'")),
    Index("ix_prune_ledger_instance", "orthanc_instance_id"),
    Index("ix_prune_ledger_series", "orthanc_series_id"),
    Index("ix_prune_ledger_study", "orthanc_study_id"),
    Index("ix_prune_ledger_uid", "sop_instance_uid"),
    Index("ix_prune_ledger_deleted", text("deleted_at DESC")),
    comment="every object that left the archive: a policy's before it is deleted, others' when it was noticed",
)

bring_back_object = Table(
    "bring_back_object",
    metadata,
    Column("work_id", Integer, ForeignKey(long_work.c.id, ondelete="CASCADE"), primary_key=True),
    Column("ledger_id", BigInteger, ForeignKey("prune_ledger.id"), primary_key=True),
    Column("arrived_at", Moment, comment="when Orthanc had it again, seen by its identifier"),
    Column("via", Text, comment="the destination that it was retrieved from"),
    Index("ix_bring_back_object_ledger", "ledger_id"),
)

study_use = Table(
    "study_use",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("last_used_at", Moment, nullable=False),
    Column("way", Text, nullable=False, comment="dashboard or viewer"),
    comment="when a study was last opened through us; arrivals and deliveries have rows of their own",
)
