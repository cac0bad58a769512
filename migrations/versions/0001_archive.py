"""The index of the archive: patient, study, series, instance, and where the reconciler stands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_patient()
    create_study()
    create_series()
    create_instance()
    op.create_table(
        "archive_state",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", JSONB, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("name", name="pk_archive_state"),
        comment="where the reconciler stands: the checkpoint of /changes, the progress of a back-fill, "
        "the last comparison",
    )


def create_patient() -> None:
    op.create_table(
        "patient",
        sa.Column("orthanc_patient_id", KEY, nullable=False),
        sa.Column("patient_id", sa.Text, comment="(0010,0020); absent is NULL"),
        sa.Column("patient_name", sa.Text, comment="(0010,0010) with all its groups, as in DICOM"),
        sa.Column("patient_birth_date", sa.Date),
        sa.Column("patient_sex", sa.Text),
        sa.PrimaryKeyConstraint("orthanc_patient_id", name="pk_patient"),
    )


def create_study() -> None:
    op.create_table(
        "study",
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("orthanc_patient_id", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("patient_id", sa.Text, comment="as in this study's objects"),
        sa.Column("patient_name", sa.Text, comment="as in this study's objects, all groups"),
        sa.Column("patient_birth_date", sa.Date),
        sa.Column("patient_sex", sa.Text),
        sa.Column("study_date", sa.Date),
        sa.Column("study_time", sa.Time),
        sa.Column("study_id", sa.Text),
        sa.Column("study_description", sa.Text),
        sa.Column("accession_number", sa.Text),
        sa.Column("referring_physician_name", sa.Text),
        sa.Column("institution_name", sa.Text),
        sa.Column("modalities", ARRAY(sa.Text), nullable=False, server_default="{}", comment="sorted, of its series"),
        sa.Column("series_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("instance_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("first_received_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("last_received_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column(
            "search_text",
            sa.Text,
            sa.Computed(
                "lower(normalize(coalesce(translate(patient_name, '^=', '  '), '') || ' ' || coalesce(patient_id, '')"
                " || ' ' || coalesce(accession_number, '') || ' ' || coalesce(study_description, '')))",
                persisted=True,
            ),
            comment="what the search box looks through: compare with lower(normalize(word))",
        ),
        sa.PrimaryKeyConstraint("orthanc_study_id", name="pk_study"),
        sa.ForeignKeyConstraint(
            ["orthanc_patient_id"], ["patient.orthanc_patient_id"], name="fk_study_orthanc_patient_id_patient"
        ),
    )
    op.create_index("ix_study_uid", "study", ["study_instance_uid"])
    op.create_index("ix_study_patient", "study", ["orthanc_patient_id"])
    op.create_index("ix_study_patient_id", "study", ["patient_id"])
    op.create_index("ix_study_accession_number", "study", ["accession_number"])
    op.create_index("ix_study_patient_name", "study", ["patient_name", "orthanc_study_id"])
    op.create_index(
        "ix_study_newest",
        "study",
        [
            sa.text("study_date DESC NULLS LAST"),
            sa.text("study_time DESC NULLS LAST"),
            sa.text("orthanc_study_id DESC"),
        ],
    )
    op.create_index("ix_study_received", "study", [sa.text("last_received_at DESC"), sa.text("orthanc_study_id DESC")])
    op.create_index("ix_study_modalities", "study", ["modalities"], postgresql_using="gin")


def create_series() -> None:
    op.create_table(
        "series",
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("modality", sa.Text),
        sa.Column("series_number", sa.Integer),
        sa.Column("series_description", sa.Text),
        sa.Column("series_date", sa.Date),
        sa.Column("series_time", sa.Time),
        sa.Column("body_part_examined", sa.Text),
        sa.Column("protocol_name", sa.Text),
        sa.Column("manufacturer", sa.Text),
        sa.Column("manufacturer_model_name", sa.Text),
        sa.Column("station_name", sa.Text),
        sa.Column("device_serial_number", sa.Text),
        sa.Column("institution_name", sa.Text),
        sa.Column("instance_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_received_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("header", JSONB, comment="DICOM JSON (PS3.18 F) of one instance, without bulk data and SR content"),
        sa.Column("header_orthanc_instance_id", KEY),
        sa.PrimaryKeyConstraint("orthanc_series_id", name="pk_series"),
        sa.ForeignKeyConstraint(
            ["orthanc_study_id"], ["study.orthanc_study_id"], name="fk_series_orthanc_study_id_study"
        ),
    )
    op.create_index("ix_series_study", "series", ["orthanc_study_id"])
    op.create_index("ix_series_uid", "series", ["series_instance_uid"])


def create_instance() -> None:
    op.create_table(
        "instance",
        sa.Column("orthanc_instance_id", KEY, nullable=False),
        sa.Column("orthanc_series_id", KEY, nullable=False),
        sa.Column("sop_instance_uid", KEY, nullable=False),
        sa.Column("sop_class_uid", KEY),
        sa.Column("instance_number", sa.Integer),
        sa.Column("number_of_frames", sa.Integer),
        sa.Column("rows", sa.Integer),
        sa.Column("columns", sa.Integer),
        sa.Column("image_type", ARRAY(sa.Text)),
        sa.Column("acquisition_date", sa.Date),
        sa.Column("acquisition_time", sa.Time),
        sa.Column("transfer_syntax_uid", KEY),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column(
            "origin",
            sa.SmallInteger,
            comment="Orthanc's InstanceOrigin: 2 DICOM, 3 REST, 4 plugin, 5 Lua, 6 WebDAV",
        ),
        sa.Column("remote_ae_title", sa.Text),
        sa.Column("called_ae_title", sa.Text),
        sa.Column("remote_ip", sa.Text),
        sa.Column("http_user", sa.Text),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("indexed_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("issues", JSONB, comment="what could not be read: [{path, reason}]; NULL when all was"),
        sa.PrimaryKeyConstraint("orthanc_instance_id", name="pk_instance"),
        sa.ForeignKeyConstraint(
            ["orthanc_series_id"], ["series.orthanc_series_id"], name="fk_instance_orthanc_series_id_series"
        ),
    )
    op.create_index("ix_instance_series", "instance", ["orthanc_series_id"])
    op.create_index("ix_instance_uid", "instance", ["sop_instance_uid"])
    op.create_index(
        "ix_instance_issues", "instance", ["orthanc_instance_id"], postgresql_where=sa.text("issues IS NOT NULL")
    )
