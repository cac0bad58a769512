"""`treegarth dose reread`: have every source of dose in the archive read again, and show how far it is."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TextIO

from sqlalchemy import Engine

from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import connect, create_engine
from treegarth.features import dose
from treegarth.tasks.app import TaskHints

LOOK_EVERY_S = 2.0


def now() -> datetime:
    return datetime.now(UTC)


def reread_command(configuration: Configuration, environment: Mapping[str, str], *, wait: bool, output: TextIO) -> int:
    """Note every source, then wait for the workers. Raises SettingsRefused or DatabaseUnavailable."""
    settings = configuration.settings(environment)
    address = database_of(settings, configuration, environment)
    engine = create_engine(address, pool_size=2, application_name="treegarth reread")
    try:
        dose.reread(engine, started_by=f"{getpass.getuser()} (command line)", clock=now)
        with closing(TaskHints(address)) as hints:
            hints.announce(dose.READ_WAITING)
        print(progress_line(engine), file=output, flush=True)
        if wait:
            _wait(engine, output)
    finally:
        engine.dispose()
    return ExitCode.DONE


def _wait(engine: Engine, output: TextIO) -> None:
    """Until nothing waits; a worker may say so before us."""
    told = ""
    while True:
        with connect(engine) as connection:
            progress = dose.reread_progress(connection)
        line = progress_line(engine)
        if line != told:
            print(line, file=output, flush=True)
            told = line
        if progress is None or not progress.is_running or progress.waiting == 0:
            return
        time.sleep(LOOK_EVERY_S)


def progress_line(engine: Engine) -> str:
    """How far the latest re-reading is, in a sentence."""
    with connect(engine) as connection:
        progress = dose.reread_progress(connection)
    if progress is None:
        return "Nothing was read again yet."
    return (
        f"{progress.walked} objects of the archive looked at, {progress.noted} sources of dose among them, "
        f"{progress.waiting} wait to be read by reader {progress.reader_version}."
    )
