"""What the database says of itself: its version and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    version: str
    size_bytes: int


def database_facts(connection: Connection) -> DatabaseFacts:
    version, size = func.current_setting("server_version"), func.pg_database_size(func.current_database())
    row = connection.execute(select(version.label("version"), size.label("size_bytes"))).one()
    return DatabaseFacts(version=row.version, size_bytes=row.size_bytes)
