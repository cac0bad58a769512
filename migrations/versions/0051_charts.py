"""Charts that people compose, as documents with every version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "dose_chart",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
    )
    named = {"unique": True, "postgresql_where": "removed_at IS NULL"}
    op.create_index("uq_dose_chart_name", "dose_chart", ["name"], **named)
    op.create_table(
        "dose_chart_version",
        sa.Column("dose_chart_id", sa.Integer, sa.ForeignKey("dose_chart.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
