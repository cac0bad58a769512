"""Keep how deep an object's sequences are nested, where Orthanc cannot be asked to read it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "instance",
        sa.Column(
            "nesting_depth",
            sa.Integer,
            comment="levels of nested sequences, where they are more than Orthanc is asked to read; else NULL",
        ),
    )
    # Every page of a study asks for these, and there are hardly ever any.
    op.create_index(
        "ix_instance_deep", "instance", ["orthanc_series_id"], postgresql_where=sa.text("nesting_depth IS NOT NULL")
    )
