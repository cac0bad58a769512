"""Where the audit trail is kept. PostgreSQL refuses to change or delete rows, but for two things.

The identity of a row can be blanked, once; and `audit_cut` deletes what is older than an anchor.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY

from treegarth.database.metadata import metadata

_Key = String(collation="C")
_Moment = DateTime(timezone=True)

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("server", _Key, nullable=False, comment="whose chain: each Orthanc has one of its own"),
    Column("number", BigInteger, nullable=False, comment="in its chain, from 1, without gaps"),
    Column("key", _Key, nullable=False, comment="of the event, wherever it waited: it is written once"),
    Column("at", _Moment, nullable=False),
    Column("until", _Moment, comment="of several that are one row, when the last one was"),
    Column("what", _Key, nullable=False),
    Column("outcome", _Key, nullable=False),
    Column("way", _Key, nullable=False, comment="by which door"),
    Column("actor", Text, comment="NULL: nobody had signed in; of DICOM an AE title"),
    Column("user_id", Integer, comment="no foreign key: it outlives the user"),
    Column("session_id", BigInteger),
    Column("token_id", Integer),
    Column("roles", ARRAY(Text), nullable=False, comment="that the actor had then"),
    Column("address", Text, nullable=False),
    Column("place", _Key, nullable=False, comment="the route's name; of Orthanc's addresses the method"),
    Column("status", Integer, comment="of HTTP; NULL where it is not known"),
    Column("count", Integer, nullable=False),
    Column("path", Text, comment="with what follows, NULL where the identity was taken away"),
    Column("query", Text),
    Column("detail", Text),
    Column("studies", ARRAY(Text), comment="Study Instance UIDs"),
    Column("patients", ARRAY(Text), comment="(0010,0020)"),
    Column("salt", LargeBinary, comment="NULL where the identity was taken away"),
    Column("identity_digest", LargeBinary, nullable=False, comment="SHA-256 of the salt and the identity"),
    Column("hash", LargeBinary, nullable=False, comment="SHA-256 of the hash before and the event"),
    UniqueConstraint("server", "number", name="uq_audit_event_number"),
    UniqueConstraint("key", name="uq_audit_event_key"),
    Index("ix_audit_event_at", "at", "id"),
    Index("ix_audit_event_actor", "actor", "at", "id"),
    Index("ix_audit_event_studies", "studies", postgresql_using="gin"),
    Index("ix_audit_event_patients", "patients", postgresql_using="gin"),
)
audit_chain = Table(
    "audit_chain",
    metadata,
    Column("server", _Key, primary_key=True),
    Column("number", BigInteger, nullable=False, comment="of the last event"),
    Column("hash", LargeBinary, nullable=False),
    Column("cut_number", BigInteger, nullable=False, comment="the last that was cut off by age; 0: none"),
    Column("cut_hash", LargeBinary, nullable=False),
    Column("key_name", _Key, nullable=False),
    Column("signature", LargeBinary, nullable=False, comment="HMAC-SHA-256, by a key that is not in the database"),
)
audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("server", _Key, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("at", _Moment, nullable=False, comment="of that event's writing"),
    Column("key_name", _Key, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
