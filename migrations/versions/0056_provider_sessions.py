"""The identity provider's token with a session, by which it is told who leaves at the log-out."""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    comment = "of the identity provider, which is told by it who leaves at the log-out"
    op.add_column("user_session", sa.Column("id_token", sa.Text, comment=comment))
