"""What people call devices, and where they stand."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_name",
        sa.Column(
            "device_key",
            sa.String(collation="C"),
            primary_key=True,
            comment="as of dose_study; no foreign key: one device is many rows",
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False, comment="the greatest holds"),
        sa.Column("display_name", sa.Text, comment="null: what its objects call it"),
        sa.Column("location", sa.Text),
        sa.Column("changed_by", sa.Text, comment="null: without a login"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
