"""How large the patient is in CT series, and their size-specific dose estimates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

KEY = sa.String(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table("series_ssde", *work(), *measured(), *estimated())
    op.create_index("ix_series_ssde_study", "series_ssde", ["orthanc_study_id"])
    waits, trouble, none = sa.text("state = 'waiting'"), sa.text("state != 'measured'"), sa.text("reason IS NOT NULL")
    op.create_index("ix_series_ssde_waiting", "series_ssde", ["next_attempt_at"], postgresql_where=waits)
    op.create_index("ix_series_ssde_trouble", "series_ssde", ["state", "orthanc_series_id"], postgresql_where=trouble)
    op.create_index("ix_series_ssde_reason", "series_ssde", ["reason", "orthanc_series_id"], postgresql_where=none)


def work() -> list[sa.Column]:
    state = "waiting, measured, none or failed"
    return [
        sa.Column("orthanc_series_id", KEY, primary_key=True),
        sa.Column("orthanc_study_id", KEY, nullable=False),
        sa.Column("series_instance_uid", KEY, nullable=False),
        sa.Column("study_instance_uid", KEY, nullable=False),
        sa.Column("series_number", sa.Integer),
        sa.Column("series_description", sa.Text),
        sa.Column("body_part_examined", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting", comment=state),
        sa.Column("noted_count", sa.Integer, nullable=False, server_default="1", comment="how often it came to rest"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_attempt_at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("last_error", JSONB, comment="why the last attempt to measure it failed"),
    ]


def measured() -> list[sa.Column]:
    border = "of the patient's border, at the edge of the field"
    return [
        sa.Column("measured_at", MOMENT),
        sa.Column("reader_version", sa.Integer, comment="of what measured it"),
        sa.Column("issues", JSONB, comment="images that were not used: [{path, reason}]"),
        sa.Column("image_count", sa.Integer, comment="original images of it, of which some were measured"),
        sa.Column("slice_count", sa.Integer, comment="measured"),
        sa.Column("slices", JSONB, comment="[{z_mm, water_equivalent_diameter_mm, ...}], by place"),
        sa.Column("water_equivalent_diameter_min_mm", sa.Double),
        sa.Column("water_equivalent_diameter_mean_mm", sa.Double),
        sa.Column("water_equivalent_diameter_max_mm", sa.Double),
        sa.Column("effective_diameter_mean_mm", sa.Double),
        sa.Column("lateral_mean_mm", sa.Double),
        sa.Column("ap_mean_mm", sa.Double),
        sa.Column("truncated_fraction_mean", sa.Double, comment=border),
        sa.Column("truncated_fraction_max", sa.Double),
        sa.Column("irradiation_event_uids", ARRAY(sa.Text), comment="of its images, each once"),
        sa.Column("image_ctdi_vol_mgy", sa.Double, comment="of its images, the mean"),
    ]


def estimated() -> list[sa.Column]:
    of_event = "of the event that its images are of, as what follows"
    of_table = "slices of a size that the table of factors has"
    return [
        sa.Column("reason", sa.Text, comment="why there is no estimate: see reasons.py"),
        sa.Column("ctdi_vol_mgy", sa.Double, comment=of_event),
        sa.Column("ctdiw_phantom_type", sa.Text, comment="16 cm and 32 cm have factors of their own"),
        sa.Column("event_instance_id", KEY, comment="the source that tells of the event"),
        sa.Column("event_position", sa.Integer),
        sa.Column("matched_by", sa.Text, comment="uid, images, only or ctdi_vol"),
        sa.Column("ssde_min_mgy", sa.Double, comment="over its slices"),
        sa.Column("ssde_mean_mgy", sa.Double),
        sa.Column("ssde_max_mgy", sa.Double),
        sa.Column("ssde_slice_count", sa.Integer, comment=of_table),
        sa.Column("is_doubted", sa.Boolean, nullable=False, server_default=sa.false()),
    ]
