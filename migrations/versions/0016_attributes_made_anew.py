"""Know which file each row of the index was made from, so that what was removed from the files leaves the index.

Rows that are there already are mended in the background: every series counts as stale, and one comparison with Orthanc
looks for objects that were stored again. Nothing is rewritten here, however large the archive is.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
IS_STALE = "whether header and attributes are not known to be of an object that is here: to be read anew"
COMMENTS = (
    ("patient", "patient_id", sa.Text(), "(0010,0020); absent is NULL; each as the newest study that has it says"),
    ("study", "patient_id", sa.Text(), "each attribute as the first series that has it says"),
    ("series", "origin", sa.SmallInteger(), "of its object that was received last, as the four that follow"),
    (
        "series",
        "header_orthanc_instance_id",
        KEY,
        "the object that header and attributes are of: that with the smallest identifier",
    ),
    ("instance", "received_at", sa.DateTime(timezone=True), "Orthanc's ReceptionDate, whole seconds"),
)


def upgrade() -> None:
    op.add_column(
        "series",
        sa.Column(
            "study_attributes",
            postgresql.JSONB(),
            comment="what the same object says of its study and its patient",
        ),
    )
    # The default at this moment is that of the rows that are there, without writing one of them.
    op.add_column("series", sa.Column("is_stale", sa.Boolean, nullable=False, server_default="true", comment=IS_STALE))
    op.alter_column("series", "is_stale", server_default="false", existing_comment=IS_STALE)
    op.create_index(
        "ix_series_stale",
        "series",
        ["orthanc_series_id"],
        postgresql_where=sa.text("is_stale AND instance_count > 0"),
    )
    of_header = "of the bytes that it was read from; NULL: not known"
    op.add_column("instance", sa.Column("header_checksum", sa.BigInteger, comment=of_header))
    of_object = "of the stored object; NULL: not known"
    op.add_column("dose_report", sa.Column("header_checksum", sa.BigInteger, comment=of_object))
    for table, column, kind, comment in COMMENTS:
        op.alter_column(table, column, existing_type=kind, comment=comment)
    op.execute("UPDATE archive_state SET value = value || '{\"finished_at\": null}' WHERE name = 'comparison'")
