"""`treegarth audit`: whether the trail is as it was written, the trail as a file, and its latest events."""

from __future__ import annotations

import csv
import getpass
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from secrets import token_hex
from socket import gethostname
from typing import Any, Literal, TextIO

from sqlalchemy import Connection, Engine

from treegarth.assembly import site_zone
from treegarth.audit.chain import SigningKey
from treegarth.audit.keys import read_key_file, signing_key
from treegarth.audit.model import Event, EventOutcome, Way, What
from treegarth.audit.store import (
    AuditEvent,
    append,
    read_events,
    read_heads,
    studies_of_patient,
    take_identity_away,
    verify_chain,
)
from treegarth.audit.verify import Verdict
from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import connect, create_engine, transaction
from treegarth.database.location import data_folder, index_directory
from treegarth.errors import MachineNotReady


def verify_command(
    configuration: Configuration, environment: Mapping[str, str], key_files: Sequence[Path], output: TextIO
) -> int:
    """Verify every chain and say what is found of each; DONE where all are whole.

    Raises SettingsRefused, DatabaseUnavailable, MachineNotReady for a key file that cannot be read.
    """
    keys = {one.name: one for one in _keys(configuration, environment, key_files, output)}
    with _database(configuration, environment) as connection:
        verdicts = [verify_chain(connection, head, keys) for head in read_heads(connection)]
    if not verdicts:
        print("The audit trail is empty.", file=output)
    for verdict in verdicts:
        _tell(verdict, output)
    return ExitCode.DONE if all(one.is_whole for one in verdicts) else ExitCode.FAILED


def export_command(
    configuration: Configuration,
    environment: Mapping[str, str],
    output: TextIO,
    *,
    form: Literal["csv", "jsonl"],
    first: date | None,
    last: date | None,
) -> int:
    """Write the events of these days of the site, as they were written. Raises SettingsRefused, DatabaseUnavailable."""
    from treegarth.web.lists import begins, is_over

    zone = site_zone(configuration.settings(environment))
    begin, end = begins(first, zone) if first else None, is_over(last, zone) if last else None
    with _database(configuration, environment) as connection:
        write = _csv_writer(output) if form == "csv" else _json_writer(output)
        for event in read_events(connection, begin=begin, end=end):
            write(event)
    return ExitCode.DONE


def tail_command(configuration: Configuration, environment: Mapping[str, str], count: int, output: TextIO) -> int:
    """Print the latest events, the newest last. Raises SettingsRefused, DatabaseUnavailable."""
    zone = site_zone(configuration.settings(environment))
    with _database(configuration, environment) as connection:
        for event in reversed(list(read_events(connection, latest=count))):
            who = event.actor or "nobody"
            about = ", ".join((*(event.patients or ()), *(event.studies or ())))
            times = f" x{event.count}" if event.count > 1 else ""
            said = f"{event.at.astimezone(zone):%Y-%m-%d %H:%M:%S}  {who:16} {event.what}{times} {event.outcome}"
            print(f"{said}  {event.address or '-'}  {event.place}  {about}".rstrip(), file=output)
    return ExitCode.DONE


def erase_command(configuration: Configuration, environment: Mapping[str, str], patient_id: str, output: TextIO) -> int:
    """Take what tells of a patient out of the trail, for good, and write that it was done, without whose it was.

    Raises SettingsRefused, DatabaseUnavailable, MachineNotReady where the key that signs cannot be read.
    """
    settings = configuration.settings(environment)
    folder = data_folder(settings, index_directory(configuration.values, configuration.source))
    key, now = signing_key(settings, folder, environment), datetime.now(UTC)
    with _engine(configuration, environment) as engine, transaction(engine) as connection:
        count = take_identity_away(connection, patient_id, studies_of_patient(connection, patient_id))
        if count:
            actor = f"{getpass.getuser()} (command line)"
            done = Event(
                what=What.ERASE,
                outcome=EventOutcome.DONE,
                at=now,
                way=Way.COMMAND,
                actor=actor,
                place="audit",
                count=count,
            )
            append(connection, f"{gethostname()}:command", [(f"erase-{token_hex(8)}", done)], key, now)
    print(f"{count} events do not tell any more whom they were about.", file=output)
    return ExitCode.DONE


def _tell(verdict: Verdict, output: TextIO) -> None:
    what = "whole" if verdict.is_whole else "NOT AS IT WAS WRITTEN"
    print(
        f"{verdict.server}: {what}; {verdict.events} events, {verdict.first} to {verdict.last}, "
        f"{verdict.anchors} anchors checked, {verdict.erased} identities erased",
        file=output,
    )
    print(f"  hash of the last event: {verdict.hash.hex()}", file=output)
    if verdict.unsigned:
        print(f"  {verdict.unsigned} signatures are of a key that is not here: name it by --key", file=output)
    for fault in verdict.faults:
        print(f"  event {fault.number}: {fault.said}", file=output)


def _keys(
    configuration: Configuration, environment: Mapping[str, str], files: Sequence[Path], output: TextIO
) -> Iterator[SigningKey]:
    yield from (read_key_file(file) for file in files)
    settings = configuration.settings(environment)
    folder = data_folder(settings, index_directory(configuration.values, configuration.source))
    try:
        yield signing_key(settings, folder, environment)
    except MachineNotReady as error:
        print(f"{error} Signatures of this server are not checked.", file=output)


@contextmanager
def _database(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Connection]:
    """At one moment: a writer goes on meanwhile."""
    with _engine(configuration, environment) as engine, connect(engine) as connection:
        yield connection.execution_options(isolation_level="REPEATABLE READ")


@contextmanager
def _engine(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Engine]:
    address = database_of(configuration.settings(environment), configuration, environment)
    engine = create_engine(address, pool_size=1, application_name="treegarth audit")
    try:
        yield engine
    finally:
        engine.dispose()


def _json_writer(output: TextIO) -> Any:
    return lambda event: print(event.model_dump_json(), file=output)


def _csv_writer(output: TextIO) -> Any:
    names = list(AuditEvent.model_fields)
    writer = csv.DictWriter(output, names, lineterminator="\n")
    writer.writeheader()

    def write(event: AuditEvent) -> None:
        values = json.loads(event.model_dump_json())
        writer.writerow({name: ", ".join(one) if isinstance(one, list) else one for name, one in values.items()})

    return write
