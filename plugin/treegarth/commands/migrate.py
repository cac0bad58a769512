"""`treegarth migrate`: bring the database of a configuration to this code's form, whether its server runs or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress
from treegarth.database.location import own_server_address
from treegarth.database.migration import migrate, pending


def migrate_command(
    configuration: Configuration, environment: Mapping[str, str], *, dry_run: bool, output: TextIO
) -> int:
    """Raises DatabaseNewerThanCode, DatabaseUnsuitable, DatabaseUnavailable or EmbeddedServerFailed."""
    with running_database(configuration, environment) as address:
        revisions = pending(address) if dry_run else migrate(address)
    verb = "Would apply" if dry_run else "Applied"
    print(f"{verb} {', '.join(revisions)}." if revisions else "The database is up to date.", file=output)
    return ExitCode.DONE


@contextmanager
def running_database(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[DatabaseAddress]:
    """The site's own server, or the embedded one: started for the time being where it does not run."""
    settings = configuration.settings(environment)
    if (own := own_server_address(settings, environment)) is not None:
        yield own
        return
    server = EmbeddedServer(configuration.embedded_folder(settings))
    ran_before = server.is_running()
    try:
        yield server.start()
    finally:
        if not ran_before:
            server.stop()
