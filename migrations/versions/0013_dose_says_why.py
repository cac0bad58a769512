"""Keep why a source of dose was refused or failed as a phrase, which a page can say in its language."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was noted before stays the English text that it is, a string in JSON; also within `issues`.
    op.execute(
        "ALTER TABLE dose_report"
        " ALTER COLUMN refused TYPE jsonb USING to_jsonb(refused),"
        " ALTER COLUMN last_error TYPE jsonb USING to_jsonb(last_error)"
    )
