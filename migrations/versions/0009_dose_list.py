"""The dose list: the modalities of a study, and indexes that its pages need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


DEVICE_KEY = (
    "substr(md5(coalesce(manufacturer, '') || chr(31) || coalesce(manufacturer_model_name, '') || chr(31)"
    " || coalesce(station_name, '') || chr(31) || coalesce(device_serial_number, '')), 1, 16)"
)
DEVICE = ["manufacturer", "manufacturer_model_name", "station_name", "device_serial_number"]
FIGURES = [
    "dlp_total_mgy_cm", "dose_area_product_total_gy_m2", "glandular_dose_left_mgy", "glandular_dose_right_mgy",
]  # fmt: skip


def upgrade() -> None:
    add_modalities()
    add_device_key()
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


def add_device_key() -> None:
    op.add_column(
        "dose_study",
        sa.Column("device_key", sa.Text, sa.Computed(DEVICE_KEY, persisted=True), comment="the device's fingerprint"),
    )


def create_indexes() -> None:
    # The pages of equipment and of missing dose look at every study: at these indexes alone, not at the wide rows.
    op.create_index(
        "ix_dose_study_device",
        "dose_study",
        ["device_key"],
        postgresql_include=["kinds", "study_date", "issue_count", "not_patient", *FIGURES],
    )
    op.create_index("ix_series_device", "series", ["orthanc_study_id"], postgresql_include=["modality", *DEVICE])
    op.create_index(
        "ix_dose_study_not_patient",
        "dose_study",
        [
            sa.text("study_date DESC NULLS LAST"),
            sa.text("study_time DESC NULLS LAST"),
            sa.text("orthanc_study_id DESC"),
        ],
        postgresql_where=sa.text("not_patient IS NOT NULL"),
    )
    op.create_index("ix_dose_study_modalities", "dose_study", ["modalities"], postgresql_using="gin")
    op.create_index(
        "ix_dose_study_not_patient_rule",
        "dose_study",
        ["not_patient_rule_id"],
        postgresql_where=sa.text("not_patient_rule_id IS NOT NULL"),
    )
