"""How long a deciding anew took without its waits, so that the next one is foretold by it."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of those that there were nobody knows it any more."""
    op.add_column(
        "dose_redeciding",
        sa.Column("deciding_s", sa.Double, comment="spent deciding, without what it waited; null: not measured"),
    )
    op.alter_column("dose_redeciding", "study_count", comment="how many there are, as far as it knows")
