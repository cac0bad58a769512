"""Deciding the dose of every study anew, as a work with progress, and what it changed; what lists search by name."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


CUT_PROTOCOLS = """
UPDATE dose_study SET protocols = ARRAY(SELECT DISTINCT left(one, 500) FROM unnest(protocols) AS one)
WHERE EXISTS (SELECT FROM unnest(protocols) AS one WHERE length(one) > 500)
"""  # an index takes 2,700 bytes of each; the events keep the whole names


def upgrade() -> None:
    create_protocols()
    create_redeciding()


def create_protocols() -> None:
    """A part of a name is looked for among the few names there are, then the studies by an index."""
    op.create_table(
        "dose_protocol",
        sa.Column("name", sa.Text, nullable=False, comment="every acquisition protocol that a study had, each once"),
        sa.PrimaryKeyConstraint("name", name="pk_dose_protocol"),
    )
    op.execute(CUT_PROTOCOLS)
    op.execute("INSERT INTO dose_protocol SELECT DISTINCT unnest(protocols) FROM dose_study")
    op.create_index("ix_dose_study_protocols", "dose_study", ["protocols"], postgresql_using="gin")
    op.create_index("ix_dose_study_events", "dose_study", ["irradiation_event_count"])


def create_redeciding() -> None:
    op.create_table(
        "dose_redeciding",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("decider_version", sa.Integer, nullable=False),
        sa.Column("started_by", sa.Text, comment="null: after an upgrade, by itself"),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("study_count", sa.Integer, nullable=False, comment="how many there were when it began"),
        sa.Column("walked_to", KEY, comment="the last study that was decided"),
        sa.Column("decided", sa.Integer, nullable=False, server_default="0", comment="studies"),
        sa.Column("changed", sa.Integer, nullable=False, server_default="0", comment="studies with another dose"),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_dose_redeciding"),
    )
    op.create_index(
        "uq_dose_redeciding_running",
        "dose_redeciding",
        [sa.text("(finished_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "dose_redecided",
        sa.Column("redeciding_id", sa.Integer, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("quantity", sa.Text, nullable=False, comment="of the best known dose; study where it counts no more"),
        sa.Column("before", sa.Double),
        sa.Column("after", sa.Double),
        sa.Column("why", sa.Text, nullable=False, comment="the rules, the origin and the doubts"),
        sa.PrimaryKeyConstraint("redeciding_id", "orthanc_study_id", "quantity", name="pk_dose_redecided"),
        sa.ForeignKeyConstraint(
            ["redeciding_id"],
            ["dose_redeciding.id"],
            name="fk_dose_redecided_redeciding_id_dose_redeciding",
            ondelete="CASCADE",
        ),
    )
