"""Destinations, and the ledger of deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_destination()
    create_delivery()
    create_delivery_batch()
    create_delivery_object()
    create_destination_change()
    create_delivery_member()


def create_destination() -> None:
    op.create_table(
        "destination",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="dicom, dicomweb, peer, folder or s3"),
        sa.Column("address", JSONB, nullable=False, comment="what its kind needs; secrets by reference"),
        sa.Column("proof", sa.Text, server_default="best", nullable=False, comment="best, commitment, find or status"),
        sa.Column("alternate", sa.Text, comment="the destination that takes over while this one is down"),
        sa.Column("windows", JSONB, comment="[{days, begin, end}]; NULL: always"),
        sa.Column("max_associations", sa.Integer, server_default="1", nullable=False),
        sa.Column("max_mbit_per_s", sa.Double),
        sa.Column(
            "max_attempts", sa.Integer, server_default="20", nullable=False, comment="then an object is given up"
        ),
        sa.Column("is_paused", sa.Boolean, server_default=sa.text("false"), nullable=False),
        sa.Column("can_commit", sa.Boolean, comment="whether it answers storage commitment; NULL: not known yet"),
        sa.Column("can_find", sa.Boolean, comment="whether it can be asked what it has; NULL: not known yet"),
        sa.Column("down_since", MOMENT, comment="when it stopped answering; NULL: it answers"),
        sa.Column("failures", sa.Integer, server_default="0", nullable=False, comment="in a row"),
        sa.Column("next_attempt_at", MOMENT, comment="after failures: not before this"),
        sa.Column("last_success_at", MOMENT),
        sa.Column("last_error", JSONB),
        sa.Column("last_error_at", MOMENT),
        sa.Column("removed_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_destination"),
    )
    op.create_index(
        "uq_destination_name", "destination", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL")
    )


def create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("rule_id", sa.Integer, server_default="0", nullable=False, comment="0: asked for by a user"),
        sa.Column("asked_by", sa.Text, comment="the rule's name, or the user"),
        sa.Column("destination_id", sa.Integer, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False, comment="when objects were last added"),
        sa.ForeignKeyConstraint(["destination_id"], ["destination.id"], name="fk_delivery_destination_id_destination"),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
    )
    op.create_index("ix_delivery_destination", "delivery", ["destination_id", sa.text("id DESC")])
    op.create_index("ix_delivery_orthanc_study", "delivery", ["orthanc_study_id"])
    op.create_index("ix_delivery_study", "delivery", ["study_instance_uid"])
    op.create_index("uq_delivery", "delivery", ["rule_id", "destination_id", "orthanc_series_id"], unique=True)


def create_delivery_batch() -> None:
    op.create_table(
        "delivery_batch",
        sa.Column("batch", KEY, nullable=False, comment="a random identifier"),
        sa.Column("destination_id", sa.Integer, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("lease_until", MOMENT, nullable=False, comment="of an open batch: its worker prolongs it"),
        sa.Column("ended_at", MOMENT),
        sa.Column("object_count", sa.Integer, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("orthanc_job_id", sa.Text, comment="of Orthanc, where Orthanc sends"),
        sa.Column("outcome", sa.Text, comment="arrived, partly, failed or lost (its worker vanished)"),
        sa.Column("reason", JSONB),
        sa.Column("orthanc_instance_ids", ARRAY(sa.Text), nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name="fk_delivery_batch_destination_id_destination"
        ),
        sa.PrimaryKeyConstraint("batch", name="pk_delivery_batch"),
        comment="each send: what went together, how long it took, how it ended",
    )
    op.create_index("ix_delivery_batch_newest", "delivery_batch", ["destination_id", sa.text("started_at DESC")])
    op.create_index(
        "ix_delivery_batch_open", "delivery_batch", ["destination_id"], postgresql_where=sa.text("ended_at IS NULL")
    )


def create_delivery_object() -> None:
    op.create_table(
        "delivery_object",
        sa.Column("destination_id", sa.Integer, nullable=False),
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("sop_instance_uid", KEY, nullable=False),
        sa.Column("sop_class_uid", KEY),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, server_default="waiting", nullable=False, comment="see deliveries/model.py"),
        sa.Column(
            "proof_wanted",
            sa.Text,
            nullable=False,
            comment="the strongest that was asked for: best, commitment, find, status",
        ),
        sa.Column("proof", sa.Text, comment="what shows that it arrived: commitment, find, qido, stored, status"),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False, comment="sends that were begun"),
        sa.Column(
            "next_attempt_at", MOMENT, server_default=sa.text("now()"), nullable=False, comment="or the end of a lease"
        ),
        sa.Column("batch", KEY, comment="the send or question that holds the lease"),
        sa.Column("transaction_uid", KEY, comment="of the storage commitment that was asked for, as Orthanc names it"),
        sa.Column("committing_since", MOMENT),
        sa.Column("last_error", JSONB),
        sa.Column("queued_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("via", sa.Integer, comment="the alternate destination that it was sent to instead"),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name="fk_delivery_object_destination_id_destination"
        ),
        sa.PrimaryKeyConstraint("destination_id", "orthanc_instance_id", name="pk_delivery_object"),
    )
    op.create_index(
        "ix_delivery_object_due",
        "delivery_object",
        ["destination_id", "next_attempt_at"],
        postgresql_where=sa.text("state IN ('waiting', 'sending', 'sent')"),
    )
    op.create_index("ix_delivery_object_instance", "delivery_object", ["orthanc_instance_id"])
    op.create_index("ix_delivery_object_study", "delivery_object", ["orthanc_study_id"])
    op.create_index(
        "ix_delivery_object_trouble",
        "delivery_object",
        ["destination_id", "orthanc_instance_id"],
        postgresql_where=sa.text("state = 'given up'"),
    )
    op.create_index("ix_delivery_object_uid", "delivery_object", ["sop_instance_uid"])


def create_destination_change() -> None:
    op.create_table(
        "destination_change",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("destination_id", sa.Integer, nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["destination.id"], name="fk_destination_change_destination_id_destination"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_destination_change"),
    )
    op.create_index("ix_destination_change_destination", "destination_change", ["destination_id"])


def create_delivery_member() -> None:
    op.create_table(
        "delivery_member",
        sa.Column("delivery_id", sa.BigInteger, nullable=False),
        sa.Column("destination_id", sa.Integer, nullable=False),
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name="fk_delivery_member_delivery_id_delivery", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["destination_id", "orthanc_instance_id"],
            ["delivery_object.destination_id", "delivery_object.orthanc_instance_id"],
            name="fk_delivery_member_object",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "destination_id", "orthanc_instance_id", name="pk_delivery_member"),
    )
    op.create_index("ix_delivery_member_object", "delivery_member", ["destination_id", "orthanc_instance_id"])
    # ### end Alembic commands ###
