"""The comparison with Orthanc and the reading anew from the files are long works: the last of each moves."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

COMPARISON = """
INSERT INTO long_work (kind, is_asked, asked_at, state, total, done, counts, working_s, finished_at)
SELECT 'archive.comparison', false, (value ->> 'started_at')::timestamptz,
    CASE WHEN value ->> 'finished_at' IS NULL THEN 'running' ELSE 'done' END,
    (value ->> 'orthanc_instances')::bigint, (value ->> 'compared')::bigint,
    jsonb_build_object('indexed', value -> 'indexed', 'removed', value -> 'removed'),
    coalesce(extract(epoch FROM (value ->> 'finished_at')::timestamptz - (value ->> 'started_at')::timestamptz), 0),
    (value ->> 'finished_at')::timestamptz
FROM archive_state WHERE name = 'comparison' AND value ? 'started_at'
"""
MENDING = """
INSERT INTO long_work (kind, is_asked, asked_at, state, total, done, finished_at)
SELECT 'archive.mending', false, (value ->> 'started_at')::timestamptz,
    CASE WHEN value ->> 'finished_at' IS NULL THEN 'running' ELSE 'done' END,
    (value ->> 'total')::bigint, (value ->> 'total')::bigint - (value ->> 'left')::bigint,
    (value ->> 'finished_at')::timestamptz
FROM archive_state WHERE name = 'mending' AND value ? 'started_at'
"""


def upgrade() -> None:
    op.execute(COMPARISON)
    op.execute(MENDING)
    op.execute("DELETE FROM archive_state WHERE name IN ('comparison', 'comparison_request', 'mending')")
