"""The narrow rows that statistics are made from. They fill as every dose is decided anew, which begins by itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
NUMBER = sa.Double
OF_EXAM = {"device_key": sa.Text, "study_date": sa.Date} | dict.fromkeys(
    ("patient_age_years", "patient_weight_kg", "patient_size_m"), NUMBER
)
OF_EVENT = (
    "mean_ctdi_vol_mgy", "dlp_mgy_cm", "dose_area_product_gy_m2", "dose_rp_gy", "average_glandular_dose_mgy",
)  # fmt: skip


def study_key() -> sa.Column:
    gone = sa.ForeignKey("dose_study.orthanc_study_id", ondelete="CASCADE")
    return sa.Column("orthanc_study_id", KEY, gone, primary_key=True)


def of_exam() -> list[sa.Column]:
    scope = sa.Column("scope_id", sa.Integer, nullable=False)
    return [scope, *(sa.Column(name, kind) for name, kind in OF_EXAM.items())]


def upgrade() -> None:
    make_names()
    op.create_table(
        "exam_dose",
        study_key(),
        sa.Column(
            "quantity", KEY, primary_key=True, comment="of quantities.py, derived.quantity, or irradiation_event_count"
        ),
        sa.Column("modality", KEY, primary_key=True, comment="as of its name: a PET-CT has both"),
        sa.Column("exam_name_id", sa.Integer, sa.ForeignKey("exam_name.id"), nullable=False),
        sa.Column("value", NUMBER, nullable=False, comment="best known, in the stored unit"),
        sa.Column("is_doubted", sa.Boolean, nullable=False),
        sa.Column("study_hour", sa.SmallInteger, comment="0 to 23"),
        *of_exam(),
    )
    included = ["value", "is_doubted", "orthanc_study_id", "scope_id", *OF_EXAM]
    op.create_index("ix_exam_dose_name", "exam_dose", ["exam_name_id", "quantity"], postgresql_include=included)
    included = ["value", "is_doubted", "exam_name_id", "scope_id", "device_key", "study_hour"]
    columns = ["quantity", "modality", "study_date"]
    op.create_index("ix_exam_dose_quantity", "exam_dose", columns, postgresql_include=included)
    op.create_table(
        "event_dose",
        study_key(),
        sa.Column("orthanc_instance_id", KEY, primary_key=True, comment="the source that tells of the event"),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False, comment="in the source, from 1"),
        sa.Column(
            "protocol_name_id", sa.Integer, sa.ForeignKey("protocol_name.id"), comment="null: the event names none"
        ),
        sa.Column("ctdiw_phantom_type", sa.Text, comment="16 cm and 32 cm are never mixed"),
        *(sa.Column(name, NUMBER) for name in OF_EVENT),
        sa.Column(
            "doubted", ARRAY(sa.Text), nullable=False, comment="of these columns, those whose quantity its exam doubts"
        ),
        *of_exam(),
    )
    included = ["mean_ctdi_vol_mgy", "dlp_mgy_cm", "dose_area_product_gy_m2", "ctdiw_phantom_type", "scope_id"]
    columns = ["protocol_name_id", "study_date"]
    op.create_index("ix_event_dose_protocol", "event_dose", columns, postgresql_include=included)
    op.create_table(
        "derived_dose",
        study_key(),
        sa.Column("quantity", KEY, primary_key=True),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("value", NUMBER, nullable=False, comment="in the stored unit"),
        sa.Column("method", sa.Text, nullable=False, comment="the formula and its source: see derived/"),
        sa.Column("is_doubted", sa.Boolean, nullable=False),
        sa.Column("details", JSONB, nullable=False, comment="inputs, coefficients, ranges"),
    )


def make_names() -> None:
    op.create_table(
        "exam_name",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("key", KEY, nullable=False, comment="md5 of what follows"),
        sa.Column(
            "modality", sa.Text, nullable=False, comment="(0008,0060) of the exam's images; OT where no series tells"
        ),
        sa.Column("study_description", sa.Text),
        sa.Column("requested_procedure_description", sa.Text),
        sa.Column("procedure_codes", ARRAY(sa.Text), nullable=False, comment="code^meaning^scheme, as in HL7"),
        sa.Column(
            "protocols", ARRAY(sa.Text), nullable=False, comment="acquisition protocols, each once, in their order"
        ),
    )
    op.create_index("ix_exam_name_key", "exam_name", ["key"], unique=True)
    op.create_index("ix_exam_name_modality", "exam_name", ["modality"])
    op.create_table(
        "protocol_name",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("modality", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="an acquisition protocol, its first 500 characters"),
    )
    op.create_index("ix_protocol_name", "protocol_name", ["modality", "name"], unique=True)
