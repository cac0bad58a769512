"""`treegarth dose reread` and `dose redecide`: have every dose read again, or decided anew, and show how far it is.

Both only note that it is wanted, in the database: the workers do it.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TextIO

from sqlalchemy import Connection, Engine

from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import connect, create_engine, transaction
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.features.dose.registry.works import REDECIDING, REREADING
from treegarth.work.kinds import WorkKind
from treegarth.work.store import LongWork, latest

LOOK_EVERY_S = 2.0

Look = Callable[[Engine], tuple[str, bool]]
"""How far a work is, in a sentence, and whether it is done."""


def now() -> datetime:
    return datetime.now(UTC)


def reread_command(configuration: Configuration, environment: Mapping[str, str], *, wait: bool, output: TextIO) -> int:
    """Note that it is wanted, then wait for the workers. Raises SettingsRefused or DatabaseUnavailable."""
    return _command(configuration, environment, REREADING, start_reread, wait=wait, output=output)


def redecide_command(
    configuration: Configuration, environment: Mapping[str, str], *, wait: bool, output: TextIO
) -> int:
    """Note that it is wanted, then wait for the workers. Raises SettingsRefused or DatabaseUnavailable."""
    return _command(configuration, environment, REDECIDING, start_redeciding, wait=wait, output=output)


def _command(
    configuration: Configuration,
    environment: Mapping[str, str],
    kind: WorkKind,
    start: Callable[[Connection, str | None, datetime], LongWork],
    *,
    wait: bool,
    output: TextIO,
) -> int:
    with _engine_of(configuration, environment, f"treegarth {kind.name}") as engine:
        with transaction(engine) as connection:
            start(connection, _who(), now())
        follow(engine, partial(look_at, kind), output, wait=wait)
    return ExitCode.DONE


@contextmanager
def _engine_of(configuration: Configuration, environment: Mapping[str, str], name: str) -> Iterator[Engine]:
    address = database_of(configuration.settings(environment), configuration, environment)
    engine = create_engine(address, pool_size=2, application_name=name)
    try:
        yield engine
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


def look_at(kind: WorkKind, engine: Engine) -> tuple[str, bool]:
    """Done when the last block is."""
    with connect(engine) as connection:
        work = latest(connection, kind.name)
    if work is None:
        return "Nothing was asked for.", True
    said = [f"{work.done} of {work.total} {'studies' if kind is REDECIDING else 'instances'}"]
    said += [f"{label}: {work.counts.get(name, 0)}" for name, label in kind.counts.items()]
    said += [one for one in (work.waits_for, work.last_error) if one]
    return f"No. {work.id}, {work.state}: {', '.join(said)}.", not work.is_running
