"""What people and objects say of a study that is no patient's, rules by institution, and which doses a study lacks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
HAS_AGD = (
    "best_glandular_dose_left_mgy IS NOT NULL OR best_glandular_dose_right_mgy IS NOT NULL"
    " OR coalesce(unattributed && ARRAY['glandular_dose_left_mgy', 'glandular_dose_right_mgy'], false)"
)
HAS_DAP = "best_dose_area_product_gy_m2 IS NOT NULL OR best_dose_rp_gy IS NOT NULL"
LACKS = (
    "array_remove(ARRAY["
    "CASE WHEN modalities && ARRAY['CT'] AND NOT"
    " (best_dlp_mgy_cm IS NOT NULL OR best_dlp_head_mgy_cm IS NOT NULL OR best_dlp_body_mgy_cm IS NOT NULL)"
    " THEN CASE WHEN best_ctdi_vol_max_mgy IS NULL THEN 'ct_dose' ELSE 'dlp' END ELSE NULL END, "
    "CASE WHEN modalities && ARRAY['CR', 'DX', 'IO', 'PX', 'RF', 'RG', 'XA'] AND NOT"
    f" (CASE WHEN modalities && ARRAY['MG'] THEN ({HAS_DAP}) AND 'projection' = ANY(kinds)"
    f" ELSE {HAS_DAP} OR {HAS_AGD} END)"
    " THEN 'dose_area_product' ELSE NULL END, "
    f"CASE WHEN modalities && ARRAY['MG'] AND NOT ({HAS_AGD}) THEN 'glandular_dose' ELSE NULL END, "
    "CASE WHEN modalities && ARRAY['NM', 'PT'] AND NOT (best_administered_activity_mbq IS NOT NULL"
    " OR coalesce(activities, '[]'::jsonb) <> ALL (ARRAY['[]'::jsonb, 'null'::jsonb]))"
    " THEN 'administered_activity' ELSE NULL END"
    "], NULL)"
)
SAID_SO_FAR = "phantom, qa or service, where a rule says that this is no patient"


def upgrade() -> None:
    op.add_column("not_patient_rule", sa.Column("institution_name", sa.Text))
    add_to_studies()


def add_to_studies() -> None:
    said = "phantom, qa or service, where this is no patient"
    op.alter_column("dose_study", "not_patient", comment=said, existing_comment=SAID_SO_FAR, existing_type=sa.Text)
    for name, comment in (
        ("not_patient_by", "person, rule, intent, subject or image: who says what it is"),
        ("own_word", "intent, subject or image, by which its objects say that it is no patient's"),
        ("institution_name", None),
    ):
        op.add_column("dose_study", sa.Column(name, sa.Text, comment=comment))
    op.execute("UPDATE dose_study SET not_patient_by = 'rule' WHERE not_patient IS NOT NULL")
    computed = sa.Computed(LACKS, persisted=True)
    op.add_column(
        "dose_study", sa.Column("lacks", ARRAY(sa.Text), computed, comment="doses that its modalities demand")
    )
    included = ["lacks", "replaced_by", "not_patient"]
    op.create_index("ix_dose_study_missing", "dose_study", ["orthanc_study_id"], postgresql_include=included)
