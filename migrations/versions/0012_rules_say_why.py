"""Keep why a rule, its application or a notification failed as a phrase, which a page can say in its language."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was noted before stays the English text that it is: a string in JSON.
    for table in ("rule_event", "rule_application", "notification"):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN last_error TYPE jsonb USING to_jsonb(last_error)")
