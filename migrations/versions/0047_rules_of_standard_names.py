"""Standard names are documents: their versions, their order, which import changed which."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in (
        sa.Column("version", sa.Integer, nullable=False, server_default="1", comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False, server_default="true", comment="whether its rules give it"),
        sa.Column(
            "position",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="of several that fit, the first is given",
        ),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
    ):
        op.add_column("standard_name", column)
    op.drop_index("ix_standard_name", "standard_name")
    op.create_index(
        "uq_standard_name",
        "standard_name",
        ["modality", "name"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    gone = sa.ForeignKey("standard_name.id", ondelete="CASCADE")
    op.create_table(
        "standard_name_version",
        sa.Column("standard_name_id", sa.Integer, gone, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", JSONB, nullable=False, comment="name, modality, code and rules, as the text form has it"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column(
            "change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, moved, removed"
        ),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every standard name",
    )
    op.create_table(
        "standard_name_import",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("form", sa.Text, nullable=False, comment="csv or yaml"),
        sa.Column("imported_by", sa.Text),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.Column("undone_by", sa.Text),
        sa.Column("undone_at", MOMENT),
    )
    of_import = sa.ForeignKey("standard_name_import.id", ondelete="CASCADE")
    op.create_table(
        "standard_name_imported",
        sa.Column("import_id", sa.Integer, of_import, primary_key=True),
        sa.Column(
            "standard_name_id", sa.Integer, sa.ForeignKey("standard_name.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("version_before", sa.Integer, comment="null: the import made it"),
        sa.Column("version_after", sa.Integer, nullable=False),
    )
