"""A version of a destination's settings: of two people who edit it at the same time the second is told."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COUNT = """
UPDATE destination SET version = greatest(1, (SELECT count(*) FROM destination_change AS one
WHERE one.destination_id = destination.id AND one.change IN ('created', 'edited')))
"""


def upgrade() -> None:
    version = sa.Column(
        "version", sa.Integer, nullable=False, server_default="1", comment="counts how often its settings were set"
    )
    op.add_column("destination", version)
    op.execute(COUNT)
