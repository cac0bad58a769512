"""Long work in one table: re-readings and decidings anew move into it, with their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.phrase_column import PhraseColumn

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

REDECIDINGS = """
INSERT INTO long_work (kind, asked_by, is_asked, asked_at, state, total, done, counts, place, working_s,
    next_attempt_at, finished_at)
SELECT 'dose.redeciding', nullif(started_by, 'someone without a login'), started_by IS NOT NULL, started_at,
    CASE WHEN finished_at IS NULL THEN 'running' ELSE 'done' END, study_count, decided,
    jsonb_build_object('changed', changed, 'was', id), to_jsonb(walked_to), coalesce(deciding_s, 0), started_at,
    finished_at
FROM dose_redeciding ORDER BY id
"""
REDECIDED = """
UPDATE dose_redecided SET redeciding_id = -long_work.id FROM long_work
WHERE long_work.kind = 'dose.redeciding' AND (long_work.counts ->> 'was')::integer = dose_redecided.redeciding_id
"""
REREADS = """
INSERT INTO long_work (kind, asked_by, is_asked, asked_at, state, total, done, counts, place, next_attempt_at,
    finished_at)
SELECT 'dose.reread', started_by, true, started_at, CASE WHEN finished_at IS NULL THEN 'running' ELSE 'done' END,
    CASE WHEN walked_at IS NULL THEN greatest(walked, (SELECT coalesce(sum(instance_count), 0) FROM study))
    ELSE walked END, walked, jsonb_build_object('noted', noted), jsonb_build_array(walked_to, walked_at), started_at,
    finished_at
FROM dose_reread ORDER BY id
"""


def upgrade() -> None:
    op.create_table(
        "long_work",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False, comment="its name in code: dose.redeciding"),
        sa.Column(
            "subject", sa.Text, nullable=False, server_default="", comment="what it is about, where a kind has several"
        ),
        sa.Column("given", postgresql.JSONB, nullable=False, server_default="{}", comment="what it was asked for with"),
        sa.Column("detail", PhraseColumn(), comment="what exactly, where the kind does not say it"),
        sa.Column("asked_by", sa.Text, comment="NULL: without a login, or by itself"),
        sa.Column(
            "is_asked", sa.Boolean, nullable=False, comment="by a person or a program; otherwise it began by itself"
        ),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column(
            "state",
            sa.Text,
            nullable=False,
            server_default="running",
            comment="running, done, partly, failed, stopped",
        ),
        sa.Column("total", sa.BigInteger, comment="NULL: nobody knows"),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column(
            "counts",
            postgresql.JSONB,
            nullable=False,
            server_default="{}",
            comment="what else the kind counts, by name",
        ),
        sa.Column("place", postgresql.JSONB, comment="where the next block begins, as the kind notes it"),
        sa.Column("working_s", FiniteDouble(), nullable=False, server_default="0", comment="without what it waited"),
        sa.Column(
            "attempts",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="failures of the next block in a row",
        ),
        sa.Column(
            "next_attempt_at", MOMENT, nullable=False, server_default=sa.func.now(), comment="or the end of a lease"
        ),
        sa.Column("waits_for", PhraseColumn(), comment="what the next block waits for"),
        sa.Column("last_error", PhraseColumn()),
        sa.Column("stopped_by", sa.Text, comment="NULL: without a login, or not stopped"),
        sa.Column("finished_at", MOMENT),
        sa.Column("result_name", sa.Text, comment="of the file that it made"),
        sa.Column("result_until", MOMENT, comment="the file is deleted then"),
    )
    op.create_table(
        "long_work_file",
        sa.Column("work_id", sa.Integer, sa.ForeignKey("long_work.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, comment="from 0 on"),
        sa.Column("content", sa.LargeBinary, nullable=False),
        comment="what a work made, in parts; any server that shares the database can answer it",
    )
    runs = sa.text("state = 'running'")
    op.create_index("uq_long_work_running", "long_work", ["kind", "subject"], unique=True, postgresql_where=runs)
    op.create_index("ix_long_work_running", "long_work", ["next_attempt_at"], postgresql_where=runs)
    op.create_index("ix_long_work_kind", "long_work", ["kind", "subject", "id"])
    op.create_index(
        "ix_long_work_result", "long_work", ["result_until"], postgresql_where=sa.text("result_until IS NOT NULL")
    )
    op.execute(REDECIDINGS)
    op.drop_constraint("fk_dose_redecided_redeciding_id_dose_redeciding", "dose_redecided", type_="foreignkey")
    op.execute(REDECIDED)  # to negative numbers first: none meets one that is still to be changed
    op.execute("UPDATE dose_redecided SET redeciding_id = -redeciding_id")
    op.execute("UPDATE long_work SET counts = counts - 'was'")
    op.alter_column("dose_redecided", "redeciding_id", new_column_name="work_id")
    op.create_foreign_key(None, "dose_redecided", "long_work", ["work_id"], ["id"], ondelete="CASCADE")
    op.execute(REREADS)
    op.drop_table("dose_redeciding")
    op.drop_table("dose_reread")
