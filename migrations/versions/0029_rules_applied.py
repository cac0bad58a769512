"""Rules applied to the archive are long works."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# One that runs goes on behind the study that it noted last, when what it has noted is handled.
APPLICATIONS = """
INSERT INTO long_work (kind, subject, detail, asked_by, is_asked, asked_at, state, total, done, counts, place,
    working_s, next_attempt_at, last_error, stopped_by, finished_at)
SELECT 'rules.apply', rule_id::text, to_jsonb((SELECT name FROM rule WHERE rule.id = rule_id)), started_by,
    started_by IS NOT NULL, started_at,
    CASE WHEN finished_at IS NULL THEN 'running' WHEN stopped_by IS NOT NULL THEN 'stopped'
    WHEN failed > 0 THEN 'partly' ELSE 'done' END,
    total, applied, jsonb_build_object('failed', failed),
    CASE WHEN walked_to IS NOT NULL THEN jsonb_build_object('at', started_at, 'walked_to', walked_to) END,
    CASE WHEN finished_at IS NULL THEN 0 ELSE extract(epoch FROM finished_at - started_at) END,
    started_at, last_error, nullif(stopped_by, ''), finished_at
FROM rule_application ORDER BY id
"""


def upgrade() -> None:
    op.execute(APPLICATIONS)
    op.drop_table("rule_application")
