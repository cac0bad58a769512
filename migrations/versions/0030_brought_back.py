"""What is asked back is a long work of its study: what waited of one study is one."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ASKED = """
CREATE TEMPORARY TABLE asked_back ON COMMIT DROP AS
WITH asked AS (
    SELECT bring_back.id, bring_back.state = 'waiting' AS waits, min(prune_ledger.orthanc_study_id) AS study
    FROM bring_back JOIN bring_back_object ON bring_back_id = bring_back.id
    JOIN prune_ledger ON prune_ledger.id = ledger_id GROUP BY bring_back.id
)
SELECT id, study, CASE WHEN waits THEN min(id) OVER (PARTITION BY study, waits) ELSE id END AS into_id FROM asked
"""
OBJECTS = """
CREATE TEMPORARY TABLE object_back ON COMMIT DROP AS
SELECT into_id, ledger_id, max(arrived_at) AS arrived_at, max(via) AS via
FROM bring_back_object JOIN asked_back ON asked_back.id = bring_back_id GROUP BY into_id, ledger_id
"""
WORKS = """
INSERT INTO long_work (kind, subject, detail, asked_by, is_asked, asked_at, state, total, done, counts, attempts,
    next_attempt_at, last_error, finished_at)
SELECT 'retention.bring_back', study, to_jsonb(study_instance_uid), asked_by, true, asked_at,
    CASE state WHEN 'waiting' THEN 'running' ELSE state END,
    (SELECT count(*) FROM object_back WHERE object_back.into_id = bring_back.id),
    (SELECT count(arrived_at) FROM object_back WHERE object_back.into_id = bring_back.id),
    jsonb_build_object('was', bring_back.id), CASE state WHEN 'waiting' THEN attempts ELSE 0 END, next_attempt_at,
    last_error, finished_at
FROM bring_back JOIN asked_back ON asked_back.id = bring_back.id AND into_id = bring_back.id ORDER BY bring_back.id
"""
BACK = """
INSERT INTO bring_back_object (work_id, ledger_id, arrived_at, via)
SELECT long_work.id, ledger_id, arrived_at, via FROM object_back
JOIN long_work ON kind = 'retention.bring_back' AND (counts ->> 'was')::integer = into_id
"""


def upgrade() -> None:
    op.execute(ASKED)
    op.execute(OBJECTS)
    op.execute(WORKS)
    op.drop_table("bring_back_object")
    op.drop_table("bring_back")
    op.create_table(
        "bring_back_object",
        sa.Column("work_id", sa.Integer, sa.ForeignKey("long_work.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("ledger_id", sa.BigInteger, sa.ForeignKey("prune_ledger.id"), primary_key=True),
        sa.Column(
            "arrived_at", sa.DateTime(timezone=True), comment="when Orthanc had it again, seen by its identifier"
        ),
        sa.Column("via", sa.Text, comment="the destination that it was retrieved from"),
    )
    op.create_index("ix_bring_back_object_ledger", "bring_back_object", ["ledger_id"])
    op.execute(BACK)
    op.execute("UPDATE long_work SET counts = counts - 'was' WHERE kind = 'retention.bring_back'")
