"""Engines and connections to PostgreSQL, the embedded server or a site's own. No SQL of any feature.

Everything of ours lives in one schema of the database, so that the role of a site's own server needs no more than
CREATE on its database: no superuser, no extension, no right in `public`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import sqlalchemy
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from treegarth.errors import DatabaseUnavailable

SCHEMA = "treegarth"

# A peer that vanished (power, cable) is noticed after 10 + 3 × 5 s, unacknowledged data after 15 s.
CONNECT_TIMEOUT_S = 5
POOL_TIMEOUT_S = 5.0
KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}

# SQLSTATE classes after which the same work may succeed later: connection, authorisation, no such database,
# transaction rolled back, out of resources, object in use, operator intervention, system error. Other classes
# (54 "row too large for its index" is one) come from the data: to try those again would go on for ever.
PASSING_SQLSTATE_CLASSES = frozenset({"08", "25", "28", "3D", "40", "53", "55", "57", "58"})
TOOK_TOO_LONG = frozenset({"57014", "55P03", "40P01"})  # a statement's time was over, or a lock's; or a deadlock
TOO_LONG = "PostgreSQL did not end this in the time that it has: something else holds what it needs. Try again."


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """Where a database is, `postgresql://user@host:port/name`, and its password apart (never shown or logged)."""

    url: str
    password: str | None = field(default=None, repr=False)

    def sqlalchemy_url(self) -> URL:
        """With the driver that Treegarth uses and the password; its `str()` hides the password."""
        url = make_url(self.url).set(drivername="postgresql+psycopg")
        return url.set(password=self.password) if self.password is not None else url

    def conninfo(self, *, application_name: str = "treegarth") -> str:
        """For psycopg and procrastinate, in libpq's form, with the password (never log it) and our schema in front."""
        url = self.sqlalchemy_url()
        given = {key: value if isinstance(value, str) else value[-1] for key, value in url.query.items()}
        parts = {
            "host": url.host,
            "port": url.port,
            "dbname": url.database,
            "user": url.username,
            "password": url.password,
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": _session_options(None),
            **KEEPALIVE,
            **given,
        }
        return make_conninfo("", **{key: value for key, value in parts.items() if value is not None})


def create_engine(
    address: DatabaseAddress,
    *,
    pool_size: int = 5,
    application_name: str = "treegarth",
    statement_timeout_s: float | None = None,
    is_done_again: bool = False,
) -> Engine:
    """An engine with at most `pool_size` connections, each tested before use; it waits 5 s for a free one.

    `is_done_again` is for work that whoever asks for it repeats after any failure: its connections are not tested
    before use, and PostgreSQL may lose a commit when it crashes right after.
    """
    engine = sqlalchemy.create_engine(
        address.sqlalchemy_url(),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=not is_done_again,
        pool_use_lifo=True,
        hide_parameters=True,  # values hold patients' names: they must not reach an error's text
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": application_name,
            "options": _session_options(statement_timeout_s, waits_for_disk=not is_done_again),
            **KEEPALIVE,
        },
    )
    sqlalchemy.event.listen(engine, "connect", _sort_values_alone)
    sqlalchemy.event.listen(engine, "handle_error", _keep_values_out)
    return engine


SORT_VALUES_ALONE = "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_presorted_aggregate'"


def _sort_values_alone(connection: psycopg.Connection, _: object) -> None:
    """PostgreSQL from 16 on sorts whole rows before an aggregate that wants an order; the values alone, as before, take
    half the time (250,000 doses: 184 ms instead of 265). Older servers have no such setting."""
    connection.execute(SORT_VALUES_ALONE)
    connection.commit()


@contextmanager
def connect(engine: Engine) -> Iterator[Connection]:
    """A connection for reading; what was begun is rolled back at the end. Raises DatabaseUnavailable."""
    with _translated(), engine.connect() as connection:
        yield connection


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end, rolled back on any exception. Raises DatabaseUnavailable."""
    with _translated(), engine.begin() as connection:
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if not _passes(error):
            raise
        if getattr(error.orig, "sqlstate", None) in TOOK_TOO_LONG:
            raise DatabaseUnavailable(TOO_LONG) from error
        raise DatabaseUnavailable(f"{DatabaseUnavailable.__doc__} ({_first_line(error)})") from error
    except PoolExhausted as error:
        raise DatabaseUnavailable(
            f"No database connection became free within {POOL_TIMEOUT_S:g} s; all of this process are in use."
        ) from error


def _keep_values_out(context: ExceptionContext) -> None:
    """Cut PostgreSQL's DETAIL off: it shows the refused row, with the patient's name, and errors get into logs."""
    for error in (context.original_exception, context.sqlalchemy_exception):
        if error is not None and len(error.args) == 1 and isinstance(error.args[0], str):
            error.args = (error.args[0].partition("\nDETAIL:")[0],)


def _passes(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    sqlstate = getattr(error.orig, "sqlstate", None)
    return sqlstate is None or sqlstate[:2] in PASSING_SQLSTATE_CLASSES


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _session_options(statement_timeout_s: float | None, *, waits_for_disk: bool = True) -> str:
    options = f"-c search_path={SCHEMA} -c timezone=UTC"
    if statement_timeout_s is not None:
        options += f" -c statement_timeout={round(statement_timeout_s * 1000)}"
    if not waits_for_disk:
        options += " -c synchronous_commit=off"
    return options
