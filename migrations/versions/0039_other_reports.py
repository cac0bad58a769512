"""Structured reports about something else than dose have a state of their own.

No object is read again: what was refused says by its reason that it is none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

COMMENT = "unread, read, refused, other or failed"
OTHERS = """
UPDATE dose_report SET state = 'other'
WHERE state = 'refused'
  AND refused ->> 'message' LIKE 'This structured report, \\%(named)s, is no dose report%'
  AND refused -> 'values' ->> 'named' LIKE '“%'
  AND sop_class_uid NOT IN ('1.2.840.10008.5.1.4.1.1.88.67', '1.2.840.10008.5.1.4.1.1.88.68',
    '1.2.840.10008.5.1.4.1.1.88.73', '1.2.840.10008.5.1.4.1.1.88.76')
"""


def upgrade() -> None:
    op.alter_column("dose_report", "state", existing_type=sa.Text, existing_nullable=False, comment=COMMENT)
    op.get_bind().exec_driver_sql(OTHERS.replace("%", "%%"))
