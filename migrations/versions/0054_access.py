"""Users, their roles, sessions and tokens; roles as documents. Whatever changes who may do what counts a version up."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
ALL = [
    "see studies", "see dose", "upload", "download", "export", "annotate", "send", "decide dose", "run rules", "prune",
    "erase", "see system", "operate", "see audit", "administer",
]  # fmt: skip
READS = ["see studies", "see dose"]
ROLES = {
    "administrator": ALL,
    "physicist": [*READS, "download", "export", "annotate", "send", "decide dose", "see system"],
    "radiographer": [*READS, "upload", "annotate", "send"],
    "physician": [*READS, "download", "annotate"],
    "nurse": ["see studies"],
    "researcher": [*READS, "download", "export", "annotate"],
    "external": ["see studies"],
    "service": ["see studies", "upload", "download"],
}


def upgrade() -> None:
    users()
    roles()
    op.create_table(
        "access_version",
        sa.Column("id", sa.Integer, primary_key=True, comment="1"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="triggers count what changes who may do what"),
    )
    op.execute("INSERT INTO access_version (id, version) VALUES (1, 1)")
    op.execute("""CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE access_version SET version = version + 1 WHERE id = 1; RETURN NULL; END $$""")
    columns = {
        "user_account": "name, password_hash, must_change_password, is_on",
        "user_role": "role",
        "user_session": "ended_at, ends_at",
        "access_token": "permissions, ends_at, revoked_at",
        "user_role_document": "name, permissions, removed_at, is_on",
    }
    for table, changed in columns.items():
        for number, event in enumerate(("INSERT OR DELETE", f"UPDATE OF {changed}")):
            op.execute(f"""CREATE TRIGGER access_changed_{number} AFTER {event} ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION access_changed()""")


def users() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "name",
            sa.Text,
            nullable=False,
            comment="what is typed at the sign-in, or what Orthanc or the provider says",
        ),
        sa.Column("folded_name", sa.Text, nullable=False, comment="two that look alike are one"),
        sa.Column("full_name", sa.Text),
        sa.Column("password_hash", sa.Text, comment="Argon2id, RFC 9106; null: signs in by other means, or not at all"),
        sa.Column("must_change_password", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("subject", sa.Text, comment="of the identity provider: its issuer and what it calls the user"),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("last_signed_in_at", MOMENT),
        sa.UniqueConstraint("folded_name", name="uq_user_account_folded_name"),
        sa.UniqueConstraint("subject", name="uq_user_account_subject"),
    )
    op.create_table(
        "user_role",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "role", sa.Text, primary_key=True, comment="by its name: a role that comes back under it is the same one"
        ),
    )
    op.create_table(
        "user_session",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False, comment="whatever is done with it"),
        sa.Column("address", sa.Text),
        sa.Column("browser", sa.Text, comment="what it calls itself"),
        sa.Column(
            "browser_digest",
            sa.LargeBinary,
            comment="of a secret by which the browser is known at its next sign-in",
        ),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_by", sa.Text),
        sa.UniqueConstraint("digest", name="uq_user_session_digest"),
    )
    op.create_index("ix_user_session_user", "user_session", ["user_id"])
    op.create_index("ix_user_session_browser", "user_session", ["browser_digest"])
    op.create_table(
        "access_token",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("user_account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="what it is for"),
        sa.Column("permissions", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Text),
        sa.UniqueConstraint("digest", name="uq_access_token_digest"),
    )
    op.create_index("ix_access_token_user", "access_token", ["user_id"])


def roles() -> None:
    op.create_table(
        "user_role_document",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
        sa.Column("permissions", sa.ARRAY(sa.Text), nullable=False),
    )
    named = {"unique": True, "postgresql_where": "removed_at IS NULL"}
    op.create_index("uq_user_role_document_name", "user_role_document", ["name"], **named)
    op.create_table(
        "user_role_document_version",
        sa.Column("user_role_document_id", sa.Integer, sa.ForeignKey("user_role_document.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
    connection = op.get_bind()
    for name, permissions in ROLES.items():
        number = connection.execute(
            sa.text("INSERT INTO user_role_document (name, version, is_on, permissions) "
                    "VALUES (:name, 1, true, :permissions) RETURNING id"),
            {"name": name, "permissions": permissions},
        ).scalar_one()  # fmt: skip
        document = json.dumps({"name": name, "permissions": permissions})
        connection.execute(
            sa.text("INSERT INTO user_role_document_version (user_role_document_id, version, document, is_on, change, "
                    "changed_at) VALUES (:number, 1, CAST(:document AS jsonb), true, 'created', now())"),
            {"number": number, "document": document},
        )  # fmt: skip
