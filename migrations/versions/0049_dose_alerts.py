"""Levels of dose alerts, the alerts that they made, what was done about each, append only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(collation="C")
DOUBLE = sa.Double
REFUSE = """
CREATE FUNCTION dose_alert_history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'What was done about an alert is kept.'; END $$
"""
GUARD = """
CREATE TRIGGER dose_alert_history_is_append_only BEFORE UPDATE OR DELETE ON dose_alert_history
FOR EACH ROW EXECUTE FUNCTION dose_alert_history_is_append_only()
"""


def upgrade() -> None:
    keep_levels()
    keep_alerts()
    keep_history()
    op.create_table(
        "dose_alert_due",
        sa.Column("orthanc_study_id", KEY, primary_key=True),
        sa.Column("since", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_attempt_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("last_error", JSONB, comment="why the last attempt failed"),
        comment="exams that changed and that alerts have not looked at yet",
    )
    op.create_index("ix_dose_alert_due_next", "dose_alert_due", ["next_attempt_at"])


def keep_levels() -> None:
    op.create_table(
        "dose_alert_level",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
        sa.Column("kind", sa.Text, nullable=False, comment="exam, cumulative, repeat, missing or outlier"),
        sa.Column("exams_from", sa.Date, nullable=False, comment="exams of this day or later make alerts"),
        sa.Column("swept_at", MOMENT, comment="of missing dose: until when studies were looked at; null: never"),
    )
    op.create_index(
        "uq_dose_alert_level_name", "dose_alert_level", ["name"], unique=True, postgresql_where="removed_at IS NULL"
    )
    op.create_table(
        "dose_alert_level_version",
        sa.Column("dose_alert_level_id", sa.Integer, sa.ForeignKey("dose_alert_level.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )


def keep_alerts() -> None:
    op.create_table(
        "dose_alert",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("level_id", sa.Integer, sa.ForeignKey("dose_alert_level.id"), nullable=False),
        sa.Column("level_version", sa.Integer, nullable=False, comment="what the level said when it fired"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False, comment="of quantities.py or derived_dose; exams; lacks"),
        sa.Column(
            "orthanc_study_id", KEY, nullable=False, comment="the exam that made it; no foreign key: it outlives it"
        ),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("scope_id", sa.Integer, nullable=False, comment="of that exam"),
        sa.Column(
            "exam_date", sa.Date, comment="of that exam: where the window ends in which a patient was first above"
        ),
        sa.Column("exam_time", sa.Time),
        sa.Column("alert_patient_id", sa.Text, comment="of sums and repeats: whose exams they are"),
        sa.Column("alert_issuer_of_patient_id", sa.Text),
        sa.Column(
            "grouped_by",
            sa.Text,
            nullable=False,
            server_default="",
            comment="of repeats: the name that the exams share",
        ),
        sa.Column("modality", sa.Text),
        sa.Column("value", DOUBLE, comment="in the unit shown; of repeats exams, of missing dose hours"),
        sa.Column("limit_value", DOUBLE, comment="above which it fired; of outliers as it was then"),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("exam_count", sa.Integer, nullable=False, comment="how many exams make the value"),
        sa.Column(
            "details", JSONB, nullable=False, comment="what else the level said: window, percentile, n, what lacks"
        ),
        sa.Column("is_doubted", sa.Boolean, nullable=False, comment="some value in it has a doubt"),
        sa.Column("state", sa.Text, nullable=False, server_default="open", comment="open or acknowledged"),
        sa.Column("holds", sa.Boolean, nullable=False, server_default=sa.true(), comment="false: no longer so"),
        sa.Column("assignee", sa.Text),
        sa.Column("fired_at", MOMENT, nullable=False),
        sa.Column(
            "changed_at", MOMENT, nullable=False, comment="when its state, its assignee or its value changed last"
        ),
    )
    op.create_index(
        "uq_dose_alert", "dose_alert", ["level_id", "quantity", "orthanc_study_id", "grouped_by"], unique=True
    )
    op.create_index("ix_dose_alert_study", "dose_alert", ["orthanc_study_id"])
    op.create_index(
        "ix_dose_alert_patient", "dose_alert", ["alert_patient_id"], postgresql_where="alert_patient_id IS NOT NULL"
    )
    op.create_index(
        "ix_dose_alert_open", "dose_alert", [sa.text("id DESC")], postgresql_where="state = 'open' AND holds"
    )
    op.create_table(
        "dose_alert_exam",
        sa.Column("alert_id", sa.BigInteger, sa.ForeignKey("dose_alert.id"), primary_key=True),
        sa.Column("orthanc_study_id", KEY, primary_key=True),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("study_date", sa.Date),
        sa.Column("study_time", sa.Time),
        sa.Column("value", DOUBLE, comment="in the unit shown"),
        sa.Column("is_doubted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_dose_alert_exam_study", "dose_alert_exam", ["orthanc_study_id"])


def keep_history() -> None:
    op.create_table(
        "dose_alert_history",
        sa.Column(
            "id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="later ones have greater ones"
        ),
        sa.Column("alert_id", sa.BigInteger, sa.ForeignKey("dose_alert.id"), nullable=False),
        sa.Column(
            "act", sa.Text, nullable=False, comment="fired, ended, again, moved; acknowledge, assign, comment, reopen"
        ),
        sa.Column("by", sa.Text, comment="null: without a login, or by itself"),
        sa.Column("is_by_itself", sa.Boolean, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("assignee", sa.Text),
        sa.Column(
            "content",
            JSONB,
            nullable=False,
            server_default="{}",
            comment="value, limit and exam, as they were then",
        ),
    )
    op.create_index("ix_dose_alert_history_alert", "dose_alert_history", ["alert_id", "id"])
    op.execute(REFUSE)
    op.execute(GUARD)
