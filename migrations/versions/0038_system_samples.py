"""What the server takes of disks and memory, and what waits, over time. A new table; nothing is filled in."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

COLUMNS = (
    ("storage_total_bytes", None),
    ("storage_free_bytes", "of an hour: the least"),
    ("database_bytes", None),
    ("database_free_bytes", "of the disk of the embedded server"),
    ("orthanc_memory_bytes", "of an hour: the most"),
    ("indexer_memory_bytes", None),
    ("workers_memory_bytes", None),
    ("database_memory_bytes", None),
    ("waiting_instances", "stores and deletions that the index has not taken up"),
    ("waiting_tasks", None),
)


def upgrade() -> None:
    op.create_table(
        "system_sample",
        sa.Column("server", sa.Text, primary_key=True, comment="whose: host:port of an Orthanc"),
        sa.Column("hourly", sa.Boolean, primary_key=True, comment="what an hour came to; else of one minute"),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        *(sa.Column(name, sa.BigInteger, comment=comment) for name, comment in COLUMNS),
    )
