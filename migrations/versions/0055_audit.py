"""The audit trail: events, each bound to the one before, the ends of the chains and their anchors. Append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(collation="C")
IDENTITY = ("path", "query", "detail", "studies", "patients", "salt")


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("server", KEY, nullable=False, comment="whose chain: each Orthanc has one of its own"),
        sa.Column("number", sa.BigInteger, nullable=False, comment="in its chain, from 1, without gaps"),
        sa.Column("key", KEY, nullable=False, comment="of the event, wherever it waited: it is written once"),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, comment="of several that are one row, when the last one was"),
        sa.Column("what", KEY, nullable=False),
        sa.Column("outcome", KEY, nullable=False),
        sa.Column("way", KEY, nullable=False, comment="by which door"),
        sa.Column("actor", sa.Text, comment="NULL: nobody had signed in; of DICOM an AE title"),
        sa.Column("user_id", sa.Integer, comment="no foreign key: it outlives the user"),
        sa.Column("session_id", sa.BigInteger),
        sa.Column("token_id", sa.Integer),
        sa.Column("roles", sa.ARRAY(sa.Text), nullable=False, comment="that the actor had then"),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("place", KEY, nullable=False, comment="the route's name; of Orthanc's addresses the method"),
        sa.Column("status", sa.Integer, comment="of HTTP; NULL where it is not known"),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("path", sa.Text, comment="with what follows, NULL where the identity was taken away"),
        sa.Column("query", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("studies", sa.ARRAY(sa.Text), comment="Study Instance UIDs"),
        sa.Column("patients", sa.ARRAY(sa.Text), comment="(0010,0020)"),
        sa.Column("salt", sa.LargeBinary, comment="NULL where the identity was taken away"),
        sa.Column("identity_digest", sa.LargeBinary, nullable=False, comment="SHA-256 of the salt and the identity"),
        sa.Column("hash", sa.LargeBinary, nullable=False, comment="SHA-256 of the hash before and the event"),
        sa.UniqueConstraint("server", "number", name="uq_audit_event_number"),
        sa.UniqueConstraint("key", name="uq_audit_event_key"),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at", "id"])
    op.create_index("ix_audit_event_actor", "audit_event", ["actor", "at", "id"])
    op.create_index("ix_audit_event_studies", "audit_event", ["studies"], postgresql_using="gin")
    op.create_index("ix_audit_event_patients", "audit_event", ["patients"], postgresql_using="gin")
    op.create_table(
        "audit_chain",
        sa.Column("server", KEY, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, comment="of the last event"),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("cut_number", sa.BigInteger, nullable=False, comment="the last that was cut off by age; 0: none"),
        sa.Column("cut_hash", sa.LargeBinary, nullable=False),
        sa.Column("key_name", KEY, nullable=False),
        sa.Column(
            "signature", sa.LargeBinary, nullable=False, comment="HMAC-SHA-256, by a key that is not in the database"
        ),
    )
    op.create_table(
        "audit_anchor",
        sa.Column("server", KEY, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("at", MOMENT, nullable=False, comment="of that event's writing"),
        sa.Column("key_name", KEY, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    guard()


def guard() -> None:
    """Rows stay as they are, but for an identity that is taken away as a whole, and for what `audit_cut` deletes."""
    blank = " AND ".join(f"NEW.{one} IS NULL" for one in IDENTITY)
    op.execute(f"""CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE without audit_event;
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('treegarth.audit_cut', true) = OLD.server THEN
                RETURN OLD;
            END IF;
            IF TG_OP = 'UPDATE' AND {blank} THEN
                without := OLD;
                {"; ".join(f"without.{one} := NULL" for one in IDENTITY)};
                IF NEW IS NOT DISTINCT FROM without THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit trail is append-only';
        END $$""")
    op.execute("""CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()""")
    op.execute("""CREATE FUNCTION audit_is_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'the audit trail is append-only'; END $$""")
    op.execute("""CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_not_emptied()""")
    op.execute("""CREATE FUNCTION audit_cut(of_server text, up_to bigint, before timestamptz)
        RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE gone bigint;
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM audit_anchor a
                    WHERE a.server = of_server AND a.number = up_to AND a.at < before) THEN
                RAISE EXCEPTION 'the audit trail is cut at an anchor of that age only';
            END IF;
            PERFORM set_config('treegarth.audit_cut', of_server, true);
            DELETE FROM audit_event WHERE server = of_server AND number <= up_to;
            GET DIAGNOSTICS gone = ROW_COUNT;
            PERFORM set_config('treegarth.audit_cut', '', true);
            DELETE FROM audit_anchor WHERE server = of_server AND number <= up_to;
            RETURN gone;
        END $$""")
