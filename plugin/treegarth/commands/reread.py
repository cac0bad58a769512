"""`treegarth dose reread` and `dose redecide`: have every dose read again, or decided anew, and show how far it is.

Both only note that it is wanted, in the database: the workers do it.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TextIO

from sqlalchemy import Engine

from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import DatabaseAddress, connect, create_engine, transaction
from treegarth.features.dose.registry.service import reread
from treegarth.features.dose.registry.store.redecision import redeciding_progress, start_redeciding
from treegarth.features.dose.registry.store.reread_walk import reread_progress
from treegarth.features.dose.registry.tasks import READ_WAITING
from treegarth.tasks.app import TaskHints

LOOK_EVERY_S = 2.0

Look = Callable[[Engine], tuple[str, bool]]
"""How far a work is, in a sentence, and whether it is done."""


def now() -> datetime:
    return datetime.now(UTC)


def reread_command(configuration: Configuration, environment: Mapping[str, str], *, wait: bool, output: TextIO) -> int:
    """Note every source, then wait for the workers. Raises SettingsRefused or DatabaseUnavailable."""
    with _engine_of(configuration, environment, "treegarth reread") as (engine, address):
        reread(engine, started_by=_who(), clock=now)
        with closing(TaskHints(address)) as hints:
            hints.announce(READ_WAITING)
        follow(engine, look_at_reread, output, wait=wait)
    return ExitCode.DONE


def redecide_command(
    configuration: Configuration, environment: Mapping[str, str], *, wait: bool, output: TextIO
) -> int:
    """Note that it is wanted, then wait for the workers. Raises SettingsRefused or DatabaseUnavailable."""
    with _engine_of(configuration, environment, "treegarth redecide") as (engine, _):
        with transaction(engine) as connection:
            start_redeciding(connection, _who(), now())
        follow(engine, look_at_redeciding, output, wait=wait)
    return ExitCode.DONE


@contextmanager
def _engine_of(
    configuration: Configuration, environment: Mapping[str, str], name: str
) -> Iterator[tuple[Engine, DatabaseAddress]]:
    address = database_of(configuration.settings(environment), configuration, environment)
    engine = create_engine(address, pool_size=2, application_name=name)
    try:
        yield engine, address
    finally:
        engine.dispose()


def _who() -> str:
    return f"{getpass.getuser()} (command line)"


def follow(engine: Engine, look: Look, output: TextIO, *, wait: bool) -> None:
    """Print how far it is; where it is to wait, whenever that changes, until it is done."""
    told = ""
    while True:
        line, is_done = look(engine)
        if line != told:
            print(line, file=output, flush=True)
            told = line
        if is_done or not wait:
            return
        time.sleep(LOOK_EVERY_S)


def look_at_reread(engine: Engine) -> tuple[str, bool]:
    """Done when nothing waits; a worker may say so before us."""
    with connect(engine) as connection:
        progress = reread_progress(connection)
    if progress is None:
        return "Nothing was read again yet.", True
    line = (
        f"{progress.walked} objects of the archive looked at, {progress.noted} sources of dose among them, "
        f"{progress.waiting} wait to be read by reader {progress.reader_version}."
    )
    return line, not progress.is_running or progress.waiting == 0


def look_at_redeciding(engine: Engine) -> tuple[str, bool]:
    """Done when the last study is decided."""
    with connect(engine) as connection:
        progress = redeciding_progress(connection)
    if progress is None:
        return "Nothing was decided anew yet.", True
    line = (
        f"{progress.decided} of {progress.study_count} studies decided by decider {progress.decider_version}, "
        f"{progress.changed} of them have another dose."
    )
    return line, not progress.is_running
