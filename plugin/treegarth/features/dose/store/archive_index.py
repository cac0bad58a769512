"""The archive's index, as far as this feature's queries look into it. Names of tables and columns only.

Features do not import each other's inside; what these columns mean, the archive's own tables say, and a test compares.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, Date, DateTime, Integer, String, Text, column, table

study = table(
    "study",
    column("orthanc_study_id", String),
    column("study_instance_uid", String),
    column("patient_id", Text),
    column("patient_name", Text),
    column("study_date", Date),
    column("study_description", Text),
    column("accession_number", Text),
    column("modalities", ARRAY(Text)),
    column("last_received_at", DateTime(timezone=True)),
)

series = table(
    "series",
    column("orthanc_series_id", String),
    column("orthanc_study_id", String),
    column("modality", Text),
    column("manufacturer", Text),
    column("manufacturer_model_name", Text),
    column("station_name", Text),
    column("device_serial_number", Text),
)

instance = table(
    "instance",
    column("orthanc_instance_id", String),
    column("orthanc_series_id", String),
    column("sop_instance_uid", String),
    column("sop_class_uid", String),
    column("number_of_frames", Integer),
    column("image_type", ARRAY(Text)),
)
