"""Orthanc's configuration as Orthanc itself reads it: JSON with comments, a file or a folder of files, variables."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import json5

import treegarth
from treegarth.database.location import embedded_folder, index_directory
from treegarth.errors import SettingsRefused
from treegarth.settings import Settings, problems_of_access, read_settings

PROJECT = Path(treegarth.__file__).parents[2]
SHIPPED = PROJECT / "orthanc.json"
DEBIANS = Path("/etc/orthanc")
VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<otherwise>[^}]*))?\}")


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Orthanc's configuration and where it came from; relative paths in it are relative to that."""

    source: Path
    values: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self.source if self.source.is_dir() else self.source.parent

    def path(self, key: str, *, otherwise: str) -> Path:
        return (self.folder / str(self.values.get(key, otherwise))).absolute()

    def settings(self, environment: Mapping[str, str]) -> Settings:
        """Raises SettingsRefused with every problem at once."""
        return read_settings(self.values.get("Treegarth", {}), environment)

    def embedded_folder(self, settings: Settings) -> Path:
        return embedded_folder(settings, index_directory(self.values, self.source))


def read_configuration(source: Path, environment: Mapping[str, str]) -> Configuration:
    """A file, or a folder of files of which none may repeat another's key.

    Raises SettingsRefused, naming the file and what is wrong with it.
    """
    values: dict[str, Any] = {}
    for file in sorted(source.glob("*.json")) if source.is_dir() else [source]:
        part = _read_file(file, environment)
        if repeated := sorted(values.keys() & part.keys()):
            raise SettingsRefused(f"{file} repeats {', '.join(repeated)} of another file in {source}.")
        values |= part
    if source.is_dir() and not values:
        raise SettingsRefused(f"The folder {source} holds no configuration (*.json).")
    return Configuration(source=source.absolute(), values=values)


def refused_settings(configuration: Configuration, environment: Mapping[str, str]) -> Settings:
    """The settings, checked together with what Orthanc's own configuration lets in.

    Raises SettingsRefused as Orthanc's plugin would at its start, only sooner.
    """
    settings = configuration.settings(environment)
    if problems := problems_of_access(settings, configuration.values):
        raise SettingsRefused("\n".join(problems))
    return settings


def write_configuration(path: Path, values: Mapping[str, Any]) -> None:
    """For the owner alone from its first byte on: users and passwords may stand in it."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
    unfinished.rename(path)


def _read_file(file: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"The configuration {file} cannot be read: {error}.") from error
    text = VARIABLE.sub(lambda found: environment.get(found["name"], found["otherwise"] or ""), text)
    try:
        values = json5.loads(text)
    except ValueError as error:
        raise SettingsRefused(f"The configuration {file} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise SettingsRefused(f"The configuration {file} must be an object {{...}}.")
    return values
