"""Holds."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_hold()


def create_hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("kind", sa.Text, nullable=False, comment="legal, teaching or project"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Integer, comment="the rule that set it; NULL: a user"),
        sa.Column("set_by", sa.Text),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, comment="NULL: until it is released"),
        sa.Column("released_by", sa.Text),
        sa.Column("released_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
    )
    op.create_index("ix_hold_study", "hold", ["orthanc_study_id"], postgresql_where=sa.text("released_at IS NULL"))
    op.create_index("ix_hold_uid", "hold", ["study_instance_uid"])
    # ### end Alembic commands ###
