"""What was measured of the CT series, and what follows from it: one row for each. Tables only.

No foreign key leads into the archive's index: what was measured outlives the images, as dose does. A row is work too:
while it waits, `next_attempt_at` says when its turn is (`tasks/leases.py`), and what was measured before stays.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, String, Table, Text, false, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import IssuesColumn, PhraseColumn

Key = String(collation="C")
Moment = DateTime(timezone=True)

series_ssde = Table(
    "series_ssde",
    metadata,
    Column("orthanc_series_id", Key, primary_key=True),
    Column("orthanc_study_id", Key, nullable=False),
    Column("series_instance_uid", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("series_number", Integer),
    Column("series_description", Text),
    Column("body_part_examined", Text),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting, measured, none or failed"),
    Column("noted_count", Integer, nullable=False, server_default="1", comment="how often it came to rest"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now()),
    Column("last_error", PhraseColumn, comment="why the last attempt to measure it failed"),
    Column("measured_at", Moment),
    Column("reader_version", Integer, comment="of what measured it"),
    Column("issues", IssuesColumn, comment="images that were not used: [{path, reason}]"),
    Column("image_count", Integer, comment="original images of it, of which some were measured"),
    Column("slice_count", Integer, comment="measured"),
    Column("slices", JSONB(none_as_null=True), comment="[{z_mm, water_equivalent_diameter_mm, ...}], by place"),
    Column("water_equivalent_diameter_min_mm", FiniteDouble()),
    Column("water_equivalent_diameter_mean_mm", FiniteDouble()),
    Column("water_equivalent_diameter_max_mm", FiniteDouble()),
    Column("effective_diameter_mean_mm", FiniteDouble()),
    Column("lateral_mean_mm", FiniteDouble()),
    Column("ap_mean_mm", FiniteDouble()),
    Column("truncated_fraction_mean", FiniteDouble(), comment="of the patient's border, at the edge of the field"),
    Column("truncated_fraction_max", FiniteDouble()),
    Column("irradiation_event_uids", ARRAY(Text), comment="of its images, each once"),
    Column("image_ctdi_vol_mgy", FiniteDouble(), comment="of its images, the mean"),
    Column("reason", Text, comment="why there is no estimate: see reasons.py"),
    Column("ctdi_vol_mgy", FiniteDouble(), comment="of the event that its images are of, as what follows"),
    Column("ctdiw_phantom_type", Text, comment="16 cm and 32 cm have factors of their own"),
    Column("event_instance_id", Key, comment="the source that tells of the event"),
    Column("event_position", Integer),
    Column("matched_by", Text, comment="uid, images, only or ctdi_vol"),
    Column("ssde_min_mgy", FiniteDouble(), comment="over its slices"),
    Column("ssde_mean_mgy", FiniteDouble()),
    Column("ssde_max_mgy", FiniteDouble()),
    Column("ssde_slice_count", Integer, comment="slices of a size that the table of factors has"),
    Column("is_doubted", Boolean, nullable=False, server_default=false()),
    Index("ix_series_ssde_study", "orthanc_study_id"),
    Index("ix_series_ssde_waiting", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_series_ssde_trouble", "state", "orthanc_series_id", postgresql_where=text("state != 'measured'")),
    Index("ix_series_ssde_reason", "reason", "orthanc_series_id", postgresql_where=text("reason IS NOT NULL")),
)
