"""What a site calls exams and protocols: said of the interned names, never of a million exams."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standard_name",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code_value", sa.Text, comment="of RadLex, LOINC or whatever the scheme says (PS3.3 table 8.8-1)"),
        sa.Column("coding_scheme_designator", sa.Text),
        sa.Column("code_meaning", sa.Text),
    )
    op.create_index("ix_standard_name", "standard_name", ["modality", "name"], unique=True)
    for table in ("exam_name", "protocol_name"):
        gone = sa.ForeignKey("standard_name.id", ondelete="SET NULL")
        op.add_column(table, sa.Column("standard_name_id", sa.Integer, gone, comment="null: no rule has one"))
        op.create_index(f"ix_{table}_standard_name_id", table, ["standard_name_id"])
