"""`treegarth rules import` and `treegarth rules export`: rules as texts that can be kept under version control."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import Engine

from treegarth.assembly import rule_language, site_zone
from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import connect, create_engine, transaction
from treegarth.documents.importing import Imported
from treegarth.documents.store import Author
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import InvalidRequest, MachineNotReady
from treegarth.features.rules.service import RuleBook, export_rules, import_rules
from treegarth.features.rules.store.rules import RULES


def import_command(
    configuration: Configuration, environment: Mapping[str, str], file: Path, *, dry_run: bool, output: TextIO
) -> int:
    """Make the rules as the file says, all or nothing, and say what changed.

    Raises SettingsRefused, DatabaseUnavailable, MachineNotReady for a file that cannot be read.
    """
    text = read_text(file)
    settings = configuration.settings(environment)
    author = Author(name=f"{getpass.getuser()} (command line)", now=datetime.now(site_zone(settings)))
    with database(configuration, environment) as engine:
        try:
            with transaction(engine) as connection:
                made = import_rules(connection, rule_language(settings), text, author, dry_run=dry_run)
        except InvalidRequest as refused:
            print(f"{file}: nothing was changed.", file=sys.stderr)
            for line in str(refused).splitlines():
                print(f"  {line}", file=sys.stderr)
            return ExitCode.FAILED
    for one in made:
        print(told(one), file=output)
    if dry_run:
        print("Nothing was changed: this was a dry run.", file=output)
    return ExitCode.DONE


def export_command(configuration: Configuration, environment: Mapping[str, str], output: TextIO) -> int:
    """Write every rule as YAML. Raises SettingsRefused or DatabaseUnavailable."""
    book = RuleBook(rule_language(configuration.settings(environment)))
    with database(configuration, environment) as engine, connect(engine) as connection:
        output.write(export_rules(book, RULES.all(connection)))
    return ExitCode.DONE


def told(imported: Imported) -> str:
    """One line about one rule."""
    return f"{imported.outcome:8} {'on ' if imported.is_on else 'off'} {imported.name}"


def read_text(file: Path) -> str:
    """The file's text, or standard input's for "-". Raises MachineNotReady."""
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise MachineNotReady(f"{file} cannot be read: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MachineNotReady(f"{file} is no text in UTF-8.") from None


@contextmanager
def database(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Engine]:
    address = database_of(configuration.settings(environment), configuration, environment)
    engine = create_engine(address, pool_size=1, application_name="treegarth rules")
    try:
        yield engine
    finally:
        engine.dispose()
