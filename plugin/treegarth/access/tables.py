"""Users, the roles that they have, their sessions and tokens. Secrets stand here as digests, passwords as Argon2id."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
)

from treegarth.database.metadata import metadata

_Moment = DateTime(timezone=True)

user_account = Table(
    "user_account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, comment="what is typed at the sign-in, or what Orthanc or the provider says"),
    Column("folded_name", Text, nullable=False, unique=True, comment="two that look alike are one"),
    Column("full_name", Text),
    Column("password_hash", Text, comment="Argon2id, RFC 9106; null: signs in by other means, or not at all"),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    Column("subject", Text, unique=True, comment="of the identity provider: its issuer and what it calls the user"),
    Column("is_on", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", _Moment, nullable=False),
    Column("created_by", Text),
    Column("last_signed_in_at", _Moment),
)
user_role = Table(
    "user_role",
    metadata,
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), primary_key=True),
    Column("role", Text, primary_key=True, comment="by its name: a role that comes back under it is the same one"),
)
user_session = Table(
    "user_session",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), nullable=False),
    Column("began_at", _Moment, nullable=False),
    Column("last_used_at", _Moment, nullable=False),
    Column("ends_at", _Moment, nullable=False, comment="whatever is done with it"),
    Column("address", Text),
    Column("browser", Text, comment="what it calls itself"),
    Column("browser_digest", LargeBinary, comment="of a secret by which the browser is known at its next sign-in"),
    Column("ended_at", _Moment),
    Column("ended_by", Text),
    Column("id_token", Text, comment="of the identity provider, which is told by it who leaves at the log-out"),
    Index("ix_user_session_user", "user_id"),
    Index("ix_user_session_browser", "browser_digest"),
)
user_totp = Table(
    "user_totp",
    metadata,
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), primary_key=True),
    Column(
        "key", Text, nullable=False, comment="shared with the user's app, in Base32: readable, for it is computed with"
    ),
    Column("created_at", _Moment, nullable=False),
    Column("confirmed_at", _Moment, comment="by a first code; null: the sign-in does not ask"),
    Column("last_step", BigInteger, nullable=False, comment="of the last code that counted: none counts twice"),
)
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("used_at", _Moment),
)
half_sign_in = Table(
    "half_sign_in",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="of the secret in a cookie"),
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), nullable=False),
    Column("ends_at", _Moment, nullable=False),
    Index("ix_half_sign_in_user", "user_id"),
)
access_token = Table(
    "access_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user_id", Integer, ForeignKey(user_account.c.id, ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False, comment="what it is for"),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("created_at", _Moment, nullable=False),
    Column("created_by", Text),
    Column("ends_at", _Moment, nullable=False),
    Column("last_used_at", _Moment),
    Column("revoked_at", _Moment),
    Column("revoked_by", Text),
    Index("ix_access_token_user", "user_id"),
)
user_role_document = Table(
    "user_role_document",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="the latest: it acts"),
    Column("is_on", Boolean, nullable=False),
    Column("removed_at", _Moment, comment="what was removed stays, for what it did refers to it"),
    Column("permissions", ARRAY(Text), nullable=False),
    Index("uq_user_role_document_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)
access_version = Table(
    "access_version",
    metadata,
    Column("id", Integer, primary_key=True, comment="1"),
    Column("version", BigInteger, nullable=False, comment="triggers count what changes who may do what"),
)
