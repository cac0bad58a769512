"""Retention: policies, marks, the ledger of what left the archive; studies and series outlive their pruned objects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    let_studies_outlive_their_objects()
    create_retention_policy()
    create_retention_policy_version()
    create_prune_mark()
    create_prune_rescue()
    create_prune_ledger()
    create_bring_back()
    create_bring_back_object()
    create_study_use()


def let_studies_outlive_their_objects() -> None:
    op.add_column(
        "series",
        sa.Column(
            "pruned_instance_count",
            sa.Integer,
            server_default="0",
            nullable=False,
            comment="objects that a retention policy deleted: while there are any, the row stays",
        ),
    )
    op.add_column("series", sa.Column("pruned_size_bytes", sa.BigInteger, server_default="0", nullable=False))
    op.create_index("ix_series_pruned", "series", ["orthanc_series_id"], postgresql_where=sa.text("instance_count = 0"))
    op.add_column(
        "study",
        sa.Column(
            "pruned_instance_count", sa.Integer, server_default="0", nullable=False, comment="of its series, added"
        ),
    )
    op.add_column("study", sa.Column("pruned_size_bytes", sa.BigInteger, server_default="0", nullable=False))
    op.create_index("ix_study_pruned", "study", ["orthanc_patient_id"], postgresql_where=sa.text("instance_count = 0"))


def create_retention_policy() -> None:
    op.create_table(
        "retention_policy",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "version", sa.Integer, nullable=False, comment="the latest of retention_policy_version: the one that acts"
        ),
        sa.Column("is_on", sa.Boolean, server_default=sa.text("false"), nullable=False),
        sa.Column("decided_at", MOMENT, comment="when it last looked at the whole archive"),
        sa.Column("look_s", sa.Float, comment="how long that took"),
        sa.Column(
            "freeing_since", MOMENT, comment="of a policy by space: above the high mark, until the low one is reached"
        ),
        sa.Column("removed_at", MOMENT, comment="a policy that was removed stays, for the ledger refers to it"),
        sa.PrimaryKeyConstraint("id", name="pk_retention_policy"),
    )
    op.create_index(
        "uq_retention_policy_name",
        "retention_policy",
        ["name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def create_retention_policy_version() -> None:
    op.create_table(
        "retention_policy_version",
        sa.Column("policy_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", JSONB, nullable=False, comment="the policy as its text form has it"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["retention_policy.id"], name="fk_retention_policy_version_policy_id_retention_policy"
        ),
        sa.PrimaryKeyConstraint("policy_id", "version", name="pk_retention_policy_version"),
        comment="every change of every policy",
    )


def create_prune_mark() -> None:
    op.create_table(
        "prune_mark",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("sop_instance_uid", KEY, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("remote_ae_title", sa.Text),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("policy_id", sa.Integer, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("marked_at", MOMENT, nullable=False),
        sa.Column(
            "due_at", MOMENT, nullable=False, comment="the end of the period of grace; after a failure: not before"
        ),
        sa.Column("last_words", sa.Text, comment="why it was not deleted when its time had come"),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["retention_policy.id"], name="fk_prune_mark_policy_id_retention_policy"
        ),
        sa.PrimaryKeyConstraint("orthanc_instance_id", name="pk_prune_mark"),
        comment="objects that a policy is going to delete, if nothing forbids it then",
    )
    op.create_index("ix_prune_mark_due", "prune_mark", ["policy_id", "due_at"])
    op.create_index("ix_prune_mark_study", "prune_mark", ["orthanc_study_id"])
    op.create_index("ix_prune_mark_uid", "prune_mark", ["study_instance_uid", "orthanc_instance_id"])


def create_prune_rescue() -> None:
    op.create_table(
        "prune_rescue",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("policy_id", sa.Integer, nullable=False),
        sa.Column("policy_version", sa.Integer, nullable=False),
        sa.Column("rescued_by", sa.Text),
        sa.Column("rescued_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False, comment="this version of the policy does not mark it before"),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["retention_policy.id"], name="fk_prune_rescue_policy_id_retention_policy"
        ),
        sa.PrimaryKeyConstraint("orthanc_instance_id", "policy_id", name="pk_prune_rescue"),
    )


def create_prune_ledger() -> None:
    op.create_table(
        "prune_ledger",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("sop_instance_uid", KEY, nullable=False),
        sa.Column("sop_class_uid", KEY),
        sa.Column("modality", sa.Text),
        sa.Column("patient_id", sa.Text),
        sa.Column("remote_ae_title", sa.Text, comment="who had sent it"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="intended, deleted, or kept (the intention was given up)"),
        sa.Column("policy_id", sa.Integer, comment="NULL: deleted in Orthanc by somebody else"),
        sa.Column("policy_version", sa.Integer),
        sa.Column("proof", JSONB, comment="[{destination, kind, at}]: what the decision stood on"),
        sa.Column("intended_at", MOMENT),
        sa.Column("deleted_at", MOMENT),
        sa.Column("kept_because", sa.Text),
        sa.Column("returned_at", MOMENT, comment="when the object was in the archive again"),
        sa.PrimaryKeyConstraint("id", name="pk_prune_ledger"),
        comment="every object that left the archive: a policy's before it is deleted, others' when it was noticed",
    )
    op.create_index("ix_prune_ledger_deleted", "prune_ledger", [sa.text("deleted_at DESC")])
    op.create_index("ix_prune_ledger_instance", "prune_ledger", ["orthanc_instance_id"])
    op.create_index(
        "ix_prune_ledger_intended", "prune_ledger", ["intended_at"], postgresql_where=sa.text("state = 'intended'")
    )
    op.create_index("ix_prune_ledger_series", "prune_ledger", ["orthanc_series_id"])
    op.create_index("ix_prune_ledger_study", "prune_ledger", ["study_instance_uid"])
    op.create_index("ix_prune_ledger_uid", "prune_ledger", ["sop_instance_uid"])


def create_bring_back() -> None:
    op.create_table(
        "bring_back",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("asked_by", sa.Text),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column(
            "state", sa.Text, server_default="waiting", nullable=False, comment="waiting, done, partly or failed"
        ),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column(
            "next_attempt_at", MOMENT, server_default=sa.text("now()"), nullable=False, comment="or the end of a lease"
        ),
        sa.Column("last_error", JSONB),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_bring_back"),
    )
    op.create_index("ix_bring_back_study", "bring_back", ["study_instance_uid"])
    op.create_index(
        "ix_bring_back_waiting", "bring_back", ["next_attempt_at"], postgresql_where=sa.text("state = 'waiting'")
    )


def create_bring_back_object() -> None:
    op.create_table(
        "bring_back_object",
        sa.Column("bring_back_id", sa.Integer, nullable=False),
        sa.Column("ledger_id", sa.BigInteger, nullable=False),
        sa.Column("arrived_at", MOMENT, comment="when Orthanc had it again, seen by its identifier"),
        sa.Column("via", sa.Text, comment="the destination that it was retrieved from"),
        sa.ForeignKeyConstraint(
            ["bring_back_id"],
            ["bring_back.id"],
            name="fk_bring_back_object_bring_back_id_bring_back",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["ledger_id"], ["prune_ledger.id"], name="fk_bring_back_object_ledger_id_prune_ledger"),
        sa.PrimaryKeyConstraint("bring_back_id", "ledger_id", name="pk_bring_back_object"),
    )
    op.create_index("ix_bring_back_object_ledger", "bring_back_object", ["ledger_id"])


def create_study_use() -> None:
    op.create_table(
        "study_use",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=False),
        sa.Column("way", sa.Text, nullable=False, comment="dashboard or viewer"),
        sa.PrimaryKeyConstraint("orthanc_study_id", name="pk_study_use"),
        comment="when a study was last opened through us; arrivals and deliveries have rows of their own",
    )
