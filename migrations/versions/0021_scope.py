"""The scope of a study, by which rights and everything summed can be keyed. There is one so far."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """At once for any number of studies: PostgreSQL keeps one value for all rows that are there."""
    op.add_column(
        "study",
        sa.Column(
            "scope_id", sa.Integer, nullable=False, server_default="1", comment="who may see it: see index/scope.py"
        ),
    )
