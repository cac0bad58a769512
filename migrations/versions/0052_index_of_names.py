"""The values of a name in the order of the identifiers of exams, so that some are read by chance, without the rest."""

from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

INCLUDED = [
    "value", "is_doubted", "phantom", "study_hour", "scope_id", "device_key", "study_date", "patient_age_years",
    "patient_weight_kg", "patient_size_m",
]  # fmt: skip


def upgrade() -> None:
    op.drop_index("ix_exam_dose_name", "exam_dose")
    columns = ["exam_name_id", "quantity", "orthanc_study_id"]
    op.create_index("ix_exam_dose_name", "exam_dose", columns, postgresql_include=INCLUDED)
