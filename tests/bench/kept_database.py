"""A database that is filled with very many rows by SQL, once: what benches over a large archive share.

TREEGARTH_BENCH_FOLDER names a folder that keeps it for further runs; else it is made anew and removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Engine, text

from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import create_engine, transaction
from treegarth.database.migration import migrate

QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "4GB"}


@contextmanager
def kept_database(
    name: str, count: int, *, counted: str, tables: Sequence[str], statements: Sequence[str]
) -> Iterator[Engine]:
    """An engine on the database of this name, filled unless the table `counted` has `count` rows. The statements, which
    know `:count`, write the tables."""
    kept = os.environ.get("TREEGARTH_BENCH_FOLDER")
    with TemporaryDirectory(prefix="bench") as place:
        server = EmbeddedServer(Path(kept or place) / name, settings=QUICK)
        address = server.start()
        try:
            migrate(address)
            engine = create_engine(address, application_name="bench")
            if not _is_filled(engine, counted, count):
                _fill(engine, count, tables, statements)
            yield engine
            engine.dispose()
        finally:
            server.stop(timeout_s=60)


def _is_filled(engine: Engine, table: str, count: int) -> bool:
    with engine.connect() as connection:
        found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return found == count


def _fill(engine: Engine, count: int, tables: Sequence[str], statements: Sequence[str]) -> None:
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # the rows are known to fit together
        connection.execute(text("SET LOCAL maintenance_work_mem = '512MB'"))
        indexes = _drop_indexes(connection, tables)
        for statement in statements:
            connection.execute(text(statement), {"count": count})
        for index in indexes:
            connection.execute(text(index))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _drop_indexes(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Drop all but the keys' indexes of the tables that are filled; what makes them again."""
    found = connection.execute(
        text(
            "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
            " WHERE indrelid = ANY (CAST(:tables AS regclass[])) AND NOT indisprimary AND NOT indisunique"
        ),
        {"tables": list(tables)},
    ).all()
    for index in found:
        connection.execute(text(f"DROP INDEX {index.name}"))
    return [index.made for index in found]
