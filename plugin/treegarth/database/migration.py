"""Bring a database to the form that this code expects. Upwards only: there is no downgrade, one restores a backup.

All that is missing runs in one transaction under an advisory lock: two starters take turns, and one that is killed
leaves the database as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, cast, func, select, text
from sqlalchemy.exc import DBAPIError

import treegarth
from treegarth.database.engine import SCHEMA, DatabaseAddress, connect, create_engine, transaction
from treegarth.errors import DatabaseNewerThanCode, DatabaseUnsuitable

logger = logging.getLogger(__name__)

MIGRATIONS = Path(treegarth.__file__).parents[2] / "migrations"
OLDEST_SERVER = 15
LOCK_KEY = 0x7265_6567_6172_7468  # "reegarth" in ASCII: as large as a bigint takes, and nobody else's
LOCK_TIMEOUT_S = 600  # a long migration of a large archive runs in another process; wait for it


def migrate(address: DatabaseAddress) -> list[str]:
    """Apply what is missing; the identifiers of the revisions that were applied, oldest first.

    Raises DatabaseNewerThanCode, DatabaseUnsuitable or DatabaseUnavailable; the database is unchanged then.
    """
    engine = create_engine(address, pool_size=1, application_name="treegarth migrate")
    try:
        with transaction(engine) as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
            connection.execute(select(func.pg_advisory_xact_lock(LOCK_KEY)))
            _check_server(connection)
            _make_schema(connection)
            missing = _missing(connection)
            if missing:
                logger.info("Migrating the database: %s.", ", ".join(missing))
                command.upgrade(_configuration(connection), "head")
            return missing
    finally:
        engine.dispose()


def pending(address: DatabaseAddress) -> list[str]:
    """The revisions that `migrate` would apply, oldest first. Raises as `migrate`; changes nothing."""
    engine = create_engine(address, pool_size=1, application_name="treegarth migrate")
    try:
        with connect(engine) as connection:
            _check_server(connection)
            return _missing(connection)
    finally:
        engine.dispose()


def _check_server(connection: Connection) -> None:
    settings = [func.current_setting(name) for name in ("server_version_num", "server_encoding")]
    version, encoding = connection.execute(select(cast(settings[0], Integer), settings[1])).one()
    if version < OLDEST_SERVER * 10_000:
        raise DatabaseUnsuitable(
            f"The server is PostgreSQL {version // 10_000}; Treegarth needs {OLDEST_SERVER} or newer."
        )
    if encoding != "UTF8":
        raise DatabaseUnsuitable(f"The database's encoding is {encoding}; make it anew with ENCODING 'UTF8'.")


def _make_schema(connection: Connection) -> None:
    """Asked first: `CREATE SCHEMA IF NOT EXISTS` wants the right to create even where there is nothing to create."""
    if connection.execute(select(func.to_regnamespace(SCHEMA))).scalar_one() is not None:
        return
    with _explained(f"The role may not create the schema {SCHEMA}. As an administrator: GRANT CREATE ON DATABASE ..."):
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))


@contextmanager
def _explained(message: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != "42501":  # insufficient_privilege
            raise
        raise DatabaseUnsuitable(message) from error


def _missing(connection: Connection) -> list[str]:
    script = ScriptDirectory.from_config(_configuration(connection))
    known = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    applied = MigrationContext.configure(connection).get_current_heads()
    unknown = [head for head in applied if head not in known]
    if unknown:
        raise DatabaseNewerThanCode(
            f"The database is at revision {unknown[0]}, this code knows up to {known[-1]}. "
            f"{DatabaseNewerThanCode.__doc__}"
        )
    return known[known.index(applied[0]) + 1 :] if applied else known


def _configuration(connection: Connection) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    return configuration
