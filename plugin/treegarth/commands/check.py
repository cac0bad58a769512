"""`treegarth check`: what is wrong with a site, each in a sentence with what to do. Changes nothing, starts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from sqlalchemy import text

from treegarth.commands.check_orthanc import check_orthanc
from treegarth.commands.check_places import UNSEEN, check_destinations, check_places
from treegarth.commands.configuration import PROJECT, Configuration, read_configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.findings import Finding, Level, note, ok, problem
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.embedded.binaries import find_binaries
from treegarth.database.engine import DatabaseAddress, connect, create_engine
from treegarth.database.location import own_server_address
from treegarth.database.migration import pending
from treegarth.errors import EmbeddedServerFailed, SettingsRefused, TreegarthError
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings, problems_of_access


def check_command(source: Path, environment: Mapping[str, str], output: TextIO) -> int:
    """Print every finding, problems last; the exit code says whether there are any."""
    findings = sorted(check(source, environment), key=lambda finding: list(Level).index(finding.level))
    for finding in findings:
        print(f"{finding.level.value:8} {finding.sentence}", file=output)
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    if problems:
        print(f"{problems} problem{'s' if problems > 1 else ''} in {source}.", file=output)
        return ExitCode.FAILED
    print(f"Nothing is wrong with {source}.", file=output)
    return ExitCode.DONE


def check(source: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that can be looked at, even where something before it is wrong."""
    try:
        configuration = read_configuration(source, environment)
    except SettingsRefused as error:
        yield problem(str(error))
        return
    yield from check_orthanc(configuration, environment)
    yield from check_browser_files()
    try:
        settings = configuration.settings(environment)
    except SettingsRefused as error:
        yield from (problem(line) for line in str(error).splitlines())
        return
    yield from check_settings(settings, configuration)
    yield from check_secrets(settings, environment)
    yield from check_places(settings)
    yield from check_database(settings, configuration, environment)


def check_settings(settings: Settings, configuration: Configuration) -> Iterator[Finding]:
    refused = problems_of_access(settings, configuration.values)
    yield from (problem(sentence) for sentence in refused)
    if not refused:
        yield ok(f'SignIn "{settings.sign_in}" suits who is let in.')
    if settings.workers == 0:
        yield note('"Workers" is 0: no dose is read and nothing is sent unless `treegarth worker` runs elsewhere.')
    for script in settings.chained_scripts:
        if not script.is_file():
            yield problem(f'"ChainedScripts" names {script}, which is not there.')


def check_secrets(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    of_provider = settings.oidc.client_secret if settings.oidc else None
    for reference in (settings.database_password, settings.orthanc_password, of_provider):
        if reference is not None:
            try:
                reference.resolve(environment)
            except SettingsRefused as error:
                yield problem(str(error))


def check_database(
    settings: Settings, configuration: Configuration, environment: Mapping[str, str]
) -> Iterator[Finding]:
    try:
        address = own_server_address(settings, environment)
    except SettingsRefused:
        yield UNSEEN  # check_secrets has said why
        return
    if address is None:
        yield from check_embedded_place(settings, configuration)
        yield from check_embedded(configuration.embedded_folder(settings), settings.destination_places)
    else:
        yield from check_server(address, settings.destination_places)


def check_embedded_place(settings: Settings, configuration: Configuration) -> Iterator[Finding]:
    values = configuration.values
    given = str(values.get("IndexDirectory") or values.get("StorageDirectory") or "OrthancStorage")
    if settings.data_directory is None and not Path(given).is_absolute():
        yield problem(
            f'"IndexDirectory" is {given}, which depends on where Orthanc is started from; the embedded database lies '
            "in it. Write it in full, from /, or set Treegarth.DataDirectory."
        )
    elif settings.data_directory is not None and not settings.data_directory.is_absolute():
        yield problem(f'"DataDirectory" is {settings.data_directory}: write it in full, from /.')


def check_embedded(folder: Path, places: DestinationPlaces) -> Iterator[Finding]:
    try:
        find_binaries()
    except EmbeddedServerFailed as error:
        yield from (problem(str(error)), UNSEEN)
        return
    try:
        address = EmbeddedServer(folder).running_address()
    except (OSError, TreegarthError) as error:
        yield from (problem(f"The embedded database in {folder} cannot be looked at: {error}"), UNSEEN)
        return
    if address is None:
        yield note(f"The embedded database in {folder} does not run now; it starts with Orthanc.")
        yield UNSEEN
    else:
        yield from check_server(address, places)


def check_server(address: DatabaseAddress, places: DestinationPlaces) -> Iterator[Finding]:
    engine = create_engine(address, pool_size=1, application_name="treegarth check")
    try:
        missing = pending(address)
        with connect(engine) as connection:
            version = connection.execute(text("SHOW server_version")).scalar_one()
        yield from [UNSEEN] if missing else check_destinations(engine, places)
    except TreegarthError as error:
        yield problem(f"Database {address.url}: {error}")
        yield UNSEEN
        return
    finally:
        engine.dispose()
    if missing:
        yield note(
            f"The database misses {', '.join(missing)}; Orthanc's next start, or `treegarth migrate`, adds them."
        )
    yield ok(f"PostgreSQL {version} at {address.url} answers.")


def check_browser_files(project: Path = PROJECT) -> Iterator[Finding]:
    """What `make setup` prepares for the browser; nothing is fetched from elsewhere when a page is shown."""
    vendor = project / "web" / "vendor"
    wanted = {
        "stamp.json": "The packages of the pages are not prepared",
        "ohif/index.html": "The viewer OHIF is not prepared",
    }
    missing = {name: sentence for name, sentence in wanted.items() if not (vendor / name).is_file()}
    for sentence in missing.values():
        yield problem(f"{sentence} in {vendor}. Run `make setup` in {project}.")
    if not missing:
        yield ok("The pages' packages and the viewer are prepared.")
