"""What the database says of itself: its version and how large it is."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, kw_only=True)
class DatabaseFacts:
    version: str
    size_bytes: int


def database_facts(connection: Connection) -> DatabaseFacts:
    row = connection.execute(
        text("SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size_bytes")
    ).one()
    return DatabaseFacts(version=row.version, size_bytes=row.size_bytes)
