"""Where long work is kept, and the files that it makes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.database.finite_double import FiniteDouble
from treegarth.database.metadata import metadata
from treegarth.database.phrase_column import PhraseColumn

Moment = DateTime(timezone=True)
RUNS = text("state = 'running'")

long_work = Table(
    "long_work",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="its name in code: dose.redeciding"),
    Column("subject", Text, nullable=False, server_default="", comment="what it is about, where a kind has several"),
    Column("given", JSONB, nullable=False, server_default="{}", comment="what it was asked for with"),
    Column("detail", PhraseColumn, comment="what exactly, where the kind does not say it"),
    Column("asked_by", Text, comment="NULL: without a login, or by itself"),
    Column("is_asked", Boolean, nullable=False, comment="by a person or a program; otherwise it began by itself"),
    Column("asked_at", Moment, nullable=False),
    Column("state", Text, nullable=False, server_default="running", comment="running, done, partly, failed, stopped"),
    Column("total", BigInteger, comment="NULL: nobody knows"),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("counts", JSONB, nullable=False, server_default="{}", comment="what else the kind counts, by name"),
    Column("place", JSONB, comment="where the next block begins, as the kind notes it"),
    Column("working_s", FiniteDouble(), nullable=False, server_default="0", comment="without what it waited"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="failures of the next block in a row"),
    Column("next_attempt_at", Moment, nullable=False, server_default=func.now(), comment="or the end of a lease"),
    Column("waits_for", PhraseColumn, comment="what the next block waits for"),
    Column("last_error", PhraseColumn),
    Column("stopped_by", Text, comment="NULL: without a login, or not stopped"),
    Column("finished_at", Moment),
    Column("result_name", Text, comment="of the file that it made"),
    Column("result_until", Moment, comment="the file is deleted then"),
    Index("uq_long_work_running", "kind", "subject", unique=True, postgresql_where=RUNS),
    Index("ix_long_work_running", "next_attempt_at", postgresql_where=RUNS),
    Index("ix_long_work_kind", "kind", "subject", "id"),
    Index("ix_long_work_result", "result_until", postgresql_where=text("result_until IS NOT NULL")),
)

long_work_file = Table(
    "long_work_file",
    metadata,
    Column("work_id", Integer, ForeignKey("long_work.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True, comment="from 0 on"),
    Column("content", LargeBinary, nullable=False),
    comment="what a work made, in parts; any server that shares the database can answer it",
)
