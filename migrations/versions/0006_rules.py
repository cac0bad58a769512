"""Rules, what they wait for and did, labels, notifications; where a series came from, and what still arrives."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_arrival()
    create_label_change()
    create_notification()
    create_rule()
    create_rule_event()
    create_rule_outcome()
    create_study_label()
    create_rule_application()
    create_rule_version()
    extend_series()


def create_arrival() -> None:
    op.create_table(
        "arrival",
        sa.Column("orthanc_series_id", KEY, nullable=False, comment="empty: the study as a whole"),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("last_arrived_at", MOMENT, nullable=False, comment="when a new object of it was indexed"),
        sa.PrimaryKeyConstraint("orthanc_series_id", "orthanc_study_id", name="pk_arrival"),
        comment="studies and series that may still be arriving; the row goes when they are decided to be stable",
    )
    op.create_index("ix_arrival_last", "arrival", ["last_arrived_at"])


def create_label_change() -> None:
    op.create_table(
        "label_change",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("is_set", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("next_attempt_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("orthanc_study_id", "label", name="pk_label_change"),
        comment="what Orthanc's own labels do not say yet, where its version has them",
    )


def create_notification() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("rule_id", sa.Integer),
        sa.Column("orthanc_study_id", KEY),
        sa.Column("study_instance_uid", KEY),
        sa.Column("channel", sa.Text, nullable=False, comment="dashboard, email or webhook"),
        sa.Column("target", sa.Text, server_default="", nullable=False, comment="an address, or the webhook's name"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("state", sa.Text, server_default="waiting", nullable=False, comment="waiting, sent or given up"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("next_attempt_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("sent_at", MOMENT, comment="on the dashboard: when a user had seen it"),
        sa.Column("seen_by", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
    )
    op.create_index("ix_notification_newest", "notification", [sa.text("id DESC")])
    op.create_index(
        "ix_notification_waiting", "notification", ["next_attempt_at"], postgresql_where=sa.text("state = 'waiting'")
    )


def create_rule() -> None:
    op.create_table(
        "rule",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest of rule_version: the one that acts"),
        sa.Column(
            "trigger", sa.Text, nullable=False, comment="study stable, series stable, dose read, schedule or by hand"
        ),
        sa.Column("is_on", sa.Boolean, server_default=sa.text("false"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="rules act in this order"),
        sa.Column("scheduled_at", MOMENT, comment="when a rule of trigger schedule acts next"),
        sa.Column("removed_at", MOMENT, comment="a rule that was removed stays, for what it did refers to it"),
        sa.PrimaryKeyConstraint("id", name="pk_rule"),
    )
    op.create_index("uq_rule_name", "rule", ["name"], unique=True, postgresql_where=sa.text("removed_at IS NULL"))


def create_rule_event() -> None:
    op.create_table(
        "rule_event",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, server_default="", nullable=False, comment="of series stable; else empty"),
        sa.Column(
            "rule_id", sa.Integer, server_default="0", nullable=False, comment="only this rule; 0: every one that is on"
        ),
        sa.Column("asked_by", sa.Text, comment="the user who applied the rule"),
        sa.Column(
            "state",
            sa.Text,
            server_default="waiting",
            nullable=False,
            comment="waiting or failed; done rows are deleted",
        ),
        sa.Column("noted_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("next_attempt_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("last_error", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_rule_event"),
        comment="what happened and rules have not looked at yet",
    )
    op.create_index(
        "ix_rule_event_waiting", "rule_event", ["next_attempt_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(
        "uq_rule_event", "rule_event", ["trigger", "orthanc_study_id", "orthanc_series_id", "rule_id"], unique=True
    )


def create_rule_outcome() -> None:
    op.create_table(
        "rule_outcome",
        sa.Column("id", sa.BigInteger, sa.Identity(), nullable=False),
        sa.Column("rule_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=False),
        sa.Column("asked_by", sa.Text),
        sa.Column(
            "actions", JSONB, nullable=False, comment="[{action, done}]: what each action did, in words and numbers"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_outcome"),
        comment="each time a rule matched a study, and what it did",
    )
    op.create_index("ix_rule_outcome_rule", "rule_outcome", ["rule_id", sa.text("id DESC")])
    op.create_index("ix_rule_outcome_study", "rule_outcome", ["study_instance_uid"])


def create_study_label() -> None:
    op.create_table(
        "study_label",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("set_by", sa.Text, comment="a user, or the rule's name"),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("orthanc_study_id", "label", name="pk_study_label"),
    )
    op.create_index("ix_study_label_label", "study_label", ["label"])


def create_rule_application() -> None:
    op.create_table(
        "rule_application",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("rule_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("started_by", sa.Text),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("walked_to", KEY, comment="the last study that was looked at"),
        sa.Column("total", sa.Integer, nullable=False, comment="studies that the rule matched when it was started"),
        sa.Column("applied", sa.Integer, server_default="0", nullable=False),
        sa.Column("failed", sa.Integer, server_default="0", nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("stopped_by", sa.Text),
        sa.Column("finished_at", MOMENT),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name="fk_rule_application_rule_id_rule"),
        sa.PrimaryKeyConstraint("id", name="pk_rule_application"),
        comment="a rule applied to the archive as it is",
    )
    op.create_index(
        "uq_rule_application_running",
        "rule_application",
        ["rule_id"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def create_rule_version() -> None:
    op.create_table(
        "rule_version",
        sa.Column("rule_id", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column(
            "document", JSONB, nullable=False, comment="the rule as its text form has it: name, why, when, if, do"
        ),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column(
            "change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, moved, removed"
        ),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name="fk_rule_version_rule_id_rule"),
        sa.PrimaryKeyConstraint("rule_id", "version", name="pk_rule_version"),
        comment="every change of every rule",
    )


def extend_series() -> None:
    op.add_column(
        "series",
        sa.Column("origin", sa.SmallInteger, comment="of its object that was indexed last, as the four that follow"),
    )
    op.add_column("series", sa.Column("remote_ae_title", sa.Text))
    op.add_column("series", sa.Column("called_ae_title", sa.Text))
    op.add_column("series", sa.Column("remote_ip", sa.Text))
    op.add_column("series", sa.Column("http_user", sa.Text))
    # ### end Alembic commands ###
    op.execute(
        "UPDATE series SET origin = last.origin, remote_ae_title = last.remote_ae_title,"
        " called_ae_title = last.called_ae_title, remote_ip = last.remote_ip, http_user = last.http_user"
        " FROM (SELECT DISTINCT ON (orthanc_series_id) * FROM instance"
        " ORDER BY orthanc_series_id, indexed_at DESC) AS last"
        " WHERE last.orthanc_series_id = series.orthanc_series_id"
    )
