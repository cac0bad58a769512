"""Sizes and weights of patients out of files, with where each is from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "size_import",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True, comment="later ones have greater ones"),
        sa.Column("file_name", sa.Text),
        sa.Column("size_unit", sa.Text, comment="m or cm, where a person said it and not the heading"),
        sa.Column(
            "ignored", ARRAY(sa.Text), nullable=False, server_default="{}", comment="headings that mean nothing here"
        ),
        sa.Column("text", sa.Text, comment="the file, until its lines are read"),
        sa.Column("state", sa.Text, nullable=False, comment="reading, checked, applied, undone or failed"),
        sa.Column("problem", JSONB, comment="why the file could not be read"),
        sa.Column("line_count", sa.Integer),
        sa.Column("sent_by", sa.Text, comment="null: without a login"),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("applied_by", sa.Text),
        sa.Column("applied_at", MOMENT),
        sa.Column("reason", sa.Text, comment="why it was applied"),
        sa.Column("undone_by", sa.Text),
        sa.Column("undone_at", MOMENT),
        sa.Column("undone_reason", sa.Text),
    )
    make_lines()
    for name, kind, comment in (
        ("size_import_id", sa.Integer, "the file that tells the size; null: its objects do"),
        ("weight_import_id", sa.Integer, "the file that tells the weight; null: its objects do"),
        ("told_size_m", sa.Double, "what its objects say, where a file tells the size"),
        ("told_weight_kg", sa.Double, "what its objects say, where a file tells the weight"),
    ):
        op.add_column("dose_study", sa.Column(name, kind, comment=comment))
    has_one = sa.text("accession_number IS NOT NULL")
    op.create_index("ix_dose_study_accession", "dose_study", ["accession_number"], postgresql_where=has_one)


def make_lines() -> None:
    gone = sa.ForeignKey("size_import.id", ondelete="CASCADE")
    op.create_table(
        "size_line",
        sa.Column("size_import_id", sa.Integer, gone, primary_key=True),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False, comment="of the file, from 1"),
        sa.Column("text", sa.Text, nullable=False, comment="its beginning"),
        sa.Column("study_instance_uid", KEY),
        sa.Column("accession_number", KEY),
        sa.Column("patient_id", KEY),
        sa.Column("patient_size_m", sa.Double),
        sa.Column("patient_weight_kg", sa.Double),
        sa.Column("problem", JSONB, comment="why it is not taken"),
        sa.Column("outcome", sa.Text, nullable=False, comment="found, no dose, waits, ambiguous, refused"),
        sa.Column("orthanc_study_id", KEY, comment="the study that it is of, the first of several"),
        sa.Column("study_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("told_size_m", sa.Double, comment="what the objects of that study say"),
        sa.Column("told_weight_kg", sa.Double),
        sa.Column(
            "differs", sa.Boolean, nullable=False, server_default=sa.false(), comment="from what the objects say"
        ),
    )
    for name, column in (("uid", "study_instance_uid"), ("accession", "accession_number")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_size_line_{name}", "size_line", [column], postgresql_where=where)
    op.create_index("ix_size_line_outcome", "size_line", ["size_import_id", "outcome", "line"])
