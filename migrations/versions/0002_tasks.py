"""The task queue: procrastinate's own tables and functions, as the pinned version brings them.

pyproject.toml pins procrastinate to one minor version, because this schema must be the one that its code expects. A
step to the next minor takes a revision of its own, with the statements of procrastinate's `sql/migrations` for it, and
the schema of today is then written out here, so that a fresh database goes the same way as an old one.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Many statements with percent signs of their own: sent as they are, without parameters.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema(), execution_options={"no_parameters": True})
