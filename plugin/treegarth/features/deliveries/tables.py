"""Destinations with their history, and the ledger of deliveries. Tables only.

The truth about one object and one destination is one row of `delivery_object`, whichever rules asked for it; a
`delivery` is a rule's (or a user's) wish for a series at a destination and refers to its objects by `delivery_member`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import PhraseColumn

Key = String(collation="C")
Moment = DateTime(timezone=True)

destination = Table(
    "destination",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column(
        "version", Integer, nullable=False, server_default="1", comment="the latest of destination_version: it acts"
    ),
    Column("kind", Text, nullable=False, comment="dicom, dicomweb, peer, folder or s3"),
    Column("address", JSONB, nullable=False, comment="what its kind needs; secrets by reference"),
    Column("proof", Text, nullable=False, server_default="best", comment="best, commitment, find or status"),
    Column("alternate", Text, comment="the destination that takes over while this one is down"),
    Column("windows", JSONB, comment="[{days, begin, end}]; NULL: always"),
    Column("max_associations", Integer, nullable=False, server_default="1"),
    Column("max_mbit_per_s", Double),
    Column("max_attempts", Integer, nullable=False, server_default="20", comment="then an object is given up"),
    Column("can_commit", Boolean, comment="whether it answers storage commitment; NULL: not known yet"),
    Column("can_find", Boolean, comment="whether it can be asked what it has; NULL: not known yet"),
    Column("down_since", Moment, comment="when it stopped answering; NULL: it answers"),
    Column("failures", Integer, nullable=False, server_default="0", comment="in a row"),
    Column("next_attempt_at", Moment, comment="after failures: not before this"),
    Column("last_success_at", Moment),
    Column("last_error", PhraseColumn),
    Column("last_error_at", Moment),
    Column("removed_at", Moment),
    Column("is_on", Boolean, nullable=False, server_default=text("true"), comment="false: a person has paused it"),
    Index("uq_destination_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)

destination_version = Table(
    "destination_version",
    metadata,
    Column("destination_id", Integer, ForeignKey("destination.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False, comment="its settings; secrets by reference"),
    Column("is_on", Boolean, nullable=False),
    Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
    Column("changed_by", Text),
    Column("changed_at", Moment, nullable=False),
    comment="every change of every destination",
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rule_id", Integer, nullable=False, server_default="0", comment="0: asked for by a user"),
    Column("asked_by", Text, comment="the rule's name, or the user"),
    Column("destination_id", Integer, ForeignKey("destination.id"), nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("orthanc_series_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("series_instance_uid", Key, nullable=False),
    Column("modality", Text),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False, comment="when objects were last added"),
    Index("uq_delivery", "rule_id", "destination_id", "orthanc_series_id", unique=True),
    Index("ix_delivery_study", "study_instance_uid"),
    Index("ix_delivery_orthanc_study", "orthanc_study_id", "destination_id", "id"),
    Index("ix_delivery_destination", "destination_id", "id"),
)

delivery_object = Table(
    "delivery_object",
    metadata,
    Column("destination_id", Integer, ForeignKey("destination.id"), primary_key=True),
    Column("orthanc_instance_id", Key, primary_key=True),
    Column("orthanc_series_id", Key, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("series_instance_uid", Key, nullable=False),
    Column("sop_instance_uid", Key, nullable=False),
    Column("sop_class_uid", Key),
    Column("size_bytes", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting", comment="see deliveries/model.py"),
    Column(
        "proof_wanted", Text, nullable=False, comment="the strongest that was asked for: best, commitment, find, status"
    ),
    Column("proof", Text, comment="what shows that it arrived: commitment, find, qido, stored, status"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="sends that were begun"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now(), comment="or the end of a lease"),
    Column("batch", Key, comment="the send or question that holds the lease"),
    Column("transaction_uid", Key, comment="of the storage commitment that was asked for, as Orthanc names it"),
    Column("committing_since", Moment),
    Column("last_error", PhraseColumn),
    Column("queued_at", Moment, nullable=False, server_default=func.now()),
    Column("begun_at", Moment, comment="of the last send: what is sent is no older; by the database's clock"),
    Column("begun_checksum", BigInteger, comment="of the header that the index had then"),
    Column(
        "had_other_content",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="a send was begun before with another header or size: that it lists the UID says nothing of this one",
    ),
    Column("sent_at", Moment),
    Column("confirmed_at", Moment),
    Column("via", Integer, comment="the alternate destination that it was sent to instead"),
    Index("ix_delivery_object_instance", "orthanc_instance_id"),
    Index("ix_delivery_object_uid", "sop_instance_uid"),
    Index("ix_delivery_object_study", "orthanc_study_id"),
    Index(
        "ix_delivery_object_due",
        "destination_id",
        "next_attempt_at",
        postgresql_where=text("state IN ('waiting', 'sending', 'sent')"),
    ),
    Index(
        "ix_delivery_object_trouble",
        "destination_id",
        "orthanc_instance_id",
        postgresql_where=text("state IN ('given up', 'gone')"),
    ),
    Index("ix_delivery_object_arrived", "destination_id", postgresql_where=text("state = 'confirmed'")),
    Index(
        "ix_delivery_object_unproved",
        "destination_id",
        "orthanc_instance_id",
        postgresql_where=text("state = 'sent' AND proof IS NOT NULL"),
    ),
    Index("ix_delivery_object_queued", "destination_id", "queued_at"),
)

delivery_member = Table(
    "delivery_member",
    metadata,
    Column("delivery_id", BigInteger, ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True),
    Column("destination_id", Integer, primary_key=True),
    Column("orthanc_instance_id", Key, primary_key=True),
    ForeignKeyConstraint(
        ["destination_id", "orthanc_instance_id"],
        ["delivery_object.destination_id", "delivery_object.orthanc_instance_id"],
        name="fk_delivery_member_object",
        ondelete="CASCADE",
    ),
    Index("ix_delivery_member_object", "destination_id", "orthanc_instance_id"),
)

delivery_batch = Table(
    "delivery_batch",
    metadata,
    Column("batch", Key, primary_key=True, comment="a random identifier"),
    Column("destination_id", Integer, ForeignKey("destination.id"), nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("lease_until", Moment, nullable=False, comment="of an open batch: its worker prolongs it"),
    Column("ended_at", Moment),
    Column("object_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("orthanc_job_id", Text, comment="of Orthanc, where Orthanc sends"),
    Column("outcome", Text, comment="arrived, partly, failed or lost (its worker vanished)"),
    Column("reason", PhraseColumn),
    Column("orthanc_instance_ids", ARRAY(Text), nullable=False),
    Index("ix_delivery_batch_open", "destination_id", postgresql_where=text("ended_at IS NULL")),
    Index("ix_delivery_batch_newest", "destination_id", text("started_at DESC")),
    comment="each send: what went together, how long it took, how it ended",
)
