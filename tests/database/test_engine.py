"""Engines: quick to say that the database is away, exact about what trying again can mend, silent about values."""

from __future__ import annotations

import time
import traceback
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from tests.databases import execute
from treegarth.database.engine import POOL_TIMEOUT_S, DatabaseAddress, connect, create_engine, transaction
from treegarth.errors import DatabaseUnavailable


def test_a_connection_speaks_utc_and_finds_our_tables(engine: Engine) -> None:
    with connect(engine) as connection:
        shown = connection.execute(
            text("SELECT current_setting('TimeZone'), current_schema(), current_setting('application_name')")
        ).one()
    assert shown == ("UTC", "treegarth", "test")


def test_the_address_shows_its_password_to_nobody(database_address: DatabaseAddress) -> None:
    assert str(database_address.password) not in repr(database_address)
    assert str(database_address.password) not in str(database_address.sqlalchemy_url())
    assert str(database_address.password) in database_address.conninfo()


def test_options_of_the_address_reach_the_driver() -> None:
    address = DatabaseAddress(url="postgresql://a@db.example.org/b?sslmode=verify-full&connect_timeout=2")
    assert "sslmode=verify-full" in address.conninfo()
    assert "connect_timeout=2" in address.conninfo()
    assert address.sqlalchemy_url().query["sslmode"] == "verify-full"


def test_a_transaction_is_kept_whole_or_not_at_all(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES ('kept')"))
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES ('not kept'), ('kept')"))
    with connect(engine) as connection:
        assert connection.execute(text("SELECT array_agg(orthanc_patient_id) FROM patient")).scalar_one() == ["kept"]


def test_nobody_listening_is_unavailable_at_once() -> None:
    engine = create_engine(DatabaseAddress(url="postgresql://a@127.0.0.1:1/b", password="c"))
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match=r"catches up when it is back.*connection failed"), connect(engine):
        pass
    assert time.monotonic() - began < 2


def test_a_server_that_ends_under_a_connection_is_unavailable_and_the_next_connection_works(engine: Engine) -> None:
    with pytest.raises(DatabaseUnavailable), connect(engine) as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with connect(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_connections_that_died_in_the_pool_are_replaced_unnoticed(
    engine: Engine, server_address: DatabaseAddress
) -> None:
    with connect(engine) as connection:
        connection.execute(text("SELECT 1"))
    execute(server_address, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test'")
    with connect(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_statement_that_takes_too_long_is_unavailable(database_address: DatabaseAddress) -> None:
    engine = create_engine(database_address, statement_timeout_s=0.1)
    with pytest.raises(DatabaseUnavailable, match="in the time that it has"), connect(engine) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    engine.dispose()


def test_a_pool_in_full_use_is_unavailable_after_a_while(database_address: DatabaseAddress) -> None:
    engine = create_engine(database_address, pool_size=1)
    began = time.monotonic()
    with (
        connect(engine),
        pytest.raises(DatabaseUnavailable, match="No database connection became free"),
        connect(engine),
    ):
        pass
    assert POOL_TIMEOUT_S - 1 < time.monotonic() - began < POOL_TIMEOUT_S + 3
    engine.dispose()


def test_what_the_data_are_to_blame_for_is_not_called_unavailable(engine: Engine) -> None:
    too_long = "".join(chr(0x4E00 + number * 7 % 20000) for number in range(9000))  # beyond an index entry's size
    with pytest.raises(OperationalError, match="index row"), transaction(engine) as connection:
        connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES (:key)"), {"key": too_long})
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(text("INSERT INTO patient (orthanc_patient_id) VALUES (NULL)"))


def test_values_do_not_reach_an_errors_text(engine: Engine) -> None:
    name = "홍길동"
    failing = [
        "INSERT INTO patient (orthanc_patient_id, nothing) VALUES (:name, 1)",  # no such column
        "INSERT INTO patient (patient_name) VALUES (:name)",  # the row that fails its constraint
    ]
    for statement in failing:
        with pytest.raises(DBAPIError) as raised, transaction(engine) as connection:
            connection.execute(text(statement), {"name": name})
        assert name not in "".join(traceback.format_exception(raised.value))


def test_a_wrong_password_is_told_as_such(database_address: DatabaseAddress) -> None:
    engine = create_engine(replace(database_address, password="wrong"))
    with pytest.raises(DatabaseUnavailable, match="password authentication failed"), connect(engine):
        pass
