"""The dose registry: source objects, irradiation events, administrations, and one row per study."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_dose_report()
    create_irradiation_event()
    create_administration()
    create_dose_study()


def create_dose_report() -> None:
    op.create_table(
        "dose_report",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("sop_instance_uid", KEY, nullable=False),
        sa.Column("sop_class_uid", KEY),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default="unread", comment="unread, read, refused or failed"),
        sa.Column(
            "stored_count",
            sa.Integer,
            nullable=False,
            server_default="1",
            comment="rises when the object is overwritten",
        ),
        sa.Column(
            "attempts", sa.Integer, nullable=False, server_default="0", comment="at reading it since it was stored"
        ),
        sa.Column(
            "next_attempt_at", MOMENT, nullable=False, server_default=sa.func.now(), comment="or the end of a claim"
        ),
        sa.Column("last_error", sa.Text, comment="why the last attempt failed"),
        sa.Column("discovered_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("read_at", MOMENT),
        sa.Column("source_deleted_at", MOMENT, comment="when the object left the archive; its dose stays"),
        sa.Column("reader_version", sa.Integer, comment="of the reader that made this row's dose"),
        sa.Column("kind", sa.Text, comment="ct, projection, mammography, radiopharmaceutical"),
        sa.Column("refused", sa.Text, comment="why the object is no source of dose"),
        sa.Column("totals", JSONB, comment="as reported"),
        sa.Column("report", JSONB, comment="scope, start and end of irradiation, procedure reported, observer"),
        sa.Column("issues", JSONB, comment="what could not be read: [{path, reason}]"),
        sa.Column("issue_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("irradiation_event_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("administration_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("dlp_total_mgy_cm", sa.Double),
        sa.Column("dose_area_product_total_gy_m2", sa.Double),
        sa.Column("dose_rp_total_gy", sa.Double),
        sa.Column("manufacturer", sa.Text),
        sa.Column("manufacturer_model_name", sa.Text),
        sa.Column("device_serial_number", sa.Text),
        sa.Column("station_name", sa.Text),
        sa.Column("institution_name", sa.Text),
        sa.Column("patient_id", sa.Text),
        sa.Column("patient_name", sa.Text),
        sa.Column("patient_birth_date", sa.Date),
        sa.Column("patient_sex", sa.Text),
        sa.Column("patient_age", sa.Text, comment="as in DICOM (AS): 063Y"),
        sa.Column("patient_size_m", sa.Double),
        sa.Column("patient_weight_kg", sa.Double),
        sa.Column("pregnancy_status", sa.Integer, comment="(0010,21C0): 1 not, 2 possibly, 3 definitely, 4 unknown"),
        sa.Column("study_date", sa.Date),
        sa.Column("study_time", sa.Time),
        sa.Column("study_description", sa.Text),
        sa.Column("series_description", sa.Text),
        sa.Column("accession_number", sa.Text),
        sa.Column("protocol_name", sa.Text),
        sa.Column("requested_procedure_description", sa.Text),
        sa.Column("procedure_codes", JSONB),
        sa.Column("acquisition_protocols", ARRAY(sa.Text), comment="of its events, each once, in their order"),
        sa.PrimaryKeyConstraint("orthanc_instance_id", name="pk_dose_report"),
    )
    op.create_index("ix_dose_report_study", "dose_report", ["study_instance_uid"])
    op.create_index("ix_dose_report_orthanc_study", "dose_report", ["orthanc_study_id"])
    op.create_index("ix_dose_report_patient", "dose_report", ["patient_id"])
    op.create_index(
        "ix_dose_report_waiting", "dose_report", ["next_attempt_at"], postgresql_where=sa.text("state = 'unread'")
    )
    op.create_index(
        "ix_dose_report_issues", "dose_report", ["orthanc_instance_id"], postgresql_where=sa.text("issue_count > 0")
    )
    op.create_index(
        "ix_dose_report_trouble",
        "dose_report",
        ["state", "orthanc_instance_id"],
        postgresql_where=sa.text("state != 'read'"),
    )


def create_irradiation_event() -> None:
    op.create_table(
        "irradiation_event",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="in the report, from 1"),
        sa.Column("irradiation_event_uid", KEY),
        sa.Column("irradiation_event_type", sa.Text),
        sa.Column("acquisition_protocol", sa.Text),
        sa.Column("target_region", sa.Text, comment="the meaning of its code"),
        sa.Column("mean_ctdi_vol_mgy", sa.Double),
        sa.Column("dlp_mgy_cm", sa.Double),
        sa.Column("ctdiw_phantom_type", sa.Text),
        sa.Column("scanning_length_mm", sa.Double),
        sa.Column("pitch_factor", sa.Double),
        sa.Column("dose_area_product_gy_m2", sa.Double),
        sa.Column("dose_rp_gy", sa.Double),
        sa.Column("average_glandular_dose_mgy", sa.Double),
        sa.Column("values", JSONB, nullable=False, comment="all that was read of it"),
        sa.PrimaryKeyConstraint("orthanc_instance_id", "position", name="pk_irradiation_event"),
        sa.ForeignKeyConstraint(
            ["orthanc_instance_id"],
            ["dose_report.orthanc_instance_id"],
            name="fk_irradiation_event_orthanc_instance_id_dose_report",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_irradiation_event_uid", "irradiation_event", ["irradiation_event_uid"])


def create_administration() -> None:
    op.create_table(
        "administration",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="in the object, from 1"),
        sa.Column("irradiation_event_uid", KEY, comment="Radiopharmaceutical Administration Event UID"),
        sa.Column("agent", sa.Text),
        sa.Column("radionuclide", sa.Text),
        sa.Column("administered_activity_mbq", sa.Double),
        sa.Column("effective_dose_msv", sa.Double),
        sa.Column("values", JSONB, nullable=False, comment="all that was read of it"),
        sa.PrimaryKeyConstraint("orthanc_instance_id", "position", name="pk_administration"),
        sa.ForeignKeyConstraint(
            ["orthanc_instance_id"],
            ["dose_report.orthanc_instance_id"],
            name="fk_administration_orthanc_instance_id_dose_report",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_administration_uid", "administration", ["irradiation_event_uid"])


def create_dose_study() -> None:
    op.create_table(
        "dose_study",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("kinds", ARRAY(sa.Text), nullable=False, comment="sorted, of the reports that were read"),
        sa.Column("report_count", sa.Integer, nullable=False, comment="read, whether they count or repeat others"),
        sa.Column(
            "counted_report_ids", ARRAY(sa.Text), nullable=False, comment="the reports whose totals make the study's"
        ),
        sa.Column("rule", sa.Text, nullable=False, comment="how several reports were resolved: see rules.py"),
        sa.Column("irradiation_event_count", sa.Integer, nullable=False, comment="each irradiation event UID once"),
        sa.Column("issue_count", sa.Integer, nullable=False),
        sa.Column("dlp_total_mgy_cm", sa.Double, comment="reported totals of the counted reports, added"),
        sa.Column("dlp_of_events_mgy_cm", sa.Double, comment="sum over the events, each once"),
        sa.Column("dose_area_product_total_gy_m2", sa.Double),
        sa.Column("dose_rp_total_gy", sa.Double),
        sa.Column("manufacturer", sa.Text),
        sa.Column("manufacturer_model_name", sa.Text),
        sa.Column("station_name", sa.Text),
        sa.Column("device_serial_number", sa.Text),
        sa.Column("protocols", ARRAY(sa.Text), nullable=False, comment="acquisition protocols, each once"),
        sa.Column("patient_id", sa.Text),
        sa.Column("patient_name", sa.Text),
        sa.Column("patient_sex", sa.Text),
        sa.Column("patient_age", sa.Text),
        sa.Column("study_date", sa.Date),
        sa.Column("study_time", sa.Time),
        sa.Column("study_description", sa.Text),
        sa.Column("accession_number", sa.Text),
        sa.Column("source_deleted_at", MOMENT, comment="when the last of its objects left the archive"),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("orthanc_study_id", name="pk_dose_study"),
    )
    op.create_index("ix_dose_study_uid", "dose_study", ["study_instance_uid"])
    op.create_index("ix_dose_study_patient", "dose_study", ["patient_id"])
    op.create_index(
        "ix_dose_study_newest",
        "dose_study",
        [
            sa.text("study_date DESC NULLS LAST"),
            sa.text("study_time DESC NULLS LAST"),
            sa.text("orthanc_study_id DESC"),
        ],
    )
    op.create_index(
        "ix_dose_study_dlp",
        "dose_study",
        [sa.text("dlp_total_mgy_cm DESC NULLS LAST"), sa.text("orthanc_study_id DESC")],
    )
    op.create_index("ix_dose_study_kinds", "dose_study", ["kinds"], postgresql_using="gin")
