"""Rules with their history, the events that rules wait for, what rules did, and notifications. Tables only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import PhraseColumn

Key = String(collation="C")
Moment = DateTime(timezone=True)

rule = Table(
    "rule",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="the latest of rule_version: the one that acts"),
    Column("trigger", Text, nullable=False, comment="study stable, series stable, dose read, schedule or by hand"),
    Column("is_on", Boolean, nullable=False, server_default=text("false")),
    Column("position", Integer, nullable=False, comment="rules act in this order"),
    Column("scheduled_at", Moment, comment="when a rule of trigger schedule acts next"),
    Column("removed_at", Moment, comment="a rule that was removed stays, for what it did refers to it"),
    Index("uq_rule_name", "name", unique=True, postgresql_where=text("removed_at IS NULL")),
)

rule_version = Table(
    "rule_version",
    metadata,
    Column("rule_id", Integer, ForeignKey("rule.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", JSONB, nullable=False, comment="the rule as its text form has it: name, why, when, if, do"),
    Column("is_on", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("change", Text, nullable=False, comment="created, edited, switched on, switched off, moved, removed"),
    Column("changed_by", Text),
    Column("changed_at", Moment, nullable=False),
    Column("source", Text, comment="the text that it was written as, with its comments"),
    comment="every change of every rule",
)

rule_event = Table(
    "rule_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("orthanc_series_id", Key, nullable=False, server_default="", comment="of series stable; else empty"),
    Column("rule_id", Integer, nullable=False, server_default="0", comment="only this rule; 0: every one that is on"),
    Column("asked_by", Text, comment="the user who applied the rule"),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting or failed; done rows are deleted"),
    Column("noted_at", Moment, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now()),
    Column("last_error", PhraseColumn),
    Index("uq_rule_event", "trigger", "orthanc_study_id", "orthanc_series_id", "rule_id", unique=True),
    Index("ix_rule_event_waiting", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
    comment="what happened and rules have not looked at yet",
)

rule_outcome = Table(
    "rule_outcome",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rule_id", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("orthanc_study_id", Key, nullable=False),
    Column("study_instance_uid", Key, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("asked_by", Text),
    Column("actions", JSONB, nullable=False, comment="[{action, done}]: what each action did, in words and numbers"),
    Index("ix_rule_outcome_rule", "rule_id", text("id DESC")),
    Index("ix_rule_outcome_study", "study_instance_uid"),
    comment="each time a rule matched a study, and what it did",
)

notification = Table(
    "notification",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("rule_id", Integer),
    Column("orthanc_study_id", Key),
    Column("study_instance_uid", Key),
    Column("channel", Text, nullable=False, comment="dashboard, email or webhook"),
    Column("target", Text, nullable=False, server_default="", comment="an address, or the webhook's name"),
    Column("title", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting", comment="waiting, sent or given up"),
    Column("created_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now()),
    Column("last_error", PhraseColumn),
    Column("sent_at", Moment, comment="on the dashboard: when a user had seen it"),
    Column("seen_by", Text),
    Column("matched", JSONB, comment="[{field, values}]: by what the rule matched; it never leaves the house"),
    Index("ix_notification_study", "orthanc_study_id", "id", postgresql_where=text("channel = 'dashboard'")),
    Index(
        "ix_notification_unseen",
        "orthanc_study_id",
        postgresql_where=text("channel = 'dashboard' AND state = 'waiting'"),
    ),
    Index("ix_notification_waiting", "next_attempt_at", postgresql_where=text("state = 'waiting'")),
    Index("ix_notification_newest", text("id DESC")),
)
