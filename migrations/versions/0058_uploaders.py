"""Who uploaded an instance over the web: the user, and the session or the token by which they were known."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

NAME = "who uploaded it, as they were called then"


def upgrade() -> None:
    op.alter_column("instance", "http_user", existing_type=sa.Text, comment=NAME)
    for column in (
        sa.Column("uploader_id", sa.Integer, comment="of user_account; NULL: Orthanc or nobody knew the user"),
        sa.Column("session_id", sa.BigInteger, comment="the uploader's, of user_session"),
        sa.Column("token_id", sa.Integer, comment="the uploader's, of access_token"),
    ):
        op.add_column("instance", column)
