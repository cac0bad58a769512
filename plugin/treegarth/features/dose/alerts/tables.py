"""Levels of dose alerts, the alerts that they made, what was done about each, and exams that wait to be looked at.

Tables only. No foreign key leads to an exam: an alert outlives it. What was done is never changed nor deleted:
PostgreSQL refuses it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import PhraseColumn
from treegarth.documents.tables import document_tables

Key = String(collation="C")
Moment = DateTime(timezone=True)

dose_alert_level, dose_alert_level_version = document_tables(
    metadata,
    "dose_alert_level",
    Column("kind", Text, nullable=False, comment="exam, cumulative, repeat, missing or outlier"),
    Column("exams_from", Date, nullable=False, comment="exams of this day or later make alerts"),
    Column("swept_at", Moment, comment="of missing dose: until when studies were looked at; null: never"),
)

dose_alert = Table(
    "dose_alert",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("level_id", Integer, ForeignKey("dose_alert_level.id"), nullable=False),
    Column("level_version", Integer, nullable=False, comment="what the level said when it fired"),
    Column("kind", Text, nullable=False),
    Column("quantity", Text, nullable=False, comment="of quantities.py or derived_dose; exams; lacks"),
    Column("orthanc_study_id", Key, nullable=False, comment="the exam that made it; no foreign key: it outlives it"),
    Column("study_instance_uid", Key, nullable=False),
    Column("scope_id", Integer, nullable=False, comment="of that exam"),
    Column("exam_date", Date, comment="of that exam: where the window ends in which a patient was first above"),
    Column("exam_time", Time),
    Column("alert_patient_id", Text, comment="of sums and repeats: whose exams they are"),
    Column("alert_issuer_of_patient_id", Text),
    Column("grouped_by", Text, nullable=False, server_default="", comment="of repeats: the name that the exams share"),
    Column("modality", Text),
    Column("value", FiniteDouble(), comment="in the unit shown; of repeats exams, of missing dose hours"),
    Column("limit_value", FiniteDouble(), comment="above which it fired; of outliers as it was then"),
    Column("unit", Text, nullable=False),
    Column("exam_count", Integer, nullable=False, comment="how many exams make the value"),
    Column("details", JSONB, nullable=False, comment="what else the level said: window, percentile, n, what lacks"),
    Column("is_doubted", Boolean, nullable=False, comment="some value in it has a doubt"),
    Column("state", Text, nullable=False, server_default="open", comment="open or acknowledged"),
    Column("holds", Boolean, nullable=False, server_default=text("true"), comment="false: no longer so"),
    Column("assignee", Text),
    Column("fired_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False, comment="when its state, its assignee or its value changed last"),
    Index("uq_dose_alert", "level_id", "quantity", "orthanc_study_id", "grouped_by", unique=True),
    Index("ix_dose_alert_study", "orthanc_study_id"),
    Index("ix_dose_alert_patient", "alert_patient_id", postgresql_where=text("alert_patient_id IS NOT NULL")),
    Index("ix_dose_alert_open", text("id DESC"), postgresql_where=text("state = 'open' AND holds")),
)

dose_alert_exam = Table(
    "dose_alert_exam",
    metadata,
    Column("alert_id", BigInteger, ForeignKey("dose_alert.id"), primary_key=True),
    Column("orthanc_study_id", Key, primary_key=True),
    Column("study_instance_uid", Key, nullable=False),
    Column("study_date", Date),
    Column("study_time", Time),
    Column("value", FiniteDouble(), comment="in the unit shown"),
    Column("is_doubted", Boolean, nullable=False),
    Index("ix_dose_alert_exam_study", "orthanc_study_id"),
)
"""The exams that make an alert's value."""

dose_alert_history = Table(
    "dose_alert_history",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True, comment="later ones have greater ones"),
    Column("alert_id", BigInteger, ForeignKey("dose_alert.id"), nullable=False),
    Column("act", Text, nullable=False, comment="fired, ended, again, moved; acknowledge, assign, comment, reopen"),
    Column("by", Text, comment="null: without a login, or by itself"),
    Column("is_by_itself", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
    Column("reason", Text),
    Column("assignee", Text),
    Column("content", JSONB, nullable=False, server_default="{}", comment="value, limit and exam, as they were then"),
    Index("ix_dose_alert_history_alert", "alert_id", "id"),
)

dose_alert_due = Table(
    "dose_alert_due",
    metadata,
    Column("orthanc_study_id", Key, primary_key=True),
    Column("since", Moment, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now()),
    Column("last_error", PhraseColumn, comment="why the last attempt failed"),
    Index("ix_dose_alert_due_next", "next_attempt_at"),
    comment="exams that changed and that alerts have not looked at yet",
)
