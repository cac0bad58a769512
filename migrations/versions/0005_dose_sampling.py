"""Dose: which series wait for a few of their images to be chosen, and when each source was stored."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("dose_report", sa.Column("received_at", MOMENT, comment="when the object was stored"))
    op.add_column("dose_report", sa.Column("size_bytes", sa.BigInteger, comment="of the stored object"))
    op.create_table(
        "dose_sampling",
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False, comment="when the first image arrived that no sample knew"),
        sa.Column("due_at", MOMENT, nullable=False, comment="when the series counts as having come to rest"),
        sa.PrimaryKeyConstraint("orthanc_series_id", name="pk_dose_sampling"),
    )
