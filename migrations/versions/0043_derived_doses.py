"""Why a dose is not derived, and a site's own coefficients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(collation="C")


def upgrade() -> None:
    gone = sa.ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE")
    op.create_table(
        "derived_missing",
        sa.Column("orthanc_study_id", KEY, gone, primary_key=True),
        sa.Column("quantity", KEY, primary_key=True),
        sa.Column("reason", JSONB, nullable=False, comment="which input is missing"),
    )
    op.create_table(
        "dose_coefficient",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
        sa.Column("coefficient_table", sa.Text, nullable=False, comment="ct, radiopharmaceutical or half_life"),
        sa.Column("of", sa.Text, nullable=False, comment="region, code of the radiopharmaceutical, or radionuclide"),
        sa.Column("age_group", sa.Text, comment="0, 1, 5, 10, 15 or adult; null of a half-life"),
        sa.Column("phantom", sa.Text, comment="head or body, of ct alone"),
        sa.Column("value", sa.Double, nullable=False, comment="mSv/(mGy cm), mSv/MBq or s"),
        sa.Column("source", sa.Text, nullable=False, comment="the publication, with table and page"),
    )
    there = "removed_at IS NULL"
    op.create_index("uq_dose_coefficient_name", "dose_coefficient", ["name"], unique=True, postgresql_where=there)
    op.create_table(
        "dose_coefficient_version",
        sa.Column("dose_coefficient_id", sa.Integer, sa.ForeignKey("dose_coefficient.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
