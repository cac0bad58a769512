"""Who performed an exam, as its objects say: of the next reading and deciding on."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

NAMED = "the first who is named, as in DICOM (PN): see decision/physician.py"


def upgrade() -> None:
    of_header = "(0008,1050) as in DICOM (PN), several with backslashes between"
    op.add_column("dose_report", sa.Column("performing_physician_name", sa.Text, comment=of_header))
    op.add_column("dose_study", sa.Column("performing_physician", sa.Text, comment=NAMED))
    op.create_index(
        "ix_dose_study_physician",
        "dose_study",
        ["orthanc_study_id"],
        postgresql_include=["performing_physician"],
        postgresql_where=sa.text("performing_physician IS NOT NULL"),
    )
