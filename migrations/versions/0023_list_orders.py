"""Indexes in the orders of lists, of tables that are written rarely."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Read forwards it is the order by destination, read backwards the newest of one destination, as before.
    op.drop_index("ix_delivery_destination", "delivery")
    op.create_index("ix_delivery_destination", "delivery", ["destination_id", "id"])
