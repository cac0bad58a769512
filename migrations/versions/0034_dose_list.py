"""What the dose list is asked for: procedure, institution, age, doubts, and the doses of events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

COLUMNS = (
    ("event_report_ids", ARRAY(sa.Text), "the sources that have its events; null before it was decided"),
    ("repeated_events", ARRAY(sa.Text), "instance:position of events of these that another one has"),
    ("patient_age_years", sa.Double, "of patient_age, else of the days of birth and of the study"),
    ("patient_size_m", sa.Double, None),
    ("patient_weight_kg", sa.Double, None),
    ("requested_procedure_description", sa.Text, None),
    ("procedure_codes", ARRAY(sa.Text), "code^meaning^scheme, as in HL7"),
    ("procedure_named", sa.Text, "both, by which studies are found"),
)
OF_EVENT = ("mean_ctdi_vol_mgy", "dlp_mgy_cm", "dose_area_product_gy_m2", "dose_rp_gy", "average_glandular_dose_mgy")
ASKED_ANEW = ("dlp_head_mgy_cm", "dlp_body_mgy_cm", "total_fluoro_time_s")
NEWEST = [
    sa.text("study_date DESC NULLS LAST"), sa.text("study_time DESC NULLS LAST"), sa.text("orthanc_study_id DESC"),
]  # fmt: skip
# The age that was said; the rest is filled in when each study is decided anew.
AGES = """
UPDATE dose_study SET patient_age_years = round((left(patient_age, 3)::integer
    / CASE right(patient_age, 1) WHEN 'Y' THEN 1 WHEN 'M' THEN 12 WHEN 'W' THEN 365.25 / 7 ELSE 365.25 END)::numeric, 3)
WHERE patient_age ~ '^[0-9]{3}[YMWD]$'
"""


def upgrade() -> None:
    for name, kind, comment in COLUMNS:
        op.add_column("dose_study", sa.Column(name, kind, comment=comment))
    op.execute(AGES)
    for name in OF_EVENT:
        for end in ("min", "max"):
            op.add_column("dose_study", sa.Column(f"event_{name}_{end}", sa.Double, comment="of one of its events"))
    indexed = (*(f"best_{one}" for one in ASKED_ANEW), *(f"event_{one}_max" for one in OF_EVENT), "patient_age_years")
    for name in indexed:
        index = "ix_dose_study_age" if name == "patient_age_years" else f"ix_dose_study_{name}"
        op.create_index(index, "dose_study", [name], postgresql_where=sa.text(f"{name} IS NOT NULL"))
    for name in ("study_description", "procedure_named", "institution_name"):
        op.create_index(f"ix_dose_study_{name}", "dose_study", [sa.text(f"left({name}, 500)")])
    for name, where in (
        ("doubted", "cardinality(doubts) > 0"),
        ("issues", "issue_count > 0"),
        ("not_of_report", "source <> 'report'"),
        ("other_sex", "patient_sex <> 'F' AND patient_sex <> 'M'"),
    ):
        op.create_index(f"ix_dose_study_{name}", "dose_study", NEWEST, postgresql_where=sa.text(where))
    doubted = sa.text("cardinality(doubts) > 0")
    op.create_index("ix_dose_study_doubts", "dose_study", ["doubts"], postgresql_using="gin", postgresql_where=doubted)
