"""Since when an instance has its content, and which content a delivery carried: a proof counts for no newer one."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """No row is written: what is there has its content since it was received, and was sent when its row says."""
    op.add_column(
        "instance",
        sa.Column(
            "content_since",
            MOMENT,
            comment="when the index took this store up, by the database's clock; NULL: since it was received",
        ),
    )
    op.alter_column("instance", "content_since", server_default=sa.func.now())
    op.add_column(
        "delivery_object",
        sa.Column("begun_at", MOMENT, comment="of the last send: what is sent is no older; by the database's clock"),
    )
    op.add_column(
        "delivery_object", sa.Column("begun_checksum", sa.BigInteger, comment="of the header that the index had then")
    )
    op.add_column(
        "delivery_object",
        sa.Column(
            "had_other_content",
            sa.Boolean,
            nullable=False,
            server_default=sa.text("false"),
            comment="a send was begun before with another header or size:"
            " that it lists the UID says nothing of this one",
        ),
    )
