"""Saved views of lists: what is asked of them, under a name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("list", sa.Text, nullable=False, comment="its name: archive.studies"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", JSONB, nullable=False, comment="the parameters of the list's address by name"),
        sa.Column("is_shared", sa.Boolean, nullable=False, comment="everybody sees it"),
        sa.Column("saved_by", sa.Text, comment="NULL: without a login"),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("uq_saved_view", "saved_view", ["list", sa.text("coalesce(saved_by, '')"), "name"], unique=True)
