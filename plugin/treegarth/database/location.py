"""Which database a configuration means: a site's own server, or the embedded one in its folder. Connects to neither."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treegarth.database.engine import DatabaseAddress
from treegarth.settings import Settings


def own_server_address(settings: Settings, environment: Mapping[str, str]) -> DatabaseAddress | None:
    """The site's own server; None where the embedded one is used.

    Raises SettingsRefused where the password's place is empty.
    """
    if settings.database is None:
        return None
    password = settings.database_password
    return DatabaseAddress(url=settings.database, password=password.resolve(environment) if password else None)


def index_directory(configuration: Mapping[str, Any], source: Path) -> Path:
    """Orthanc's IndexDirectory in full; a relative one begins at the configuration's folder, as Orthanc has it."""
    place = configuration.get("IndexDirectory") or configuration.get("StorageDirectory") or "OrthancStorage"
    return ((source if source.is_dir() else source.parent) / str(place)).absolute()


def embedded_folder(settings: Settings, index_directory: Path) -> Path:
    """Where the embedded server lives, given Orthanc's IndexDirectory (absolute)."""
    return data_folder(settings, index_directory) / "postgresql"


def data_folder(settings: Settings, index_directory: Path) -> Path:
    """Where Treegarth keeps what is not in the database, given Orthanc's IndexDirectory (absolute)."""
    return settings.data_directory or index_directory / "treegarth"
