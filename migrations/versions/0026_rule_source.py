"""The text that a rule was written as, in a column of its own instead of in the document that it means."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

OUT_OF_DOCUMENT = """
UPDATE rule_version SET source = document ->> 'source', document = document - 'source' WHERE document ? 'source'
"""


def upgrade() -> None:
    source = sa.Column("source", sa.Text, comment="the text that it was written as, with its comments")
    op.add_column("rule_version", source)
    op.execute(OUT_OF_DOCUMENT)
