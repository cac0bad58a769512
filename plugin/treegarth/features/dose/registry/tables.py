"""The dose registry: one row per source object, its irradiation events and administrations, one row per study.

Tables only. No foreign key leads into the archive's index: the dose of a study outlives its objects. Everything that
was read stands in jsonb under the names of docs/dose.md; the columns beside it are what lists filter and sort by.
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
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    Time,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from treegarth.acts.tables import act
from treegarth.database.finite_double import FiniteDouble
from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import IssuesColumn, PhraseColumn
from treegarth.documents.tables import document_tables
from treegarth.features.dose.quantities import BEST, OF_EVENT
from treegarth.features.dose.registry.lacking import LACKS
from treegarth.work.tables import long_work

Key = String(collation="C")
Moment = DateTime(timezone=True)
DEVICE_KEY = (
    "substr(md5(coalesce(manufacturer, '') || chr(31) || coalesce(manufacturer_model_name, '') || chr(31)"
    " || coalesce(station_name, '') || chr(31) || coalesce(device_serial_number, '')), 1, 16)"
)
"""The same whenever manufacturer, model, station and serial number are."""


NAMED = ("study_description", "procedure_named", "institution_name")
"""Texts of which a part is asked for: few different ones, which an index lists."""

LONGEST_NAMED = 500
"""Characters of them by which studies are found: an index takes 2,700 bytes."""

RARE = {
    "doubted": "cardinality(doubts) > 0",
    "issues": "issue_count > 0",
    "not_of_report": "source <> 'report'",
    "other_sex": "patient_sex <> 'F' AND patient_sex <> 'M'",
}
"""What few studies are, by the names of the partial indexes that list them, the newest first."""


PATTERN = "a pattern: * is any text, ? any character, in capitals or not; all that are given match"

dose_report = Table(
    "dose_report",
    metadata,
    Column("orthanc_instance_id", Key, primary_key=True),
    Column("orthanc_series_id", Key, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("sop_instance_uid", Key, nullable=False),
    Column("sop_class_uid", Key),
    Column("study_instance_uid", Key, nullable=False),
    Column("modality", Text),
    Column("state", Text, nullable=False, server_default="unread", comment="unread, read, refused, other or failed"),
    Column("stored_count", Integer, nullable=False, server_default="1", comment="rises when the object is overwritten"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="at reading it since it was stored"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now(), comment="or the end of a claim"),
    Column("last_error", PhraseColumn, comment="why the last attempt failed"),
    Column("discovered_at", Moment, nullable=False, server_default=func.now()),
    Column("received_at", Moment, comment="when the object was stored"),
    Column("size_bytes", BigInteger, comment="of the stored object"),
    Column("header_checksum", BigInteger, comment="of the stored object; NULL: not known"),
    Column("read_at", Moment),
    Column("source_deleted_at", Moment, comment="when the object left the archive; its dose stays"),
    Column("reader_version", Integer, comment="of the reader that made this row's dose"),
    Column("kind", Text, comment="ct, projection, mammography, radiopharmaceutical"),
    Column("source", Text, comment="report, capture or header: see rules.py"),
    Column("refused", PhraseColumn, comment="why the object is no source of dose"),
    Column("totals", JSONB, comment="as reported"),
    Column("report", JSONB, comment="scope, start and end of irradiation, procedure reported, observer"),
    Column("issues", IssuesColumn, comment="what could not be read: [{path, reason}]"),
    Column("issue_count", Integer, nullable=False, server_default="0"),
    Column("irradiation_event_count", Integer, nullable=False, server_default="0"),
    Column("administration_count", Integer, nullable=False, server_default="0"),
    Column("dlp_total_mgy_cm", FiniteDouble()),
    Column("dose_area_product_total_gy_m2", FiniteDouble()),
    Column("dose_rp_total_gy", FiniteDouble()),
    Column("manufacturer", Text),
    Column("manufacturer_model_name", Text),
    Column("device_serial_number", Text),
    Column("station_name", Text),
    Column("institution_name", Text),
    Column("patient_id", Text),
    Column("issuer_of_patient_id", Text),
    Column("patient_name", Text),
    Column("patient_birth_date", Date),
    Column("patient_sex", Text),
    Column("patient_age", Text, comment="as in DICOM (AS): 063Y"),
    Column("patient_size_m", FiniteDouble()),
    Column("patient_weight_kg", FiniteDouble()),
    Column("pregnancy_status", Integer, comment="(0010,21C0): 1 not, 2 possibly, 3 definitely, 4 unknown"),
    Column("study_date", Date),
    Column("study_time", Time),
    Column("study_description", Text),
    Column("series_description", Text),
    Column("accession_number", Text),
    Column("protocol_name", Text),
    Column("requested_procedure_description", Text),
    Column("procedure_codes", JSONB),
    Column("performing_physician_name", Text, comment="(0008,1050) as in DICOM (PN), several with backslashes between"),
    Column("acquisition_protocols", ARRAY(Text), comment="of its events, each once, in their order"),
    Column("modified_from", Key, comment="the instance that Orthanc made this one of (its metadata ModifiedFrom)"),
    Index("ix_dose_report_study", "study_instance_uid"),
    Index("ix_dose_report_orthanc_study", "orthanc_study_id"),
    Index("ix_dose_report_patient", "patient_id"),
    Index("ix_dose_report_sop_instance_uid", "sop_instance_uid"),
    Index("ix_dose_report_modified_from", "modified_from", postgresql_where=text("modified_from IS NOT NULL")),
    Index("ix_dose_report_waiting", "next_attempt_at", postgresql_where=text("state = 'unread'")),
    Index("ix_dose_report_issues", "orthanc_instance_id", postgresql_where=text("issue_count > 0")),
    Index("ix_dose_report_trouble", "state", "orthanc_instance_id", postgresql_where=text("state != 'read'")),
)

dose_sampling = Table(
    "dose_sampling",
    metadata,
    Column("orthanc_series_id", Key, primary_key=True),
    Column("orthanc_study_id", Key, nullable=False),
    Column("first_at", Moment, nullable=False, comment="when the first image arrived that no sample knew"),
    Column("due_at", Moment, nullable=False, comment="when the series counts as having come to rest"),
)

irradiation_event = Table(
    "irradiation_event",
    metadata,
    Column(
        "orthanc_instance_id",
        Key,
        ForeignKey("dose_report.orthanc_instance_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="in the report, from 1"),
    Column("irradiation_event_uid", Key),
    Column("irradiation_event_type", Text),
    Column("acquisition_protocol", Text),
    Column("target_region", Text, comment="the meaning of its code"),
    Column("mean_ctdi_vol_mgy", FiniteDouble()),
    Column("dlp_mgy_cm", FiniteDouble()),
    Column("ctdiw_phantom_type", Text),
    Column("scanning_length_mm", FiniteDouble()),
    Column("pitch_factor", FiniteDouble()),
    Column("dose_area_product_gy_m2", FiniteDouble()),
    Column("dose_rp_gy", FiniteDouble()),
    Column("average_glandular_dose_mgy", FiniteDouble()),
    Column("values", JSONB, nullable=False, comment="all that was read of it"),
    Index("ix_irradiation_event_uid", "irradiation_event_uid"),
)

administration = Table(
    "administration",
    metadata,
    Column(
        "orthanc_instance_id",
        Key,
        ForeignKey("dose_report.orthanc_instance_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="in the object, from 1"),
    Column("irradiation_event_uid", Key, comment="Radiopharmaceutical Administration Event UID"),
    Column("agent", Text),
    Column("radionuclide", Text),
    Column("administered_activity_mbq", FiniteDouble()),
    Column("effective_dose_msv", FiniteDouble()),
    Column("values", JSONB, nullable=False, comment="all that was read of it"),
    Index("ix_administration_uid", "irradiation_event_uid"),
)

dose_study = Table(
    "dose_study",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("study_instance_uid", Key, nullable=False),
    Column(
        "modalities", ARRAY(Text), nullable=False, server_default="{}", comment="of its series, also when they are gone"
    ),
    Column("kinds", ARRAY(Text), nullable=False, comment="sorted, of the reports that were read"),
    Column("report_count", Integer, nullable=False, comment="read, whether they count or repeat others"),
    Column("counted_report_ids", ARRAY(Text), nullable=False, comment="the reports whose totals make the study's"),
    Column("event_report_ids", ARRAY(Text), comment="the sources that have its events; null before it was decided"),
    Column("repeated_events", ARRAY(Text), comment="instance:position of events of these that another one has"),
    Column("rule", Text, nullable=False, comment="how several reports were resolved: see rules.py"),
    Column("decisions", JSONB, comment="[{orthanc_instance_id, counted, rule, because_of}], one per source"),
    Column("source", Text, comment="the best kind of source that counts: report, capture or header"),
    Column("irradiation_event_count", Integer, nullable=False, comment="each irradiation event UID once"),
    Column("issue_count", Integer, nullable=False),
    Column("dlp_total_mgy_cm", FiniteDouble(), comment="reported totals of the counted reports, added"),
    Column("dlp_of_events_mgy_cm", FiniteDouble(), comment="sum over the events, each once"),
    Column("dose_area_product_total_gy_m2", FiniteDouble()),
    Column("dose_rp_total_gy", FiniteDouble()),
    Column("dose_area_product_of_events_gy_m2", FiniteDouble()),
    Column("dose_rp_of_events_gy", FiniteDouble()),
    Column("mean_ctdi_vol_max_mgy", FiniteDouble(), comment="the greatest of its events"),
    Column("dlp_phantoms", ARRAY(Text), comment="CTDIw phantoms of its events with dose, sorted: DLP adds within one"),
    Column("glandular_dose_left_mgy", FiniteDouble(), comment="accumulated average glandular dose, as reported"),
    Column("glandular_dose_right_mgy", FiniteDouble()),
    Column("administration_count", Integer, nullable=False, server_default="0"),
    Column("administered_activity_mbq", FiniteDouble(), comment="the sum, where all of it is one radionuclide"),
    Column("radionuclides", ARRAY(Text), comment="meanings, sorted"),
    Column("effective_dose_msv", FiniteDouble(), comment="of its administrations, where each says one"),
    *(Column(one.column, FiniteDouble(), comment="the best known dose: see deciding/") for one in BEST.values()),
    Column("origins", ARRAY(Text), comment="of each best dose, sorted: quantity:reported, events, headers or partial"),
    Column("doubts", ARRAY(Text), comment="quantity:name, sorted; null before it was decided"),
    Column("doubted", ARRAY(Text), nullable=False, server_default="{}", comment="the quantities of the doubts, sorted"),
    Column("doubt_evidence", JSONB, comment="[{quantity, name, said: [{what, value, ...}]}], one per doubt"),
    Column("planes", JSONB, comment="[{acquisition_plane, dose_area_product_gy_m2, dose_rp_gy}]"),
    Column("activities", JSONB, comment="[{radionuclide, administered_activity_mbq}]"),
    Column("unattributed", ARRAY(Text), comment="quantities of which a part is of no phantom, nuclide or breast told"),
    Column("replaced_by", Key, comment="the study in which all of this one counts instead: this one is in no sum"),
    Column("is_void", Boolean, nullable=False, server_default=false(), comment="a person left all of it out"),
    Column("decider_version", Integer, comment="of what decided this row, and of the site's limits: see limits.py"),
    Column("differences", ARRAY(Text), comment="totals that differ from the sum of the events, by their names"),
    Column("not_patient", Text, comment="phantom, qa or service, where this is no patient"),
    Column("not_patient_by", Text, comment="person, rule, intent, subject or image: who says what it is"),
    Column("not_patient_rule_id", Integer, comment="the rule that says so; no foreign key: rules may go"),
    Column("own_word", Text, comment="intent, subject or image, by which its objects say that it is no patient's"),
    Column("lacks", ARRAY(Text), Computed(LACKS, persisted=True), comment="doses that its modalities demand"),
    Column("institution_name", Text),
    Column("performing_physician", Text, comment="the first who is named, as in DICOM (PN): see decision/physician.py"),
    Column("manufacturer", Text),
    Column("manufacturer_model_name", Text),
    Column("station_name", Text),
    Column("device_serial_number", Text),
    Column("device_key", Text, Computed(DEVICE_KEY, persisted=True), comment="the device's fingerprint"),
    *(
        Column(name, FiniteDouble(), comment="of one of its events")
        for one in OF_EVENT
        for name in (one.least, one.greatest)
    ),
    Column("protocols", ARRAY(Text), nullable=False, comment="acquisition protocols, each once"),
    Column("patient_id", Text),
    Column("issuer_of_patient_id", Text),
    Column("patient_name", Text),
    Column("patient_sex", Text),
    Column("patient_age", Text),
    Column("patient_age_years", FiniteDouble(), comment="of patient_age, else of the days of birth and of the study"),
    Column("patient_size_m", FiniteDouble()),
    Column("patient_weight_kg", FiniteDouble()),
    Column("size_import_id", Integer, comment="the file that tells the size; null: its objects do"),
    Column("weight_import_id", Integer, comment="the file that tells the weight; null: its objects do"),
    Column("told_size_m", FiniteDouble(), comment="what its objects say, where a file tells the size"),
    Column("told_weight_kg", FiniteDouble(), comment="what its objects say, where a file tells the weight"),
    Column("requested_procedure_description", Text),
    Column("procedure_codes", ARRAY(Text), comment="code^meaning^scheme, as in HL7"),
    Column("procedure_named", Text, comment="both, by which studies are found"),
    Column("study_date", Date),
    Column("study_time", Time),
    Column("study_description", Text),
    Column("accession_number", Text),
    Column("source_deleted_at", Moment, comment="when the last of its objects left the archive"),
    Column("changed_at", Moment, nullable=False),
    Index("ix_dose_study_uid", "study_instance_uid"),
    Index("ix_dose_study_patient", "patient_id"),
    Index("ix_dose_study_accession", "accession_number", postgresql_where=text("accession_number IS NOT NULL")),
    Index(
        "ix_dose_study_newest",
        text("study_date DESC NULLS LAST"),
        text("study_time DESC NULLS LAST"),
        text("orthanc_study_id DESC"),
    ),
    Index("ix_dose_study_best_dlp", text("best_dlp_mgy_cm DESC NULLS LAST"), text("orthanc_study_id DESC")),
    *(
        Index(f"ix_dose_study_{one.column}", one.column, postgresql_where=text(f"{one.column} IS NOT NULL"))
        for one in BEST.values()
        if one.asked is not None and one.name != "dlp_mgy_cm"  # by which the list is sorted too
    ),
    Index("ix_dose_study_events", "irradiation_event_count"),
    *(
        Index(f"ix_dose_study_{one.greatest}", one.greatest, postgresql_where=text(f"{one.greatest} IS NOT NULL"))
        for one in OF_EVENT
    ),
    Index("ix_dose_study_age", "patient_age_years", postgresql_where=text("patient_age_years IS NOT NULL")),
    *(Index(f"ix_dose_study_{name}", text(f"left({name}, {LONGEST_NAMED})")) for name in NAMED),
    *(
        Index(
            f"ix_dose_study_{name}",
            text("study_date DESC NULLS LAST"),
            text("study_time DESC NULLS LAST"),
            text("orthanc_study_id DESC"),
            postgresql_where=text(where),
        )
        for name, where in RARE.items()
    ),
    Index("ix_dose_study_doubts", "doubts", postgresql_using="gin", postgresql_where=text(RARE["doubted"])),
    Index("ix_dose_study_protocols", "protocols", postgresql_using="gin"),
    Index("ix_dose_study_decider", "decider_version", "orthanc_study_id"),
    Index("ix_dose_study_kinds", "kinds", postgresql_using="gin"),
    Index("ix_dose_study_modalities", "modalities", postgresql_using="gin"),
    Index(
        "ix_dose_study_device",
        "device_key",
        postgresql_include=[
            "kinds",
            "study_date",
            "issue_count",
            "not_patient",
            "replaced_by",
            "doubted",
            "best_dlp_mgy_cm",
            "best_dose_area_product_gy_m2",
            "best_glandular_dose_left_mgy",
            "best_glandular_dose_right_mgy",
        ],
    ),
    Index(
        "ix_dose_study_not_patient",
        text("study_date DESC NULLS LAST"),
        text("study_time DESC NULLS LAST"),
        text("orthanc_study_id DESC"),
        postgresql_where=text("not_patient IS NOT NULL"),
    ),
    Index(
        "ix_dose_study_physician",
        "orthanc_study_id",
        postgresql_include=["performing_physician"],
        postgresql_where=text("performing_physician IS NOT NULL"),
    ),
    Index("ix_dose_study_missing", "orthanc_study_id", postgresql_include=["lacks", "replaced_by", "not_patient"]),
    Index(
        "ix_dose_study_not_patient_rule",
        "not_patient_rule_id",
        postgresql_where=text("not_patient_rule_id IS NOT NULL"),
    ),
)

dose_protocol = Table(
    "dose_protocol",
    metadata,
    Column("name", Text, primary_key=True, comment="every acquisition protocol that a study had, each once"),
)

device_name = Table(
    "device_name",
    metadata,
    Column("device_key", Key, primary_key=True, comment="as of dose_study; no foreign key: one device is many rows"),
    Column("version", Integer, primary_key=True, autoincrement=False, comment="the greatest holds"),
    Column("display_name", Text, comment="null: what its objects call it"),
    Column("location", Text),
    Column("changed_by", Text, comment="null: without a login"),
    Column("changed_at", Moment, nullable=False),
)
"""What people call devices: every change of every one."""

size_import = Table(
    "size_import",
    metadata,
    Column("id", Integer, Identity(), primary_key=True, comment="later ones have greater ones"),
    Column("file_name", Text),
    Column("size_unit", Text, comment="m or cm, where a person said it and not the heading"),
    Column("ignored", ARRAY(Text), nullable=False, server_default="{}", comment="headings that mean nothing here"),
    Column("text", Text, comment="the file, until its lines are read"),
    Column("state", Text, nullable=False, comment="reading, checked, applied, undone or failed"),
    Column("problem", PhraseColumn, comment="why the file could not be read"),
    Column("line_count", Integer),
    Column("sent_by", Text, comment="null: without a login"),
    Column("sent_at", Moment, nullable=False),
    Column("applied_by", Text),
    Column("applied_at", Moment),
    Column("reason", Text, comment="why it was applied"),
    Column("undone_by", Text),
    Column("undone_at", Moment),
    Column("undone_reason", Text),
)
"""Files with sizes and weights of patients: each is applied, and undone, as a whole."""

size_line = Table(
    "size_line",
    metadata,
    Column("size_import_id", Integer, ForeignKey("size_import.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="of the file, from 1"),
    Column("text", Text, nullable=False, comment="its beginning"),
    Column("study_instance_uid", Key),
    Column("accession_number", Key),
    Column("patient_id", Key),
    Column("patient_size_m", FiniteDouble()),
    Column("patient_weight_kg", FiniteDouble()),
    Column("problem", PhraseColumn, comment="why it is not taken"),
    Column("outcome", Text, nullable=False, comment="found, no dose, waits, ambiguous, refused"),
    Column("orthanc_study_id", Key, comment="the study that it is of, the first of several"),
    Column("study_count", Integer, nullable=False, server_default="0"),
    Column("told_size_m", FiniteDouble(), comment="what the objects of that study say"),
    Column("told_weight_kg", FiniteDouble()),
    Column("differs", Boolean, nullable=False, server_default=false(), comment="from what the objects say"),
    Index("ix_size_line_uid", "study_instance_uid", postgresql_where=text("study_instance_uid IS NOT NULL")),
    Index("ix_size_line_accession", "accession_number", postgresql_where=text("accession_number IS NOT NULL")),
    Index("ix_size_line_outcome", "size_import_id", "outcome", "line"),
)

dose_undecided = Table(
    "dose_undecided",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("since", Moment, nullable=False, server_default=func.now()),
)

dose_act = Table(
    "dose_act",
    metadata,
    Column("act_id", BigInteger, ForeignKey(act.c.id), primary_key=True),
    Column("key", Key, primary_key=True, comment="event and its UID, or object and its SOP Instance UID"),
    Column("fate", Text, nullable=False, comment="void, move, count or patient"),
    Column("target", Key, comment="of move: the study, by Orthanc's identifier"),
    Index("ix_dose_act_key", "key"),
    Index("ix_dose_act_target", "target", postgresql_where=text("target IS NOT NULL")),
)

dose_redecided = Table(
    "dose_redecided",
    metadata,
    Column("work_id", Integer, ForeignKey(long_work.c.id, ondelete="CASCADE"), primary_key=True),
    Column("orthanc_study_id", Key, primary_key=True),
    Column("study_instance_uid", Key, nullable=False),
    Column("quantity", Text, primary_key=True, comment="of the best known dose; study where it counts no more"),
    Column("before", FiniteDouble()),
    Column("after", FiniteDouble()),
    Column("why", Text, nullable=False, comment="the rules, the origin and the doubts"),
)

dose_limit, dose_limit_version = document_tables(
    metadata,
    "dose_limit",
    Column("quantity", Text, nullable=False, comment="the name of the limit that it stands for: see plausibility.py"),
    Column("least", FiniteDouble(), comment="in the stored unit; null: as built in"),
    Column("greatest", FiniteDouble(), comment="in the stored unit; null: as built in"),
)

not_patient_rule, not_patient_rule_version = document_tables(
    metadata,
    "not_patient_rule",
    Column("meaning", Text, nullable=False, comment="phantom, qa or service"),
    Column("patient_id", Text, comment=PATTERN),
    Column("patient_name", Text),
    Column("study_description", Text),
    Column("equipment", Text, comment="matched with manufacturer, model, station and serial number, one by one"),
    Column("institution_name", Text),
)
