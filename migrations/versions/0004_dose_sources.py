"""The dose registry: image headers as sources, what decided, sums of events, not-patient rules, re-reading."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    extend_sources()
    extend_dose_study()
    create_not_patient_rule()
    create_dose_reread()


def extend_sources() -> None:
    add("dose_report", sa.Column("source", sa.Text, comment="report, capture or header: see rules.py"))
    for table, others in (("irradiation_event", "events"), ("administration", "administrations")):
        see = ": see identity.py" if table == "irradiation_event" else ""
        add(table, sa.Column("exposure_key", KEY, comment=f"what tells it from other {others} of its study{see}"))


def extend_dose_study() -> None:
    decisions = "[{orthanc_instance_id, counted, rule, because_of}], one per source"
    phantoms = "CTDIw phantoms of its events with dose, sorted: DLP adds within one"
    add(
        "dose_study",
        sa.Column("decisions", JSONB, comment=decisions),
        sa.Column("source", sa.Text, comment="the best kind of source that counts: report, capture or header"),
        sa.Column("dose_area_product_of_events_gy_m2", sa.Double),
        sa.Column("dose_rp_of_events_gy", sa.Double),
        sa.Column("mean_ctdi_vol_max_mgy", sa.Double, comment="the greatest of its events"),
        sa.Column("dlp_phantoms", ARRAY(sa.Text), comment=phantoms),
        sa.Column("glandular_dose_left_mgy", sa.Double, comment="accumulated average glandular dose, as reported"),
        sa.Column("glandular_dose_right_mgy", sa.Double),
        sa.Column("administration_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("administered_activity_mbq", sa.Double, comment="the sum, where all of it is one radionuclide"),
        sa.Column("radionuclides", ARRAY(sa.Text), comment="meanings, sorted"),
        sa.Column("effective_dose_msv", sa.Double, comment="of its administrations, where each says one"),
        sa.Column(
            "differences", ARRAY(sa.Text), comment="totals that differ from the sum of the events, by their names"
        ),
        sa.Column("not_patient", sa.Text, comment="phantom, qa or service, where a rule says that this is no patient"),
        sa.Column("not_patient_rule_id", sa.Integer, comment="the rule that says so; no foreign key: rules may go"),
    )


def create_not_patient_rule() -> None:
    patterns = "a pattern: * is any text, ? any character, in capitals or not; all that are given match"
    equipment = "matched with manufacturer, model, station and serial number, one by one"
    op.create_table(
        "not_patient_rule",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("meaning", sa.Text, nullable=False, comment="phantom, qa or service"),
        sa.Column("patient_id", sa.Text, comment=patterns),
        sa.Column("patient_name", sa.Text),
        sa.Column("study_description", sa.Text),
        sa.Column("equipment", sa.Text, comment=equipment),
        sa.Column("note", sa.Text),
        sa.Column("created_by", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_by", sa.Text),
        sa.Column("removed_at", MOMENT, comment="a rule that was removed stays, and applies no more"),
        sa.PrimaryKeyConstraint("id", name="pk_not_patient_rule"),
    )


def create_dose_reread() -> None:
    op.create_table(
        "dose_reread",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("reader_version", sa.Integer, nullable=False),
        sa.Column("started_by", sa.Text),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("walked_to", KEY, comment="the last instance of the index that was looked at"),
        sa.Column("walked", sa.Integer, nullable=False, server_default="0", comment="instances looked at"),
        sa.Column(
            "noted", sa.Integer, nullable=False, server_default="0", comment="sources that wait to be read again"
        ),
        sa.Column("walked_at", MOMENT, comment="when the whole index was looked at; reading goes on after that"),
        sa.Column("finished_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_dose_reread"),
    )
    running = sa.text("(finished_at IS NULL)")
    op.create_index("uq_dose_reread_running", "dose_reread", [running], unique=True, postgresql_where=running)


def add(table: str, *columns: sa.Column) -> None:
    for column in columns:
        op.add_column(table, column)
