"""The best known dose of each study, where it is from and what is doubted; the patient's issuer; where an object is
from; studies that are to be decided again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
QUANTITIES = [
    "dlp_mgy_cm", "dlp_head_mgy_cm", "dlp_body_mgy_cm", "dose_area_product_gy_m2", "dose_rp_gy",
    "glandular_dose_left_mgy", "glandular_dose_right_mgy", "administered_activity_mbq", "total_fluoro_time_s",
    "ctdi_vol_max_mgy",
]  # fmt: skip
FILTERED = [
    "dose_area_product_gy_m2", "dose_rp_gy", "glandular_dose_left_mgy", "glandular_dose_right_mgy",
    "administered_activity_mbq", "ctdi_vol_max_mgy",
]  # fmt: skip
OF_A_DEVICE = [
    "kinds", "study_date", "issue_count", "not_patient", "replaced_by", "best_dlp_mgy_cm",
    "best_dose_area_product_gy_m2", "best_glandular_dose_left_mgy", "best_glandular_dose_right_mgy",
]  # fmt: skip


def upgrade() -> None:
    add_to_reports()
    add_to_studies()
    take_over_what_was_reported()
    create_indexes()
    op.create_table(
        "dose_undecided",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("orthanc_study_id", name="pk_dose_undecided"),
    )


def add_to_reports() -> None:
    op.add_column("dose_report", sa.Column("issuer_of_patient_id", sa.Text))
    comment = "the instance that Orthanc made this one of (its metadata ModifiedFrom)"
    op.add_column("dose_report", sa.Column("modified_from", KEY, comment=comment))
    for table in ("irradiation_event", "administration"):  # what is one event is decided of what was read
        op.drop_column(table, "exposure_key")


def add_to_studies() -> None:
    op.add_column("dose_study", sa.Column("issuer_of_patient_id", sa.Text))
    for name in QUANTITIES:
        op.add_column("dose_study", sa.Column(f"best_{name}", sa.Double, comment="the best known dose: see deciding/"))
    for name, kind, comment in (
        ("origins", ARRAY(sa.Text), "of each best dose, sorted: quantity:reported, events, headers or partial"),
        ("doubts", ARRAY(sa.Text), "quantity:name, sorted; null before it was decided"),
        ("planes", JSONB, "[{acquisition_plane, dose_area_product_gy_m2, dose_rp_gy}]"),
        ("activities", JSONB, "[{radionuclide, administered_activity_mbq}]"),
        ("unattributed", ARRAY(sa.Text), "quantities of which a part is of no phantom, nuclide or breast told"),
        ("replaced_by", KEY, "the study in which all of this one counts instead: this one is in no sum"),
        ("decider_version", sa.Integer, "of what decided this row"),
    ):
        op.add_column("dose_study", sa.Column(name, kind, comment=comment))


def take_over_what_was_reported() -> None:
    """What lists and sums showed until now, until every study is decided anew."""
    op.execute(
        "UPDATE dose_study SET best_dlp_mgy_cm = dlp_total_mgy_cm,"
        " best_dose_area_product_gy_m2 = dose_area_product_total_gy_m2, best_dose_rp_gy = dose_rp_total_gy,"
        " best_glandular_dose_left_mgy = glandular_dose_left_mgy,"
        " best_glandular_dose_right_mgy = glandular_dose_right_mgy,"
        " best_administered_activity_mbq = administered_activity_mbq,"
        " best_ctdi_vol_max_mgy = mean_ctdi_vol_max_mgy"
    )


def create_indexes() -> None:
    op.create_index("ix_dose_report_sop_instance_uid", "dose_report", ["sop_instance_uid"])
    made_of = sa.text("modified_from IS NOT NULL")
    op.create_index("ix_dose_report_modified_from", "dose_report", ["modified_from"], postgresql_where=made_of)
    op.drop_index("ix_dose_study_dlp", "dose_study")
    order = [sa.text("best_dlp_mgy_cm DESC NULLS LAST"), sa.text("orthanc_study_id DESC")]
    op.create_index("ix_dose_study_best_dlp", "dose_study", order)
    for name in FILTERED:
        known = sa.text(f"best_{name} IS NOT NULL")
        op.create_index(f"ix_dose_study_best_{name}", "dose_study", [f"best_{name}"], postgresql_where=known)
    op.create_index("ix_dose_study_decider", "dose_study", ["decider_version", "orthanc_study_id"])
    op.drop_index("ix_dose_study_device", "dose_study")
    op.create_index("ix_dose_study_device", "dose_study", ["device_key"], postgresql_include=OF_A_DEVICE)
