"""The dose list: the modalities of a study, and indexes that its pages need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    add_modalities()
    create_indexes()


def add_modalities() -> None:
    op.add_column(
        "dose_study",
        sa.Column(
            "modalities",
            ARRAY(sa.Text),
            nullable=False,
            server_default="{}",
            comment="of its series, also when they are gone",
        ),
    )
    op.execute(
        "UPDATE dose_study SET modalities = study.modalities FROM study "
        "WHERE study.orthanc_study_id = dose_study.orthanc_study_id"
    )


def create_indexes() -> None:
    op.create_index("ix_dose_study_modalities", "dose_study", ["modalities"], postgresql_using="gin")
    op.create_index(
        "ix_dose_study_not_patient_rule",
        "dose_study",
        ["not_patient_rule_id"],
        postgresql_where=sa.text("not_patient_rule_id IS NOT NULL"),
    )
