"""Authenticator apps as a second step of the sign-in, their recovery codes, and sign-ins that wait for a code."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def of_user(**given: bool) -> sa.Column:
    return sa.Column("user_id", sa.Integer, sa.ForeignKey("user_account.id", ondelete="CASCADE"), **given)


def upgrade() -> None:
    op.create_table(
        "user_totp",
        of_user(primary_key=True),
        sa.Column(
            "key",
            sa.Text,
            nullable=False,
            comment="shared with the user's app, in Base32: readable, for it is computed with",
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, comment="by a first code; null: the sign-in does not ask"),
        sa.Column(
            "last_step", sa.BigInteger, nullable=False, comment="of the last code that counted: none counts twice"
        ),
    )
    op.create_table(
        "recovery_code",
        of_user(primary_key=True),
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        sa.Column("used_at", MOMENT),
    )
    op.create_table(
        "half_sign_in",
        sa.Column("digest", sa.LargeBinary, primary_key=True, comment="of the secret in a cookie"),
        of_user(nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
    )
    op.create_index("ix_half_sign_in_user", "half_sign_in", ["user_id"])
