"""What speaks for a doubt, the limits that a site sets, and what people decide about studies, append only."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(collation="C")
OF_DEVICE = (
    "kinds", "study_date", "issue_count", "not_patient", "replaced_by", "doubted", "best_dlp_mgy_cm",
    "best_dose_area_product_gy_m2", "best_glandular_dose_left_mgy", "best_glandular_dose_right_mgy",
)  # fmt: skip
# Until a study is decided anew, which begins by itself, its doubts say which quantities are doubted.
DOUBTED = """
UPDATE dose_study SET doubted = ARRAY(
    SELECT DISTINCT split_part(one, ':', 1) FROM unnest(doubts) AS one ORDER BY 1
) WHERE doubts <> '{}'
"""
REFUSE = """
CREATE FUNCTION act_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'Decisions are kept: one is taken back by another one.'; END $$
"""
GUARD = """
CREATE TRIGGER act_is_append_only BEFORE UPDATE OR DELETE ON act
FOR EACH ROW EXECUTE FUNCTION act_is_append_only()
"""


def upgrade() -> None:
    keep_acts()
    keep_limits()
    op.add_column(
        "dose_study",
        sa.Column(
            "doubted",
            ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="the quantities of the doubts, sorted",
        ),
    )
    evidence = "[{quantity, name, said: [{what, value, ...}]}], one per doubt"
    op.add_column("dose_study", sa.Column("doubt_evidence", JSONB, comment=evidence))
    void = sa.Column(
        "is_void", sa.Boolean, nullable=False, server_default=sa.false(), comment="a person left all of it out"
    )
    op.add_column("dose_study", void)
    decided = "of what decided this row, and of the site's limits: see limits.py"
    op.alter_column("dose_study", "decider_version", comment=decided)
    op.execute(DOUBTED)
    op.drop_index("ix_dose_study_device", "dose_study")
    op.create_index("ix_dose_study_device", "dose_study", ["device_key"], postgresql_include=list(OF_DEVICE))


def keep_acts() -> None:
    op.create_table(
        "act",
        sa.Column(
            "id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="later ones have greater ones"
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="its name in code: dose.void"),
        sa.Column("by", sa.Text, comment="NULL: without a login"),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False, comment="of which study; no foreign key: it outlives it"),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("content", JSONB, nullable=False, server_default="{}", comment="what exactly, as the kind has it"),
        sa.Column("undoes", sa.BigInteger, sa.ForeignKey("act.id"), comment="the act that this one takes back"),
    )
    op.create_index("ix_act_study", "act", ["orthanc_study_id", "id"])
    op.create_index("uq_act_undoes", "act", ["undoes"], unique=True, postgresql_where="undoes IS NOT NULL")
    op.execute(REFUSE)
    op.execute(GUARD)
    op.create_table(
        "dose_act",
        sa.Column("act_id", sa.BigInteger, sa.ForeignKey("act.id"), primary_key=True),
        sa.Column("key", KEY, primary_key=True, comment="event and its UID, or object and its SOP Instance UID"),
        sa.Column("fate", sa.Text, nullable=False, comment="void, move, count or patient"),
        sa.Column("target", KEY, comment="of move: the study, by Orthanc's identifier"),
    )
    op.create_index("ix_dose_act_key", "dose_act", ["key"])
    op.create_index("ix_dose_act_target", "dose_act", ["target"], postgresql_where="target IS NOT NULL")


def keep_limits() -> None:
    op.create_table(
        "dose_limit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
        sa.Column(
            "quantity", sa.Text, nullable=False, comment="the name of the limit that it stands for: see plausibility.py"
        ),
        sa.Column("least", sa.Double, comment="in the stored unit; null: as built in"),
        sa.Column("greatest", sa.Double, comment="in the stored unit; null: as built in"),
    )
    op.create_index("uq_dose_limit_name", "dose_limit", ["name"], unique=True, postgresql_where="removed_at IS NULL")
    op.create_table(
        "dose_limit_version",
        sa.Column("dose_limit_id", sa.Integer, sa.ForeignKey("dose_limit.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
