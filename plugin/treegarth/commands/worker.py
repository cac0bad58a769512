"""`treegarth worker`: a worker process that Orthanc did not start, on this machine or another."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping

from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import DatabaseAddress
from treegarth.database.location import own_server_address
from treegarth.errors import DatabaseUnavailable, SettingsRefused
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.settings import Settings


def worker_command(configuration: Configuration, environment: Mapping[str, str]) -> int:
    """Take tasks until SIGTERM or Ctrl-C.

    Raises SettingsRefused where the configuration does not say how to reach Orthanc, DatabaseUnavailable where the
    embedded server, which starts with Orthanc, does not run.
    """
    from treegarth.roles import worker
    from treegarth.roles.duty import Duty

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("treegarth").setLevel(logging.INFO)
    settings = configuration.settings(environment)
    orthanc = orthanc_address(settings, configuration, environment)
    database = database_of(settings, configuration, environment)
    worker.run(Duty(database=database, orthanc=OrthancClient(orthanc), settings=settings))
    return ExitCode.DONE


def database_of(settings: Settings, configuration: Configuration, environment: Mapping[str, str]) -> DatabaseAddress:
    address = own_server_address(settings, environment)
    if address is None:
        folder = configuration.embedded_folder(settings)
        address = EmbeddedServer(folder).running_address()
        if address is None:
            raise DatabaseUnavailable(
                f"The embedded database in {folder} does not run. Start Orthanc first; "
                "on another machine than Orthanc's, set Treegarth.Database."
            )
    return address


def orthanc_address(settings: Settings, configuration: Configuration, environment: Mapping[str, str]) -> OrthancAddress:
    """Where Orthanc answers, and the login that a worker outside of it needs."""
    scheme = "https" if configuration.values.get("SslEnabled") else "http"
    url = settings.orthanc_url or f"{scheme}://127.0.0.1:{configuration.values.get('HttpPort', 8042)}"
    if settings.orthanc_user is None:
        if configuration.values.get("AuthenticationEnabled"):
            raise SettingsRefused(
                "Orthanc asks for a login: set Treegarth.OrthancUser and Treegarth.OrthancPassword for workers "
                "that Orthanc does not start itself."
            )
        return OrthancAddress(url=url)
    password = settings.orthanc_password.resolve(environment) if settings.orthanc_password else ""
    credentials = base64.b64encode(f"{settings.orthanc_user}:{password}".encode()).decode()
    return OrthancAddress(url=url, authorization=f"Basic {credentials}")
