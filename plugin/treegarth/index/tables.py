"""The index of the archive: patient, study, series, instance, by Orthanc's identifiers. Tables only, no queries.

Orthanc's identifiers are SHA-1 of the DICOM ones (40 hex digits and 4 dashes), so a row can be written again
and again, in any order, by any number of writers, and means the same. The column names are DICOM keywords
in snake_case (PS3.6); sizes are in bytes; times are aware.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import IssuesColumn
from treegarth.index.scope import WHOLE_ARCHIVE

# Byte order makes keys compact and quick and the same on every server; names are sorted by locale in the browser.
Key = String(collation="C")

SEARCH_TEXT = (
    "folded(coalesce(translate(patient_name, '^=,', '   '), '') || ' ' || coalesce(patient_id, '')"
    " || ' ' || coalesce(accession_number, '') || ' ' || coalesce(study_description, '')"
    " || ' ' || coalesce(translate(patient_name, '=^, ', ' '), ''))"
)
"""Of the columns of a study, or of what is kept of one."""

patient = Table(
    "patient",
    metadata,
    Column("orthanc_patient_id", Key, primary_key=True),
    Column("patient_id", Text, comment="(0010,0020); absent is NULL; each as the newest study that has it says"),
    Column("patient_name", Text, comment="(0010,0010) with all its groups, as in DICOM"),
    Column("patient_birth_date", Date),
    Column("patient_sex", Text),
)

study = Table(
    "study",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("orthanc_patient_id", Key, ForeignKey("patient.orthanc_patient_id"), nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column(
        "scope_id",
        Integer,
        nullable=False,
        server_default=str(WHOLE_ARCHIVE),
        comment="who may see it: see index/scope.py",
    ),
    Column("patient_id", Text, comment="each attribute as the first series that has it says"),
    Column("patient_name", Text, comment="as in this study's objects, all groups"),
    Column("patient_birth_date", Date),
    Column("patient_sex", Text),
    Column("study_date", Date),
    Column("study_time", Time),
    Column("study_id", Text),
    Column("study_description", Text),
    Column("accession_number", Text),
    Column("referring_physician_name", Text),
    Column("institution_name", Text),
    Column("modalities", ARRAY(Text), nullable=False, server_default="{}", comment="sorted, of its series"),
    Column("series_count", Integer, nullable=False, server_default="0"),
    Column("instance_count", Integer, nullable=False, server_default="0"),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("pruned_instance_count", Integer, nullable=False, server_default="0", comment="of its series, added"),
    Column("pruned_size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("first_received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column(
        "search_text",
        Text,
        Computed(
            SEARCH_TEXT,
            persisted=True,
        ),
        comment="what the search box looks through: compare with folded(word)",
    ),
    Index("ix_study_uid", "study_instance_uid"),
    Index("ix_study_patient", "orthanc_patient_id"),
    Index("ix_study_patient_id", "patient_id"),
    Index("ix_study_accession_number", "accession_number"),
    Index("ix_study_patient_name", "patient_name", "orthanc_study_id"),
    Index(
        "ix_study_newest",
        text("study_date DESC NULLS LAST"),
        text("study_time DESC NULLS LAST"),
        text("orthanc_study_id DESC"),
    ),
    Index("ix_study_received", text("last_received_at DESC"), text("orthanc_study_id DESC")),
    Index("ix_study_modalities", "modalities", postgresql_using="gin"),
    Index("ix_study_pruned", "orthanc_patient_id", postgresql_where=text("instance_count = 0")),
)

series = Table(
    "series",
    metadata,
    Column("orthanc_series_id", Key, primary_key=True),
    Column("orthanc_study_id", Key, ForeignKey("study.orthanc_study_id"), nullable=False),
    Column("series_instance_uid", Key, nullable=False),
    Column("modality", Text),
    Column("series_number", Integer),
    Column("series_description", Text),
    Column("series_date", Date),
    Column("series_time", Time),
    Column("body_part_examined", Text),
    Column("protocol_name", Text),
    Column("manufacturer", Text),
    Column("manufacturer_model_name", Text),
    Column("station_name", Text),
    Column("device_serial_number", Text),
    Column("institution_name", Text),
    Column("instance_count", Integer, nullable=False, server_default="0"),
    Column("size_bytes", BigInteger, nullable=False, server_default="0"),
    Column(
        "pruned_instance_count",
        Integer,
        nullable=False,
        server_default="0",
        comment="objects that a retention policy deleted: while there are any, the row stays",
    ),
    Column("pruned_size_bytes", BigInteger, nullable=False, server_default="0"),
    Column("last_received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("origin", SmallInteger, comment="of its object that was received last, as the four that follow"),
    Column("remote_ae_title", Text),
    Column("called_ae_title", Text),
    Column("remote_ip", Text),
    Column("http_user", Text),
    Column("header", JSONB, comment="DICOM JSON (PS3.18 F) of one instance, without bulk data and SR content"),
    Column(
        "header_orthanc_instance_id",
        Key,
        comment="the object that header and attributes are of: that with the smallest identifier",
    ),
    Column("study_attributes", JSONB, comment="what the same object says of its study and its patient"),
    Column(
        "is_stale",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="whether header and attributes are not known to be of an object that is here: to be read anew",
    ),
    Index("ix_series_stale", "orthanc_series_id", postgresql_where=text("is_stale AND instance_count > 0")),
    Index("ix_series_study", "orthanc_study_id"),
    Index(
        "ix_series_device",
        "orthanc_study_id",
        postgresql_include=[
            "modality",
            "manufacturer",
            "manufacturer_model_name",
            "station_name",
            "device_serial_number",
        ],
    ),
    Index("ix_series_uid", "series_instance_uid"),
    Index("ix_series_pruned", "orthanc_series_id", postgresql_where=text("instance_count = 0")),
    Index("ix_series_remote_ae_title", "remote_ae_title", postgresql_include=["orthanc_study_id"]),
    # A header that compression makes small would stay in the row, and a look at all series would read every one.
    postgresql_with={"toast_tuple_target": 768},
)

instance = Table(
    "instance",
    metadata,
    Column("orthanc_instance_id", Key, primary_key=True),
    Column("orthanc_series_id", Key, ForeignKey("series.orthanc_series_id"), nullable=False),
    Column("sop_instance_uid", Key, nullable=False),
    Column("sop_class_uid", Key),
    Column("instance_number", Integer),
    Column("number_of_frames", Integer),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("image_type", ARRAY(Text)),
    Column("acquisition_date", Date),
    Column("acquisition_time", Time),
    Column("transfer_syntax_uid", Key),
    Column("size_bytes", BigInteger, nullable=False),
    Column("origin", SmallInteger, comment="Orthanc's InstanceOrigin: 2 DICOM, 3 REST, 4 plugin, 5 Lua, 6 WebDAV"),
    Column("remote_ae_title", Text),
    Column("called_ae_title", Text),
    Column("remote_ip", Text),
    Column("http_user", Text, comment="who uploaded it, as they were called then"),
    Column("uploader_id", Integer, comment="of user_account; NULL: Orthanc or nobody knew the user"),
    Column("session_id", BigInteger, comment="the uploader's, of user_session"),
    Column("token_id", Integer, comment="the uploader's, of access_token"),
    Column("received_at", DateTime(timezone=True), nullable=False, comment="Orthanc's ReceptionDate, whole seconds"),
    Column("header_checksum", BigInteger, comment="of the bytes that it was read from; NULL: not known"),
    Column(
        "content_since",
        DateTime(timezone=True),
        server_default=func.now(),
        comment="when the index took this store up, by the database's clock; NULL: since it was received",
    ),
    Column("indexed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("issues", IssuesColumn, comment="what could not be read: [{path, reason}]; NULL when all was"),
    Column(
        "nesting_depth",
        Integer,
        comment="levels of nested sequences, where they are more than Orthanc is asked to read; else NULL",
    ),
    Index("ix_instance_series", "orthanc_series_id"),
    Index("ix_instance_uid", "sop_instance_uid"),
    Index("ix_instance_issues", "orthanc_instance_id", postgresql_where=text("issues IS NOT NULL")),
    Index("ix_instance_deep", "orthanc_series_id", postgresql_where=text("nesting_depth IS NOT NULL")),
)

arrival = Table(
    "arrival",
    metadata,
    Column("orthanc_series_id", Key, primary_key=True, comment="empty: the study as a whole"),
    Column("orthanc_study_id", Key, primary_key=True),
    Column("last_arrived_at", DateTime(timezone=True), nullable=False, comment="when a new object of it was indexed"),
    Index("ix_arrival_last", "last_arrived_at"),
    comment="studies and series that may still be arriving; the row goes when they are decided to be stable",
)

study_label = Table(
    "study_label",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("set_by", Text, comment="a user, or the rule's name"),
    Column("set_at", DateTime(timezone=True), nullable=False),
    Index("ix_study_label_label", "label"),
)

label_change = Table(
    "label_change",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("is_set", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="what Orthanc's own labels do not say yet, where its version has them",
)

departed_study = Table(
    "departed_study",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("study_instance_uid", Key, nullable=False),
    Column("patient_id", Text, comment="as the study said when its last object left, like what follows"),
    Column("patient_name", Text),
    Column("patient_birth_date", Date),
    Column("patient_sex", Text),
    Column("study_date", Date),
    Column("study_description", Text),
    Column("accession_number", Text),
    Column("modalities", ARRAY(Text), nullable=False, server_default="{}", comment="sorted, of what left"),
    Column(
        "state",
        Text,
        nullable=False,
        server_default="kept",
        comment="deleted: something is gone; intended: something is about to go; returned: all is here again; kept",
    ),
    Column("instance_count", Integer, nullable=False, server_default="0", comment="objects that are gone"),
    Column("size_bytes", BigInteger, nullable=False, server_default="0", comment="of these"),
    Column("returned_instance_count", Integer, nullable=False, server_default="0"),
    Column("policy_ids", ARRAY(Integer), nullable=False, server_default="{}", comment="whose doing it was, sorted"),
    Column("by_others", Boolean, nullable=False, server_default=text("false"), comment="somebody deleted in Orthanc"),
    Column("left_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="the last of it"),
    Column(
        "search_text",
        Text,
        Computed(SEARCH_TEXT, persisted=True),
        comment="as that of study",
    ),
    Index("ix_departed_study_uid", "study_instance_uid"),
    Index("ix_departed_study_patient", "patient_id"),
    Index("ix_departed_study_left", text("left_at DESC"), text("orthanc_study_id DESC")),
    comment="whose the studies were that objects left of, and how much: what the ledger's entries of each add up to",
)

archive_state = Table(
    "archive_state",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="where the reconciler stands: the checkpoint of /changes, the progress of a back-fill, the last comparison",
)
