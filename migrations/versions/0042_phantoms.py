"""The phantom of the doses that are by one, in the narrow rows: 16 and 32 cm are in no statistics together."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

INCLUDED = {
    "ix_exam_dose_name": (
        ("exam_name_id", "quantity"),
        (
            "value", "is_doubted", "phantom", "study_hour", "orthanc_study_id", "scope_id", "device_key", "study_date",
            "patient_age_years", "patient_weight_kg", "patient_size_m",
        ),
    ),
    "ix_exam_dose_quantity": (
        ("quantity", "modality", "study_date"),
        ("value", "is_doubted", "phantom", "exam_name_id", "scope_id", "device_key", "study_hour"),
    ),
}  # fmt: skip
FILL = """
UPDATE exam_dose SET phantom = CASE WHEN best_dlp_head_mgy_cm IS NULL
    THEN CASE WHEN best_dlp_body_mgy_cm IS NULL THEN 'unknown' ELSE 'body' END
    ELSE CASE WHEN best_dlp_body_mgy_cm IS NULL THEN 'head' ELSE 'both' END END
FROM dose_study s
WHERE s.orthanc_study_id = exam_dose.orthanc_study_id AND quantity IN ('dlp_mgy_cm', 'ctdi_vol_max_mgy')
"""


def upgrade() -> None:
    comment = "of a value that is by phantom: head, body, both or unknown; see wanted.py"
    op.add_column("exam_dose", sa.Column("phantom", sa.String(collation="C"), comment=comment))
    for name in INCLUDED:
        op.drop_index(name, "exam_dose")
    op.execute(FILL)
    for name, (columns, included) in INCLUDED.items():
        op.create_index(name, "exam_dose", list(columns), postgresql_include=list(included))
