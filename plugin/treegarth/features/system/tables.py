"""What the server took of the machine, minute by minute and hour by hour. Tables only."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Table, Text

from treegarth.database.metadata import metadata

system_sample = Table(
    "system_sample",
    metadata,
    Column("server", Text, primary_key=True, comment="whose: host:port of an Orthanc"),
    Column("hourly", Boolean, primary_key=True, comment="what an hour came to; else of one minute"),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("storage_total_bytes", BigInteger),
    Column("storage_free_bytes", BigInteger, comment="of an hour: the least"),
    Column("database_bytes", BigInteger),
    Column("database_free_bytes", BigInteger, comment="of the disk of the embedded server"),
    Column("orthanc_memory_bytes", BigInteger, comment="of an hour: the most"),
    Column("indexer_memory_bytes", BigInteger),
    Column("workers_memory_bytes", BigInteger),
    Column("database_memory_bytes", BigInteger),
    Column("waiting_instances", BigInteger, comment="stores and deletions that the index has not taken up"),
    Column("waiting_tasks", BigInteger),
)
